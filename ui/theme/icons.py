"""Line icons: SVGs on a 24 × 24 grid that use ``currentColor``, drawn in the theme's colours."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication, QIcon, QImage, QPixmap

_SIZE = 'width="24" height="24"'
PIXEL_SIZES = (16, 18, 20, 24, 36, 48)  # the sizes in use, at one and two device pixels per point
LARGE_PIXEL_SIZES = (54, 72)  # more of them, drawn only where a screen has more device pixels


def draw_pixmap(svg: str, color: str, pixels: int) -> QPixmap:
    """``svg`` in ``color`` as a square of ``pixels`` device pixels.

    Read from bytes, never through a QBuffer made here: Qt would hold its image lock while it waits for Python's, and a
    thread that decodes a thumbnail waits the other way round.
    """
    sized = svg.replace(_SIZE, f'width="{pixels}" height="{pixels}"', 1).replace("currentColor", color)
    image = QImage.fromData(sized.encode(), "svg")
    if image.isNull():
        raise ValueError("An icon cannot be drawn: it is no SVG.")
    return QPixmap.fromImage(image)


def draw_icon(svg: str, color: str, disabled: str) -> QIcon:
    icon = QIcon()
    screen = QGuiApplication.primaryScreen()
    is_large = screen is not None and screen.devicePixelRatio() > 2
    for pixels in (*PIXEL_SIZES, *LARGE_PIXEL_SIZES) if is_large else PIXEL_SIZES:
        icon.addPixmap(draw_pixmap(svg, color, pixels), QIcon.Mode.Normal)
        icon.addPixmap(draw_pixmap(svg, disabled, pixels), QIcon.Mode.Disabled)
    return icon
