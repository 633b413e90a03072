"""``Canvas``: one picture, fitted or zoomed, over the canvas colour, with a chip that says what it is."""

from __future__ import annotations

from PySide6.QtCore import QEasingCurve, QEvent, QPoint, QPointF, QRectF, QSize, QSizeF, Qt, QVariantAnimation, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QWidget

from ui.background import Background
from ui.player import canvas_paint
from ui.player.viewport import Look, Viewport
from ui.theme import Theme

FADE_MS = 220
NEAREST_FROM = 2.0  # zoomed in by hand this far, pixels show as squares
GRID_FROM = 8.0  # device-independent pixels a picture pixel, from which lines part them


class Canvas(QWidget):
    """Zoom 1 shows one picture pixel as one device pixel. Fit is smooth; 100 % is exact; from 200 % pixels are squares.

    Signals: ``drag_wanted()`` the picture was pulled out; ``pressed()`` the mouse went down on the picture;
    ``stepped(int)`` an arrow key; ``copy_pressed()``; ``zoom_changed(float)``; ``looked(Look)`` the person zoomed or
    panned.
    """

    drag_wanted = Signal()
    pressed = Signal()
    stepped = Signal(int)
    copy_pressed = Signal()
    zoom_changed = Signal(float)
    looked = Signal(object)

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._image = QImage()
        self._viewport = Viewport()
        self._old = QImage()
        self._fade = 1.0
        self._chip = ""
        self._press: QPoint | None = None
        self._panning = False
        self._moving = False
        self._scaled = QImage()
        self._scaling = QSize()
        self._background = Background(1, self)
        self._animation = QVariantAnimation(self, duration=FADE_MS, startValue=0.0, endValue=1.0)
        self._animation.setEasingCurve(QEasingCurve.Type.InOutQuad)
        self._animation.valueChanged.connect(self._set_fade)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(200, 150)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(self.tr("View"))
        theme.changed.connect(self.update)

    # what is shown

    @property
    def image(self) -> QImage:
        return self._image

    def set_image(
        self, image: QImage, natural: QSize | None = None, *, crossfade: bool = False, moving: bool = False
    ) -> None:
        """Show ``image``. ``natural`` is the size it stands for, where a preview is smaller than its result.

        ``moving`` pictures (clips, previews) are scaled quickly; still ones get a finer scaling a moment later.
        """
        natural = natural if natural is not None and not natural.isEmpty() else image.size()
        if crossfade and not self._image.isNull() and self.isVisible():
            self._old = self._image
            self._animation.stop()
            self._animation.start()
        elif not moving or image.isNull():
            self._end_fade()
        if natural != self._view.natural:
            self._view.natural = natural
            self._view.clamp()
        self._image = image
        self._moving = moving
        self._scaled, self._scaling = QImage(), QSize()
        self.update()

    def set_chip(self, text: str) -> None:
        if text != self._chip:
            self._chip = text
            self.setAccessibleDescription(text)
            self.update()

    def clear(self) -> None:
        self.set_image(QImage())
        self.set_chip("")
        self.fit()

    def close_down(self) -> None:
        self._animation.stop()
        self._background.close()

    # zoom and pan

    @property
    def _view(self) -> Viewport:
        """For the size that the widget has now: one that is not shown hears of it late."""
        self._viewport.size, self._viewport.ratio = QSizeF(self.size()), self.devicePixelRatioF()
        return self._viewport

    @property
    def zoom(self) -> float:
        """Device pixels for each picture pixel."""
        return self._view.zoom

    @property
    def fitted(self) -> bool:
        return self._view.fitted

    def fit(self) -> None:
        self._view.fit()
        self._zoomed()

    def set_zoom(self, zoom: float, at: QPointF | None = None) -> None:
        """Zoom with the point ``at`` (of the widget) staying where it is."""
        if not self._view.natural.isEmpty():
            self._view.set_zoom(zoom, at)
            self._zoomed()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        if not self._view.natural.isEmpty():
            self._view.zoom_by(factor, at)
            self._zoomed()

    def look(self) -> Look:
        return self._view.look()

    def look_at(self, look: Look) -> None:
        """The same part of this picture, without ``looked``."""
        self._view.look_at(look)
        self._zoomed()

    def picture_rect(self) -> QRectF:
        """Where the picture lies, in device-independent pixels."""
        return self._view.rect()

    def _zoomed(self) -> None:
        self._scaled, self._scaling = QImage(), QSize()
        self.zoom_changed.emit(self.zoom)
        self.update()

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(self._theme.tokens.canvas))
        if self._image.isNull():
            return
        rect = self.picture_rect()
        if self._fade < 1.0 and not self._old.isNull():
            self._draw(painter, rect, self._old, final=False)
            painter.setOpacity(self._fade)
        self._draw(painter, rect, self._image, final=not self._moving and self._fade >= 1.0)
        painter.setOpacity(1.0)
        whole, step = QRectF(self.rect()), self.zoom / self.devicePixelRatioF()
        if self.fitted:
            canvas_paint.round_corners(painter, rect, self._theme)
        elif step >= GRID_FROM:
            canvas_paint.pixel_grid(painter, rect, rect.intersected(whole), step, self._theme)
        if self._chip:
            canvas_paint.chip(painter, rect, whole, self._chip, self._theme, mirrored=self.isRightToLeft())

    def _draw(self, painter: QPainter, rect: QRectF, image: QImage, *, final: bool) -> None:
        ratio = self.devicePixelRatioF()
        target = QSize(round(rect.width() * ratio), round(rect.height() * ratio))
        if final and target.width() < image.width() and self.fitted:
            if self._scaled.size() == target:
                painter.drawImage(rect, self._scaled)
                return
            self._scale_finely(image, target)
        smooth = target != image.size() and (self.fitted or self.zoom < NEAREST_FROM)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(rect, image)

    def _scale_finely(self, image: QImage, target: QSize) -> None:
        if self._scaling == target:
            return
        self._scaling = target

        def scaled() -> QImage:
            return image.scaled(
                target, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            )

        def done(result: QImage) -> None:
            if image is self._image and self._scaling == target:
                self._scaled = result
                self.update()

        self._background.run(scaled, done, lambda _error: None)

    def _set_fade(self, value: object) -> None:
        self._fade = float(value)  # type: ignore[arg-type]
        if self._fade >= 1.0:
            self._old = QImage()
        self.update()

    def _end_fade(self) -> None:
        self._animation.stop()
        self._fade = 1.0
        self._old = QImage()

    # events

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

    def _measure(self) -> None:
        self._view.clamp()
        self._zoomed()

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta().y()
        if delta and not self._image.isNull():
            self.zoom_by(1.2 ** (delta / 120), event.position())
            self.looked.emit(self.look())
            event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        inside = not self._image.isNull() and self.picture_rect().contains(event.position())
        if event.button() == Qt.MouseButton.MiddleButton or (event.button() == Qt.MouseButton.LeftButton and inside):
            self._press = event.position().toPoint()
            self._panning = event.button() == Qt.MouseButton.MiddleButton or self._view.overflows()
            if self._panning:
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
            else:
                self.pressed.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._press is None:
            return
        point = event.position().toPoint()
        if self._panning:
            self._view.pan(QPointF(point - self._press))
            self._press = point
            self.update()
            self.looked.emit(self.look())
        elif (point - self._press).manhattanLength() >= QApplication.startDragDistance():
            self._press = None
            self.drag_wanted.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._press = None
        if self._panning:
            self._panning = False
            self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.fitted:
            self.set_zoom(1.0, event.position())
        else:
            self.fit()
        self.looked.emit(self.look())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_pressed.emit()
            return
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_by(1.25)
        elif key == Qt.Key.Key_Minus:
            self.zoom_by(0.8)
        elif key == Qt.Key.Key_0:
            self.fit()
        elif key == Qt.Key.Key_1:
            self.set_zoom(1.0)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and not event.modifiers():
            self.stepped.emit(1 if key == Qt.Key.Key_Right else -1)
        else:
            super().keyPressEvent(event)
            return
        self.looked.emit(self.look())

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self.update()
        super().changeEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:  # the window went to another screen
            self._measure()
        return super().event(event)
