"""``Canvas``: one picture, fitted or zoomed, over the canvas colour, with a chip that says what it is."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QEasingCurve, QEvent, QLineF, QPoint, QPointF, QRectF, QSize, Qt, QVariantAnimation, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QWidget

from ui.background import Background
from ui.theme import Theme

MARGIN = 24
RADIUS = 6.0
FADE_MS = 220
MAX_ZOOM = 32.0
NEAREST_FROM = 2.0  # zoomed in by hand this far, pixels show as squares
GRID_FROM = 8.0  # device-independent pixels a picture pixel, from which lines part them


class Look(NamedTuple):
    """What part of a picture is looked at: how wide all of it would be (None: it is fitted), and which point of it, in
    fractions, is in the middle."""

    width: float | None
    x: float = 0.5
    y: float = 0.5


class Canvas(QWidget):
    """Zoom 1 shows one picture pixel as one device pixel. Fit is smooth; 100 % is exact; from 200 % pixels are squares.

    Signals: ``drag_wanted()`` the picture was pulled out; ``pressed()`` the mouse went down on the picture;
    ``stepped(int)`` an arrow key; ``zoom_changed(float)``; ``looked(Look)`` the person zoomed or panned.
    """

    drag_wanted = Signal()
    pressed = Signal()
    stepped = Signal(int)
    zoom_changed = Signal(float)
    looked = Signal(object)

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._image = QImage()
        self._natural = QSize()
        self._old = QImage()
        self._fade = 1.0
        self._zoom: float | None = None
        self._offset = QPointF()
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
        if natural != self._natural:
            self._natural = natural
            self._clamp()
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
    def zoom(self) -> float:
        """Device pixels for each picture pixel."""
        return self._zoom if self._zoom is not None else self._fit_zoom()

    @property
    def fitted(self) -> bool:
        return self._zoom is None

    def fit(self) -> None:
        self._zoom = None
        self._offset = QPointF()
        self._zoomed()

    def set_zoom(self, zoom: float, at: QPointF | None = None) -> None:
        """Zoom with the point ``at`` (of the widget) staying where it is."""
        if self._natural.isEmpty():
            return
        fit = self._fit_zoom()
        zoom = min(MAX_ZOOM, zoom)
        if zoom <= min(fit, 1.0) * 1.001:
            self.fit()
            return
        center = QRectF(self.rect()).center()
        at = at if at is not None else center
        old = self.zoom
        self._offset = (at - center) - (at - center - self._offset) * (zoom / old)
        self._zoom = zoom
        self._clamp()
        self._zoomed()

    def look(self) -> Look:
        if self._zoom is None:
            return Look(None)
        rect, middle = self.picture_rect(), QRectF(self.rect()).center()
        return Look(rect.width(), (middle.x() - rect.left()) / rect.width(), (middle.y() - rect.top()) / rect.height())

    def look_at(self, look: Look) -> None:
        """The same part of this picture, without ``looked``."""
        if look.width is None or self._natural.isEmpty():
            self._zoom, self._offset = None, QPointF()
        else:
            self._zoom = look.width * self.devicePixelRatioF() / self._natural.width()
            scale = self._zoom / self.devicePixelRatioF()
            self._offset = QPointF(
                (0.5 - look.x) * self._natural.width() * scale, (0.5 - look.y) * self._natural.height() * scale
            )
            self._clamp()
        self._zoomed()

    def picture_rect(self) -> QRectF:
        """Where the picture lies, in device-independent pixels; at 100 % and more on whole device pixels."""
        ratio = self.devicePixelRatioF()
        scale = self.zoom / ratio
        size = QPointF(self._natural.width() * scale, self._natural.height() * scale)
        corner = QRectF(self.rect()).center() + self._offset - size / 2
        corner = QPointF(round(corner.x() * ratio) / ratio, round(corner.y() * ratio) / ratio)
        return QRectF(corner, corner + size)

    def _fit_zoom(self) -> float:
        if self._natural.isEmpty():
            return 1.0
        width, height = max(1, self.width() - 2 * MARGIN), max(1, self.height() - 2 * MARGIN)
        scale = min(width / self._natural.width(), height / self._natural.height())
        return scale * self.devicePixelRatioF()

    def _clamp(self) -> None:
        """Keep the picture's edges at the widget's edges at least; a smaller picture stays in the middle."""
        scale = self.zoom / self.devicePixelRatioF()
        x = max(0.0, (self._natural.width() * scale - self.width()) / 2 + MARGIN)
        y = max(0.0, (self._natural.height() * scale - self.height()) / 2 + MARGIN)
        if self._natural.width() * scale <= self.width():
            x = 0.0
        if self._natural.height() * scale <= self.height():
            y = 0.0
        self._offset = QPointF(min(x, max(-x, self._offset.x())), min(y, max(-y, self._offset.y())))

    def _zoomed(self) -> None:
        self._scaled, self._scaling = QImage(), QSize()
        self.zoom_changed.emit(self.zoom)
        self.update()

    def _overflows(self) -> bool:
        rect = self.picture_rect()
        return rect.width() > self.width() + 1 or rect.height() > self.height() + 1

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
        if self.fitted:
            self._round_corners(painter, rect)
        elif self.zoom / self.devicePixelRatioF() >= GRID_FROM:
            self._draw_grid(painter, rect)
        if self._chip:
            self._draw_chip(painter, rect)

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

    def _draw_grid(self, painter: QPainter, rect: QRectF) -> None:
        """Lines between the picture's pixels, as far as they are in sight."""
        step = self.zoom / self.devicePixelRatioF()
        area = rect.intersected(QRectF(self.rect()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        color = QColor(self._theme.tokens.overlay)
        color.setAlphaF(0.28)
        painter.setPen(QPen(color, 0))
        columns = range(int((area.left() - rect.left()) / step), int((area.right() - rect.left()) / step) + 1)
        rows = range(int((area.top() - rect.top()) / step), int((area.bottom() - rect.top()) / step) + 1)
        lines = [QLineF(x, area.top(), x, area.bottom()) for x in (rect.left() + column * step for column in columns)]
        lines += [QLineF(area.left(), y, area.right(), y) for y in (rect.top() + row * step for row in rows)]
        painter.drawLines(lines)

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

    def _round_corners(self, painter: QPainter, rect: QRectF) -> None:
        """Canvas colour over the corners: far cheaper than clipping a scaled picture."""
        path = QPainterPath()
        path.addRect(rect.adjusted(-1, -1, 1, 1))
        path.addRoundedRect(rect, RADIUS, RADIUS)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(path, QColor(self._theme.tokens.canvas))

    def _draw_chip(self, painter: QPainter, rect: QRectF) -> None:
        font = self._theme.font(12, QFont.Weight.Medium)
        metrics = QFontMetricsF(font)
        area = rect.intersected(QRectF(self.rect()))
        width = metrics.horizontalAdvance(self._chip) + 22
        if area.width() < width + 24:  # beside a narrow picture the chip stands in the canvas' corner
            area = QRectF(self.rect())
        x = area.right() - width - 12 if self.isRightToLeft() else area.left() + 12
        chip = QRectF(x, area.bottom() - 38, width, 26)
        color = QColor(self._theme.tokens.overlay)
        color.setAlphaF(0.78)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawRoundedRect(chip, 5, 5)
        painter.setPen(QColor(self._theme.tokens.overlay_text))
        painter.setFont(font)
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, self._chip)

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
        self._clamp()
        self._zoomed()

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta().y()
        if delta and not self._image.isNull():
            self.zoom_by(1.2 ** (delta / 120), event.position())
            self.looked.emit(self.look())
            event.accept()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        zoom = self.zoom * factor
        if min(self.zoom, zoom) < 1.0 < max(self.zoom, zoom):
            zoom = 1.0  # never past 100 % without stopping there
        self.set_zoom(zoom, at)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        inside = not self._image.isNull() and self.picture_rect().contains(event.position())
        if event.button() == Qt.MouseButton.MiddleButton or (event.button() == Qt.MouseButton.LeftButton and inside):
            self._press = event.position().toPoint()
            self._panning = event.button() == Qt.MouseButton.MiddleButton or self._overflows()
            if self._panning:
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
            else:
                self.pressed.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._press is None:
            return
        point = event.position().toPoint()
        if self._panning:
            self._offset += QPointF(point - self._press)
            self._press = point
            self._clamp()
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
