"""The queue's list: chosen rows are moved, paused, edited and removed by keys, by dragging and by its menu."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QDropEvent, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from engine.jobs.job import Job
from ui.queue.queue_model import QueueModel
from ui.queue.queue_rows import QueueRow

Key = Qt.Key


class QueueList(QListView):
    """Signals: ``pressed_key(str)`` one of ``remove``, ``toggle_pause``, ``edit``, ``duplicate``."""

    pressed_key = Signal(str)

    _KEYS = {
        Key.Key_Delete: "remove",
        Key.Key_Backspace: "remove",
        Key.Key_P: "toggle_pause",
        Key.Key_E: "edit",
        Key.Key_F2: "edit",
        Key.Key_D: "duplicate",
    }

    def __init__(self, model: QueueModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.setModel(model)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)

    # --- what is chosen

    def chosen_rows(self) -> list[QueueRow]:
        numbers = sorted(index.row() for index in self.selectionModel().selectedIndexes())
        return [row for number in numbers if (row := self._model.row(number)) is not None]

    def chosen(self) -> list[Job]:
        """The jobs of the chosen rows, those of groups included, each once."""
        return list({job.id: job for row in self.chosen_rows() for job in row.jobs}.values())

    def choose(self, keys: list[str]) -> None:
        """Choose the rows with these keys again, after their places have changed."""
        numbers = self._model.find(keys)
        chosen = {index.row() for index in self.selectionModel().selectedIndexes()}
        if not numbers or chosen == set(numbers):
            return
        self.clearSelection()
        self.setCurrentIndex(self._model.index(numbers[0]))
        for number in numbers[1:]:
            self.selectionModel().select(self._model.index(number), self.selectionModel().SelectionFlag.Select)

    # --- moving

    def move_chosen(self, delta: int) -> None:
        """Up (−1), down (1), or all the way: any other number."""
        rows = [row for row in self.chosen_rows() if not row.is_stopped]
        if not rows:
            return
        numbers = self._model.find(row.key for row in rows)
        if delta == -1:
            before = self._model.place_at(max(0, numbers[0] - 1))
        elif delta == 1:
            before = self._model.place_at(self._behind(self._behind(numbers[-1])))
        else:
            before = 0 if delta < 0 else len(self._model.jobs)
        self._move(rows, before)

    def drop_at(self, point: QPoint) -> None:
        """Move the chosen rows to where they were let go: above or below the row under ``point``, or to the end."""
        index = self.indexAt(point)
        below = index.isValid() and point.y() > self.visualRect(index).center().y()
        before = self._model.place_at(self._behind(index.row()) if below else index.row() if index.isValid() else -1)
        self._move([row for row in self.chosen_rows() if not row.is_stopped], before)

    def _behind(self, number: int) -> int:
        """The row after one, over the rows of an open group."""
        row = self._model.row(number)
        return number + 1 + (len(row.jobs) if row is not None and row.is_group and row.is_open else 0)

    def _move(self, rows: list[QueueRow], before: int) -> None:
        keys = [row.key for row in rows]
        self._model.move([id for row in rows for id in row.ids], before)
        self.choose(keys)

    def dropEvent(self, event: QDropEvent) -> None:
        if event.source() is self:
            self.drop_at(event.position().toPoint())
            event.accept()
        else:
            event.ignore()
        self.setState(QListView.State.NoState)
        self.viewport().update()

    # --- keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, modifiers = Key(event.key()), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        moves = {Key.Key_Up: -1, Key.Key_Down: 1, Key.Key_Home: -2, Key.Key_End: 2}
        row = self._model.row(self.currentIndex().row())
        if modifiers == Qt.KeyboardModifier.AltModifier and key in moves:
            self.move_chosen(moves[key])
        elif not modifiers and row is not None and row.is_group and key in (Key.Key_Left, Key.Key_Right):
            self.toggle(self.currentIndex().row(), key == Key.Key_Right)
        elif not modifiers and row is not None and row.is_group and key in (Key.Key_Return, Key.Key_Space):
            self.toggle(self.currentIndex().row())
        elif not modifiers and key in self._KEYS:
            self.pressed_key.emit(self._KEYS[key])
        else:
            super().keyPressEvent(event)

    def toggle(self, number: int, is_open: bool | None = None) -> None:
        row = self._model.row(number)
        if row is not None:
            self._model.toggle(number, is_open)
            self.choose([row.key])
