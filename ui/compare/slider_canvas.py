"""Two pictures in the same place, with a line between them that is dragged, or moved by the arrow keys."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ui.player import canvas_paint
from ui.player.canvas import Canvas
from ui.theme import Theme

GRIP = 12.0
STEP = 0.05
KNOB = 9.0
NARROWEST_CAPTION = 90


class SliderCanvas(Canvas):
    """The first picture is left of the line, the second right of it.

    Signals: ``divided(float)`` where the line is, as a fraction of the picture's width.
    """

    divided = Signal(float)

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme=theme, parent=parent)
        self._second = QImage()
        self._at = 0.5
        self._captions = ("", "")
        self._dragging = False
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Comparison with a slider"))

    @property
    def at(self) -> float:
        return self._at

    def set_second(self, image: QImage) -> None:
        self._second = image
        self.update()

    def set_captions(self, first: str, second: str) -> None:
        """What each of the two is, at its own side."""
        self._captions = (first, second)
        self.setAccessibleDescription(self.tr("left {0}, right {1}").format(first, second))
        self.update()

    def set_at(self, at: float) -> None:
        self._at = min(1.0, max(0.0, at))
        self.divided.emit(self._at)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._second.isNull() or self.image.isNull():
            return
        rect = self.picture_rect()
        painter = QPainter(self)
        x = self._line()
        painter.save()
        painter.setClipRect(QRectF(x, rect.top(), rect.right() - x, rect.height()))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.fitted)
        painter.drawImage(rect, self._second)
        painter.restore()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = rect.intersected(QRectF(self.rect()))
        painter.setPen(QPen(QColor("#000000"), 3.5))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        painter.setPen(QPen(QColor("#ffffff"), 1.5))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        painter.setBrush(self._theme.color("accent"))
        painter.drawEllipse(QPointF(x, area.center().y()), KNOB, KNOB)
        height = self.height()
        left, right = QRectF(0, 0, x, height), QRectF(x, 0, self.width() - x, height)
        for side, text, mirrored in ((left, self._captions[0], False), (right, self._captions[1], True)):
            if text and side.width() > NARROWEST_CAPTION:
                canvas_paint.chip(painter, rect.intersected(side), side, text, self._theme, mirrored=mirrored)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._is_near(event):
            self._dragging = True
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragging:
            rect = self.picture_rect()
            self.set_at((event.position().x() - rect.left()) / max(rect.width(), 1.0))
            return
        if not event.buttons():
            shape = Qt.CursorShape.SplitHCursor if self._is_near(event) else Qt.CursorShape.ArrowCursor
            self.setCursor(shape)
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragging = False
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right) and not event.modifiers():
            self.set_at(self._at + (STEP if event.key() == Qt.Key.Key_Right else -STEP))
        else:
            super().keyPressEvent(event)

    def _line(self) -> float:
        rect = self.picture_rect()
        return rect.left() + self._at * rect.width()

    def _is_near(self, event: QMouseEvent) -> bool:
        return abs(event.position().x() - self._line()) <= GRIP
