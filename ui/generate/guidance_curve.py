"""Guidance over the steps as a curve: its points are dragged, or moved by the keyboard."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.protocol.conditioning import GuidancePoint, guidance_at
from engine.protocol.family_info import MAX_GUIDANCE_POINTS

HEIGHT = 112
MARGIN = 9
REACH = 12
RADIUS = 4.5
PLACE_STEP = 0.01
SCALE_STEP = 0.1
USUAL_TOP = 10.0
MOST_DOTS = 60


class GuidanceCurve(QWidget):
    """The first point is the guidance scale at the start; the others are a recipe's ``guidance_schedule``.

    Signals: ``start_dragged(scale)`` while the first point moves, ``edited`` after any other change by the person.
    """

    start_dragged = Signal(float)
    edited = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._start = 1.0
        self._points: tuple[GuidancePoint, ...] = ()
        self._steps = 20
        self._most = 30.0
        self._chosen = 0
        self._dragging = False
        self.setAccessibleName(name)
        self.setToolTip(
            self.tr(
                "Drag the points; a double click adds one, a right click takes it away.\n"
                "Keys: arrows move the chosen point, Page Up and Page Down choose another,"
                " Insert adds one, Delete takes it away."
            )
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_curve(self, start: float, points: tuple[GuidancePoint, ...], steps: int, most: float) -> None:
        """Show a recipe's guidance, without a signal. ``most`` is the largest scale that the family allows."""
        if (start, points, steps, most) == (self._start, self._points, self._steps, self._most):
            return
        self._start, self._points, self._steps, self._most = start, points, max(steps, 1), most
        self._chosen = min(self._chosen, len(points))
        self._tell()

    def set_points(self, points: tuple[GuidancePoint, ...]) -> None:
        """Other points for the same guidance and steps, without a signal."""
        self.set_curve(self._start, points, self._steps, self._most)

    def points(self) -> tuple[GuidancePoint, ...]:
        return self._points

    def start(self) -> float:
        return self._start

    def sizeHint(self) -> QSize:
        return QSize(120, HEIGHT)

    # --- points, of which number 0 is the start

    def _place(self, number: int) -> tuple[float, float]:
        if number == 0:
            return 0.0, self._start
        point = self._points[number - 1]
        return point.at, point.scale

    def _move(self, number: int, at: float, scale: float) -> None:
        """To the nearest allowed place; a point stays between its neighbours."""
        scale = min(max(round(scale / SCALE_STEP) * SCALE_STEP, 0.0), self._most)
        scale = round(scale, 6)
        if number == 0:
            if scale != self._start:
                self._start = scale
                self._tell()
                self.start_dragged.emit(scale)
            return
        low = max(self._place(number - 1)[0], PLACE_STEP)
        high = self._place(number + 1)[0] if number < len(self._points) else 1.0
        at = min(max(round(at / PLACE_STEP) * PLACE_STEP, low), high)
        self._put(number, GuidancePoint(round(at, 6), scale))

    def _put(self, number: int, point: GuidancePoint) -> None:
        points = list(self._points)
        if points[number - 1] != point:
            points[number - 1] = point
            self._take(points)

    def add(self, at: float, scale: float | None = None) -> None:
        """A new point at a fraction of the steps, on the curve or at ``scale``, which becomes the chosen one."""
        at = round(min(max(at, PLACE_STEP), 1.0), 6)
        if len(self._points) >= MAX_GUIDANCE_POINTS:
            return
        if scale is None:
            scale = guidance_at(at, self._start, self._points)
        number = sum(point.at <= at for point in self._points)
        points = list(self._points)
        points.insert(number, GuidancePoint(at, round(min(max(scale, 0.0), self._most), 6)))
        self._chosen = number + 1
        self._take(points)

    def remove(self, number: int) -> None:
        """Take a point away; the start stays."""
        if number > 0:
            points = list(self._points)
            del points[number - 1]
            self._chosen = min(number, len(points))
            self._take(points)

    def _take(self, points: list[GuidancePoint]) -> None:
        self._points = tuple(points)
        self._tell()
        self.edited.emit()

    def _choose(self, number: int) -> None:
        self._chosen = min(max(number, 0), len(self._points))
        self._tell()

    def _tell(self) -> None:
        self.setAccessibleDescription(self._spoken())
        self.update()

    def _spoken(self) -> str:
        at, scale = self._place(self._chosen)
        return self.tr("Point {number} of {count}: {scale} at {at} of the steps").format(
            number=self._chosen + 1, count=len(self._points) + 1, scale=f"{scale:.4g}", at=f"{at:.0%}"
        )

    # --- mouse and keyboard

    def mousePressEvent(self, event: QMouseEvent) -> None:
        number = self._near(event.position())
        if number is None:
            return
        self._choose(number)
        if event.button() == Qt.MouseButton.LeftButton:
            self._dragging = True
        elif event.button() == Qt.MouseButton.RightButton:
            self.remove(number)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._near(event.position()) is None:
            at, scale = self._value(event.position())
            self.add(at, round(scale / SCALE_STEP) * SCALE_STEP)
            self._dragging = True

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragging:
            self._move(self._chosen, *self._value(event.position()))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        if self._dragging:
            self._dragging = False
            self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, coarse = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        at, scale = self._place(self._chosen)
        place, change = PLACE_STEP * (10 if coarse else 1), SCALE_STEP * (10 if coarse else 1)
        moves = {
            Qt.Key.Key_Left: (at - place, scale),
            Qt.Key.Key_Right: (at + place, scale),
            Qt.Key.Key_Up: (at, scale + change),
            Qt.Key.Key_Down: (at, scale - change),
        }
        if key in moves:
            self._move(self._chosen, *moves[Qt.Key(key)])
        elif key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            self._choose(self._chosen + (1 if key == Qt.Key.Key_PageDown else -1))
        elif key == Qt.Key.Key_Insert:
            behind = self._place(self._chosen + 1)[0] if self._chosen < len(self._points) else 1.0
            self.add((at + behind) / 2)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.remove(self._chosen)
        else:
            super().keyPressEvent(event)

    def _near(self, where: QPointF) -> int | None:
        """The point under the pointer; of several the one drawn last."""
        for number in range(len(self._points), -1, -1):
            spot = self._spot(*self._place(number))
            if math.hypot(spot.x() - where.x(), spot.y() - where.y()) <= REACH:
                return number
        return None

    # --- drawing

    def _top(self) -> float:
        highest = max(self._start, *(point.scale for point in self._points), USUAL_TOP)
        return min(math.ceil(highest / 5) * 5, max(self._most, 1.0)) if highest > USUAL_TOP else USUAL_TOP

    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)

    def _spot(self, at: float, scale: float) -> QPointF:
        area = self._area()
        return QPointF(area.left() + at * area.width(), area.bottom() - min(scale / self._top(), 1.0) * area.height())

    def _value(self, where: QPointF) -> tuple[float, float]:
        area = self._area()
        at = (where.x() - area.left()) / max(area.width(), 1.0)
        return min(max(at, 0.0), 1.0), max((area.bottom() - where.y()) / max(area.height(), 1.0), 0.0) * self._top()

    def paintEvent(self, _event: QPaintEvent) -> None:
        palette, role = self.palette(), QPalette.ColorRole
        accent, muted = palette.color(role.Highlight), palette.color(role.PlaceholderText)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(accent if self.hasFocus() else palette.color(role.Mid), 1))
        painter.setBrush(palette.color(role.Base))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        self._draw_lines(painter, muted)
        spots = [self._spot(*self._place(number)) for number in range(len(self._points) + 1)]
        spots.append(QPointF(self._area().right(), spots[-1].y()))
        painter.setPen(QPen(accent, 2))
        painter.drawPolyline(spots)
        if self._steps <= MOST_DOTS:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(muted)
            for step in range(self._steps):
                at = step / self._steps
                painter.drawEllipse(self._spot(at, guidance_at(at, self._start, self._points)), 1.5, 1.5)
        for number, spot in enumerate(spots[:-1]):
            chosen = number == self._chosen and (self.hasFocus() or self._dragging)
            painter.setPen(QPen(accent, 2))
            painter.setBrush(accent if chosen else palette.color(role.Base))
            painter.drawEllipse(spot, RADIUS + chosen, RADIUS + chosen)

    def _draw_lines(self, painter: QPainter, color: QColor) -> None:
        """Where guidance ends (1) and the highest value, with their numbers; the chosen point's value."""
        font = painter.font()
        font.setPixelSize(10)
        painter.setFont(font)
        area, top = self._area(), self._top()
        painter.setPen(QPen(color, 1, Qt.PenStyle.DotLine))
        line = self._spot(0, 1.0).y()
        painter.drawLine(QPointF(area.left(), line), QPointF(area.right(), line))
        painter.setPen(color)
        painter.drawText(QPointF(area.left() + 14, line - 3), "1")
        at, scale = self._place(self._chosen)
        text = f"{scale:.4g} · {at:.0%}" if self.hasFocus() or self._dragging else f"{top:g}"
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, text)
