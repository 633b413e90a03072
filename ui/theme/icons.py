"""Line icons: SVGs on a 24 × 24 grid that use ``currentColor``, drawn in the theme's colours."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize
from PySide6.QtGui import QIcon, QImageReader, QPixmap

PIXEL_SIZES = (16, 18, 20, 24, 36, 48)  # the sizes in use, at one and two device pixels per point


def draw_pixmap(svg: str, color: str, pixels: int) -> QPixmap:
    """``svg`` in ``color`` as a square of ``pixels`` device pixels."""
    buffer = QBuffer()
    buffer.setData(QByteArray(svg.replace("currentColor", color).encode()))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, QByteArray(b"svg"))
    reader.setScaledSize(QSize(pixels, pixels))
    image = reader.read()
    if image.isNull():
        raise ValueError(f"An icon cannot be drawn: {reader.errorString()}")
    return QPixmap.fromImage(image)


def draw_icon(svg: str, color: str, disabled: str) -> QIcon:
    icon = QIcon()
    for pixels in PIXEL_SIZES:
        icon.addPixmap(draw_pixmap(svg, color, pixels), QIcon.Mode.Normal)
        icon.addPixmap(draw_pixmap(svg, disabled, pixels), QIcon.Mode.Disabled)
    return icon
