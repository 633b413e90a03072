"""``GridView``: a grid of fixed cells over any number of rows.

QListView in icon mode lays every row out and stalls from some ten thousand on; here a row's place is arithmetic
(``GridGeometry``), so only what is visible costs anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QEasingCurve,
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QPointF,
    QRect,
    Qt,
    QVariantAnimation,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QRegion,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyleOptionViewItem, QWidget

from ui.library.geometry import LINE_GAP, MARGIN, GridGeometry
from ui.theme import Theme

SCROLL_MS = 130
_Index = QModelIndex | QPersistentModelIndex
_Move = QAbstractItemView.CursorAction


class GridView(QAbstractItemView):
    """Tiles in columns that follow the width; keeps the place when columns change or rows arrive above.

    Signals: ``copy_pressed()``, ``delete_pressed()``; ``drag_wanted()`` when the selection is dragged;
    ``visible_rows_changed(first, last)`` when other rows, or the same at another size, are on the screen;
    ``hovered(row)`` when another tile, or the same with another content, is under the pointer; −1 for none.
    """

    copy_pressed = Signal()
    delete_pressed = Signal()
    drag_wanted = Signal()
    visible_rows_changed = Signal(int, int)
    hovered = Signal(int)

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._geometry = GridGeometry(320, 0)
        self._anchor = QPersistentModelIndex()
        self._anchor_offset = 0
        self._holding = False
        self._band: QRect | None = None
        self._pointer: QPoint | None = None
        self._under = -1
        self._shown: tuple[int, int, int, float] | None = None
        self._target = 0
        self._animation = QVariantAnimation(self, duration=SCROLL_MS)
        self._animation.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._animation.valueChanged.connect(lambda value: self.verticalScrollBar().setValue(int(value)))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setFrameShape(QAbstractItemView.Shape.NoFrame)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setAttribute(Qt.WidgetAttribute.WA_MacShowFocusRect, False)
        self.viewport().setAutoFillBackground(False)
        self.viewport().setMouseTracking(True)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        theme.changed.connect(self.viewport().update)

    # geometry

    @property
    def grid(self) -> GridGeometry:
        return self._geometry

    def updateGeometries(self) -> None:
        """Lay out for the present width and row count, and put the anchor back where it was on the screen."""
        model = self.model()
        count = model.rowCount() if model is not None else 0
        self._geometry = GridGeometry(self.viewport().width(), count, self.isRightToLeft())
        bar = self.verticalScrollBar()
        height = self.viewport().height()
        self._holding = True
        bar.setRange(0, max(0, self._geometry.height - height))
        bar.setPageStep(height)
        bar.setSingleStep(max(20, self._geometry.pitch // 4))
        if self._anchor.isValid():
            self._animation.stop()
            bar.setValue(self._geometry.line_top(self._anchor.row()) - self._anchor_offset)
        self._holding = False
        super().updateGeometries()
        self._look_under()
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.updateGeometries()

    def rowsInserted(self, parent: _Index, start: int, end: int) -> None:
        super().rowsInserted(parent, start, end)
        self._rows_moved()

    def setModel(self, model: object) -> None:
        super().setModel(model)  # type: ignore[arg-type]
        model.rowsRemoved.connect(self._rows_moved)  # type: ignore[attr-defined]
        self._rows_moved()

    def reset(self) -> None:
        self._anchor = QPersistentModelIndex()
        super().reset()
        self._rows_moved()

    def dataChanged(self, first: _Index, last: _Index, roles: Sequence[int] = ()) -> None:
        super().dataChanged(first, last, roles)
        if first.row() <= self._under <= last.row():
            self.hovered.emit(self._under)

    def _rows_moved(self, *_ignored: object) -> None:
        self._shown = None
        self._under = -1
        self.updateGeometries()

    def _scrolled(self, value: int) -> None:
        """The person scrolled: what is at the top now is what stays there. At the very top, new rows show."""
        if self._holding:
            return
        self._look_under()
        row = self._first_row(value) if value > 0 else -1
        if row < 0:
            self._anchor = QPersistentModelIndex()
            return
        self._anchor = QPersistentModelIndex(self.model().index(row, 0))
        self._anchor_offset = self._geometry.line_top(row) - value

    def _first_row(self, value: int) -> int:
        rows = self._geometry.rows_between(value + LINE_GAP, value + self.viewport().height())
        return rows.start if rows else -1

    def scroll_to_top(self) -> None:
        self._animation.stop()
        self._anchor = QPersistentModelIndex()
        self.verticalScrollBar().setValue(0)

    def visible_rows(self) -> range:
        top = self.verticalOffset()
        return self._geometry.rows_between(top, top + self.viewport().height() - 1)

    def tile_rect(self, row: int) -> QRect:
        """Picture and caption of ``row`` in viewport coordinates."""
        cell = self._geometry.cell(row)
        return QRect(cell.x, cell.y - self.verticalOffset(), cell.width, cell.height)

    # what QAbstractItemView asks

    def visualRect(self, index: _Index) -> QRect:
        return self.tile_rect(index.row()) if index.isValid() else QRect()

    def indexAt(self, point: QPoint) -> QModelIndex:
        row = self._geometry.row_at(point.x(), point.y() + self.verticalOffset())
        return self.model().index(row, 0) if row >= 0 else QModelIndex()

    def horizontalOffset(self) -> int:
        return 0

    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    def isIndexHidden(self, index: _Index) -> bool:
        return False

    def scrollTo(
        self, index: _Index, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        if not index.isValid():
            return
        cell = self._geometry.cell(index.row())
        bar = self.verticalScrollBar()
        height = self.viewport().height()
        top, bottom = cell.y - MARGIN // 2, cell.y + cell.height + MARGIN // 2
        hints = QAbstractItemView.ScrollHint
        if hint == hints.PositionAtCenter:
            value = (top + bottom - height) // 2
        elif hint == hints.PositionAtTop or top < bar.value():
            value = top
        elif hint == hints.PositionAtBottom or bottom > bar.value() + height:
            value = bottom - height
        else:
            return
        self._animation.stop()
        bar.setValue(value)

    def setSelection(self, rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        """A rubber band takes every tile it touches; a shift range takes all rows between its two ends."""
        selection = QItemSelection()
        model = self.model()
        if self.state() == QAbstractItemView.State.DragSelectingState:
            top = self.verticalOffset()
            self._band = rect
            box = rect.normalized()
            for run in self._geometry.rows_in(box.left(), box.top() + top, box.right(), box.bottom() + top):
                selection.select(model.index(run.start, 0), model.index(run.stop - 1, 0))
        else:
            ends = [self.indexAt(QPoint(rect.left(), rect.top())), self.indexAt(QPoint(rect.right(), rect.bottom()))]
            if all(end.isValid() for end in ends):
                first, last = sorted(end.row() for end in ends)
                selection.select(model.index(first, 0), model.index(last, 0))
        self.selectionModel().select(selection, command)

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        """Only visible tiles count, so 100,000 selected rows cost no more than a screenful."""
        region = QRegion()
        for row in self.visible_rows():
            if selection.contains(self.model().index(row, 0)):
                region += self.tile_rect(row).adjusted(-5, -5, 5, 5)
        return region

    def moveCursor(self, action: _Move, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        count = self._geometry.count
        if not count:
            return QModelIndex()
        current = self.currentIndex().row()
        if current < 0:
            return self.model().index(max(0, self._first_row(self.verticalOffset())), 0)
        columns = self._geometry.columns
        page = max(1, self.viewport().height() // self._geometry.pitch) * columns
        forward = -1 if self.isRightToLeft() else 1
        steps = {
            _Move.MoveLeft: -forward,
            _Move.MoveRight: forward,
            _Move.MovePrevious: -1,
            _Move.MoveNext: 1,
            _Move.MoveUp: -columns,
            _Move.MoveDown: columns,
            _Move.MovePageUp: -page,
            _Move.MovePageDown: page,
        }
        if action in (_Move.MoveHome, _Move.MoveEnd):
            row = 0 if action == _Move.MoveHome else count - 1
        else:
            row = self._stay_in_column(current, current + steps[action])
        return self.model().index(row, 0)

    def _stay_in_column(self, current: int, row: int) -> int:
        """``row``, or the nearest row of the same column that exists; a last line may be short."""
        count, columns = self._geometry.count, self._geometry.columns
        if 0 <= row < count:
            return row
        if abs(row - current) < columns:
            return current
        if row < 0:
            return current % columns
        last_line = (count - 1) // columns
        return min(count - 1, last_line * columns + current % columns) if current // columns < last_line else current

    def keyboardSearch(self, search: str) -> None:
        """Typing belongs to the search field; looking through every row would load the whole library."""

    # events

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_pressed.emit()
        elif event.matches(QKeySequence.StandardKey.Delete) or event.key() == Qt.Key.Key_Backspace:
            self.delete_pressed.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.activated.emit(self.currentIndex())
        elif event.matches(QKeySequence.StandardKey.Cancel) and self.selectionModel().hasSelection():
            self.clearSelection()
        elif event.text().isdigit() and not event.modifiers():
            event.ignore()  # a rating, which the window knows
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if self._band is not None:
            self._band = None
            self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._pointer = None if event.buttons() else event.position().toPoint()
        self._look_under()
        if self.state() == QAbstractItemView.State.DragSelectingState:
            self.viewport().update()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._pointer = None
            self._look_under()
        return super().viewportEvent(event)

    def _look_under(self) -> None:
        row = self.indexAt(self._pointer).row() if self._pointer is not None else -1
        if row != self._under:
            self._under = row
            self.hovered.emit(row)

    def startDrag(self, supported: Qt.DropAction) -> None:
        self.drag_wanted.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """A wheel's notch glides; a touchpad already sends pixels."""
        if event.modifiers() != Qt.KeyboardModifier.NoModifier or not event.pixelDelta().isNull():
            self._animation.stop()
            super().wheelEvent(event)
            return
        bar = self.verticalScrollBar()
        running = self._animation.state() == QVariantAnimation.State.Running
        start = self._target if running else bar.value()
        self._target = max(0, min(bar.maximum(), start - round(event.angleDelta().y() / 120 * self._geometry.pitch)))
        self._animation.stop()
        self._animation.setStartValue(bar.value())
        self._animation.setEndValue(self._target)
        self._animation.start()
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        rows = self.visible_rows()
        shown = (rows.start, rows.stop, self._geometry.tile_width, self.devicePixelRatioF())
        if shown != self._shown:
            self._shown = shown
            self.visible_rows_changed.emit(rows.start, rows.stop - 1)
        painter = QPainter(self.viewport())
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        model, selection = self.model(), self.selectionModel()
        current = self.currentIndex().row() if self.hasFocus() else -1
        flags = QStyle.StateFlag
        plain = option.state & ~(flags.State_Selected | flags.State_HasFocus)
        area = event.rect()
        for row in rows:
            rect = self.tile_rect(row)
            if not rect.adjusted(-5, -5, 5, 5).intersects(area):
                continue
            index = model.index(row, 0)
            option.rect = rect
            option.state = plain
            if selection.isSelected(index):
                option.state |= flags.State_Selected
            if row == current:
                option.state |= flags.State_HasFocus
            self.itemDelegate().paint(painter, option, index)
        if self._band is not None:
            self._paint_band(painter, self._band.normalized())

    def _paint_band(self, painter: QPainter, band: QRect) -> None:
        fill = QColor(self._theme.tokens.accent)
        painter.setPen(QPen(fill, 1))
        fill.setAlphaF(0.14)
        painter.setBrush(fill)
        painter.drawRoundedRect(band.translated(0, 0).toRectF().translated(QPointF(0.5, 0.5)), 3, 3)
