"""Which part of a picture is seen: fitted, or zoomed to a point. Plain geometry, without a widget."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF

MARGIN = 24
MAX_ZOOM = 32.0


class Look(NamedTuple):
    """What part of a picture is looked at: how wide all of it would be (None: it is fitted), and which point of it, in
    fractions, is in the middle."""

    width: float | None
    x: float = 0.5
    y: float = 0.5


class Viewport:
    """A picture of ``natural`` pixels in ``size`` device-independent ones, of which each is ``ratio`` device pixels.

    Zoom 1 shows one picture pixel as one device pixel.
    """

    def __init__(self) -> None:
        self.natural = QSize()
        self.size = QSizeF()
        self.ratio = 1.0
        self._zoom: float | None = None
        self._offset = QPointF()

    @property
    def zoom(self) -> float:
        """Device pixels for each picture pixel."""
        return self._zoom if self._zoom is not None else self._fit_zoom()

    @property
    def fitted(self) -> bool:
        return self._zoom is None

    @property
    def center(self) -> QPointF:
        return QPointF(self.size.width() / 2, self.size.height() / 2)

    def rect(self) -> QRectF:
        """Where the picture lies, in device-independent pixels, on whole device pixels."""
        scale, ratio = self._scale, self.ratio
        size = QPointF(self.natural.width() * scale, self.natural.height() * scale)
        corner = self.center + self._offset - size / 2
        corner = QPointF(round(corner.x() * ratio) / ratio, round(corner.y() * ratio) / ratio)
        return QRectF(corner, corner + size)

    def overflows(self) -> bool:
        rect = self.rect()
        return rect.width() > self.size.width() + 1 or rect.height() > self.size.height() + 1

    def fit(self) -> None:
        self._zoom, self._offset = None, QPointF()

    def set_zoom(self, zoom: float, at: QPointF | None = None) -> None:
        """Zoom with the point ``at`` staying where it is; so far out that all is seen, it is fitted."""
        zoom = min(MAX_ZOOM, zoom)
        if zoom <= min(self._fit_zoom(), 1.0) * 1.001:
            self.fit()
            return
        at = at if at is not None else self.center
        self._offset = (at - self.center) - (at - self.center - self._offset) * (zoom / self.zoom)
        self._zoom = zoom
        self.clamp()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        zoom = self.zoom * factor
        if min(self.zoom, zoom) < 1.0 < max(self.zoom, zoom):
            zoom = 1.0  # never past 100 % without stopping there
        self.set_zoom(zoom, at)

    def pan(self, way: QPointF) -> None:
        self._offset += way
        self.clamp()

    def look(self) -> Look:
        if self._zoom is None:
            return Look(None)
        rect, middle = self.rect(), self.center
        return Look(rect.width(), (middle.x() - rect.left()) / rect.width(), (middle.y() - rect.top()) / rect.height())

    def look_at(self, look: Look) -> None:
        """The same part of this picture."""
        if look.width is None or self.natural.isEmpty():
            self.fit()
            return
        self._zoom = look.width * self.ratio / self.natural.width()
        width, height = self.natural.width() * self._scale, self.natural.height() * self._scale
        self._offset = QPointF((0.5 - look.x) * width, (0.5 - look.y) * height)
        self.clamp()

    def clamp(self) -> None:
        """Keep the picture's edges at the widget's edges at least; a smaller picture stays in the middle."""
        width, height = self.natural.width() * self._scale, self.natural.height() * self._scale
        x = max(0.0, (width - self.size.width()) / 2 + MARGIN) if width > self.size.width() else 0.0
        y = max(0.0, (height - self.size.height()) / 2 + MARGIN) if height > self.size.height() else 0.0
        self._offset = QPointF(min(x, max(-x, self._offset.x())), min(y, max(-y, self._offset.y())))

    @property
    def _scale(self) -> float:
        """Device-independent pixels for each picture pixel."""
        return self.zoom / self.ratio

    def _fit_zoom(self) -> float:
        if self.natural.isEmpty():
            return 1.0
        width, height = max(1.0, self.size.width() - 2 * MARGIN), max(1.0, self.size.height() - 2 * MARGIN)
        return min(width / self.natural.width(), height / self.natural.height()) * self.ratio
