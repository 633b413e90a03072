"""A part of the schedule as a bar: its start and end are dragged, or typed in the fields beside it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

HEIGHT = 16
TRACK = 6
STEP = 0.01


class Timeline(QWidget):
    """The left end is the first step, the right end the last.

    Signals: ``range_dragged(start, end)`` with fractions while the person drags an end.
    """

    range_dragged = Signal(float, float)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._start, self._end = 0.0, 1.0
        self._dragged: str = ""
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_range(self, start: float, end: float) -> None:
        """Without ``range_dragged``."""
        if (start, end) != (self._start, self._end):
            self._start, self._end = start, end
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(80, HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        top, radius = (self.height() - TRACK) / 2, TRACK / 2
        painter.setBrush(self.palette().color(QPalette.ColorRole.Mid))
        painter.drawRoundedRect(QRectF(0, top, self.width(), TRACK), radius, radius)
        painter.setBrush(self.palette().color(QPalette.ColorRole.Highlight))
        left, right = self._x(self._start), self._x(self._end)
        painter.drawRoundedRect(QRectF(left, top, max(right - left, TRACK), TRACK), radius, radius)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            x = event.position().x()
            self._dragged = "start" if abs(x - self._x(self._start)) < abs(x - self._x(self._end)) else "end"
            self._drag_to(x)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged:
            self._drag_to(event.position().x())

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._dragged = ""

    def _drag_to(self, x: float) -> None:
        place = round(min(max(x / max(self.width(), 1), 0.0), 1.0) / STEP) * STEP
        if self._dragged == "start":
            self.set_range(min(place, self._end), self._end)
        else:
            self.set_range(self._start, max(place, self._start))
        self.range_dragged.emit(self._start, self._end)

    def _x(self, fraction: float) -> float:
        return min(max(fraction, 0.0), 1.0) * self.width()
