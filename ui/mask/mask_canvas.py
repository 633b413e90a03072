"""``MaskCanvas``: a picture with its mask as a tint, painted with brush, lasso, rectangle and fill."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QTabletEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from ui.player.viewport import Viewport
from ui.theme import Theme

if TYPE_CHECKING:
    from engine.media.mask_overlay import Overlay
    from engine.media.masks import PaintedMask, Rect

TOOLS = ("brush", "eraser", "lasso", "rectangle", "fill", "colour")
LEAST_SIZE, MOST_SIZE = 1, 2000
"""Of the brush, across, in pixels of the picture."""
STEP = 1.15
SIZE, HARDNESS = 64, 0.8
TINT = (226, 44, 210)
"""A red, green and blue that few pictures have."""


class MaskCanvas(QWidget):
    """The wheel makes the brush larger, with Ctrl it zooms; the middle button pans; the right one takes away. Arrow
    keys move the point at which Space paints.

    Signals: ``edited`` after something was painted, ``brush_changed`` its size or hardness, ``colour_picked(x, y)``.
    """

    edited = Signal()
    brush_changed = Signal()
    colour_picked = Signal(float, float)

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.mask: PaintedMask | None = None
        self._overlay: Overlay | None = None
        self._picture = QImage()
        self._small = QImage()
        self._shown = QImage()
        self._tint = QImage()
        self._viewport = Viewport()
        self.tool = "brush"
        self.size_of_brush = float(SIZE)
        self.hardness = HARDNESS
        self._at = QPointF()
        self._last: QPointF | None = None
        self._pressure = 1.0
        self._points: list[QPointF] = []
        self._erases = False
        self._pan: QPoint | None = None
        self._by_keys = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(200, 150)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(self.tr("Mask"))
        theme.changed.connect(self._relook)

    # --- what is shown

    def show_mask(self, picture: QImage, mask: PaintedMask) -> None:
        """``mask`` has the size of ``picture``."""
        from engine.media.mask_overlay import Overlay

        self._picture, self.mask = picture, mask
        most = max(picture.width(), picture.height())
        small = QSize(picture.width(), picture.height()) * (1024 / most)
        ways = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
        self._small = picture.scaled(small, *ways) if most > 2048 else QImage()
        self._viewport = Viewport()
        self._viewport.natural = picture.size()
        self._at = QPointF(picture.width() / 2, picture.height() / 2)
        self._overlay = Overlay(mask, TINT)
        self._relook()

    def clear(self) -> None:
        self.mask = self._overlay = None
        self._picture = self._small = self._shown = self._tint = QImage()

    def refresh(self, rect: Rect) -> None:
        """``rect`` of the mask has changed."""
        if self._overlay is not None and not rect.is_empty:
            found = self._overlay.refresh(rect)
            ratio = self.devicePixelRatioF()
            dirty = QRectF(found.left, found.top, found.right - found.left, found.bottom - found.top)
            self.update(QRectF(dirty.topLeft() / ratio, dirty.size() / ratio).toAlignedRect().adjusted(-1, -1, 1, 1))

    def fit(self) -> None:
        self._viewport.fit()
        self._relook()

    def set_brush(self, size: float | None = None, hardness: float | None = None) -> None:
        if size is not None:
            self.size_of_brush = min(max(float(LEAST_SIZE), size), float(MOST_SIZE))
        if hardness is not None:
            self.hardness = min(max(0.0, hardness), 1.0)
        self.brush_changed.emit()
        self.update()

    def set_tool(self, tool: str) -> None:
        self.tool, self._points = tool, []
        self.update()

    def _relook(self) -> None:
        """Draw the picture and the tint anew for the zoom, once: a stroke only copies them."""
        ratio = self.devicePixelRatioF()
        self._viewport.size, self._viewport.ratio = QSizeF(self.size()), ratio
        width, height = round(self.width() * ratio), round(self.height() * ratio)
        if self._overlay is None or width < 1 or height < 1:
            return
        rect = self._viewport.rect()
        corner, zoom = rect.topLeft() * ratio, self._viewport.zoom
        self._shown = QImage(width, height, QImage.Format.Format_RGB32)
        self._shown.fill(self._theme.color("canvas"))
        painter = QPainter(self._shown)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, zoom < 2)
        source = self._small if zoom < 0.25 and not self._small.isNull() else self._picture
        painter.drawImage(QRectF(corner, rect.size() * ratio), source)
        painter.end()
        self._shown.setDevicePixelRatio(ratio)
        self._overlay.look(corner.x(), corner.y(), zoom, width, height)
        kind = QImage.Format.Format_ARGB32_Premultiplied
        self._tint = QImage(self._overlay.buffer.data, width, height, width * 4, kind)
        self._tint.setDevicePixelRatio(ratio)
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._viewport.size = QSizeF(self.size())
        self._viewport.clamp()
        self._relook()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        area = event.rect()
        if self._shown.isNull():
            painter.fillRect(area, self._theme.color("canvas"))
            return
        ratio = self.devicePixelRatioF()
        source = QRectF(QPointF(area.topLeft()) * ratio, QSizeF(area.size()) * ratio)
        painter.drawImage(QRectF(area), self._shown, source)
        painter.drawImage(QRectF(area), self._tint, source)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for width, colour in ((3.0, QColor(0, 0, 0, 140)), (1.2, QColor(255, 255, 255))):
            painter.setPen(QPen(colour, width))
            self._draw_tool(painter)

    def _draw_tool(self, painter: QPainter) -> None:
        if self.tool in ("brush", "eraser"):
            if self.underMouse() or self._by_keys:
                radius = self._shown_radius()
                painter.drawEllipse(self._to_widget(self._at), radius, radius)
            return
        if self.tool == "lasso" and self._points:
            painter.drawPolyline(QPolygonF([self._to_widget(point) for point in self._points]))
        elif self.tool == "rectangle" and self._points:
            painter.drawRect(QRectF(self._to_widget(self._points[0]), self._to_widget(self._points[-1])).normalized())
        if self._by_keys:
            at = self._to_widget(self._at)
            painter.drawLine(at - QPointF(8, 0), at + QPointF(8, 0))
            painter.drawLine(at - QPointF(0, 8), at + QPointF(0, 8))

    # --- places

    def _shown_radius(self) -> float:
        return self.size_of_brush / 2 * self._viewport.zoom / self.devicePixelRatioF()

    def _to_picture(self, at: QPointF) -> QPointF:
        rect = self._viewport.rect()
        return (at - rect.topLeft()) * (self.devicePixelRatioF() / self._viewport.zoom)

    def _to_widget(self, at: QPointF) -> QPointF:
        return self._viewport.rect().topLeft() + at * (self._viewport.zoom / self.devicePixelRatioF())

    def _moved(self, at: QPointF) -> None:
        """The tool is at a point of the picture: where it was and where it is are painted anew."""
        reach = math.ceil(self._shown_radius()) + 12
        for place in (self._at, at):
            middle = self._to_widget(place).toPoint()
            self.update(QRect(middle - QPoint(reach, reach), middle + QPoint(reach, reach)))
        self._at = at

    # --- painting

    def begin(self, at: QPointF, erases: bool = False) -> None:
        """Put the tool down at a point of the picture."""
        if self.mask is None:
            return
        self._moved(at)
        self._erases = erases or self.tool == "eraser"
        if self.tool in ("brush", "eraser"):
            self._last = at
            self._stroke(at)
        elif self.tool in ("lasso", "rectangle"):
            self._points = [at]
        elif self.tool == "fill":
            self.refresh(self.mask.fill(at.x(), at.y(), self._erases))
            self.finish()
        else:
            self.colour_picked.emit(at.x(), at.y())

    def move(self, at: QPointF) -> None:
        self._moved(at)
        if self._last is not None:
            self._stroke(at)
        elif self._points:
            self._points.append(at)
            self.update()

    def end(self) -> None:
        if self.mask is not None and len(self._points) > 1:
            places = [(point.x(), point.y()) for point in self._points]
            if self.tool == "lasso":
                self.refresh(self.mask.lasso(places, self._erases))
            else:
                self.refresh(self.mask.rectangle(places[0], places[-1], self._erases))
        self._points, self._last = [], None
        self.update()
        self.finish()

    def finish(self) -> None:
        if self.mask is not None and self.mask.finish():
            self.edited.emit()

    def _stroke(self, at: QPointF) -> None:
        assert self.mask is not None and self._last is not None
        radius = self.size_of_brush / 2 * self._pressure
        begin, end = (self._last.x(), self._last.y()), (at.x(), at.y())
        self.refresh(self.mask.stroke(begin, end, radius, self.hardness, self._erases))
        self._last = at

    # --- mouse, tablet and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._by_keys = False
        if event.button() == Qt.MouseButton.MiddleButton:
            self._pan = event.position().toPoint()
        elif event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            self.begin(self._to_picture(event.position()), event.button() == Qt.MouseButton.RightButton)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pan is not None:
            now = event.position().toPoint()
            self._viewport.pan(QPointF(now - self._pan))
            self._pan = now
            self._relook()
            return
        self.move(self._to_picture(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.MiddleButton:
            self._pan = None
        else:
            self.end()

    def leaveEvent(self, _event: object) -> None:
        self._moved(self._at)

    def tabletEvent(self, event: QTabletEvent) -> None:
        """Its pressure is the brush's size; the mouse event that follows paints."""
        self._pressure = max(0.05, event.pressure()) if event.pressure() else 1.0
        event.ignore()

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = event.angleDelta().y() / 120 or event.angleDelta().x() / 120
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._viewport.zoom_by(STEP**turn, event.position())
            self._relook()
        else:
            self.set_brush(self.size_of_brush * STEP**turn)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ways = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
        }
        key = Qt.Key(event.key())
        if key in ways:
            fine = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            far = 1.0 if fine else max(1.0, self.size_of_brush / 2)
            self._by_keys = True
            x = min(max(0.0, self._at.x() + ways[key][0] * far), self._picture.width() - 1.0)
            y = min(max(0.0, self._at.y() + ways[key][1] * far), self._picture.height() - 1.0)
            self.move(QPointF(x, y))
        elif key == Qt.Key.Key_Space:
            self._space()
        elif event.text() in ("[", "]", "{", "}"):
            up = event.text() in ("]", "}")
            if event.text() in ("[", "]"):
                self.set_brush(self.size_of_brush * (STEP if up else 1 / STEP))
            else:
                self.set_brush(hardness=self.hardness + (0.1 if up else -0.1))
        else:
            super().keyPressEvent(event)

    def _space(self) -> None:
        """Paint here; of lasso and rectangle the first time begins and the second ends."""
        self._by_keys = True
        if self.tool in ("lasso", "rectangle"):
            if self._points:
                self.end()
            else:
                self.begin(self._at)
            return
        self.begin(self._at)
        self.end()
