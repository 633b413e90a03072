"""The jobs that wait or are paused, in their order, then those that were stopped and can go on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from engine.jobs.job import Job
from ui.queue.queue_rows import QueueRow, make_rows, subtitle, title

ROW = Qt.ItemDataRole.UserRole + 1
_Index = QModelIndex | QPersistentModelIndex


class QueueModel(QAbstractListModel):
    """Signals: ``moved(list, int)`` jobs and their new place in the line (0 runs next)."""

    moved = Signal(list, int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._line: tuple[Job, ...] = ()
        self._stopped: tuple[Job, ...] = ()
        self._open: set[str] = set()
        self._rows: list[QueueRow] = []

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Those that wait or are paused."""
        return self._line

    @property
    def stopped(self) -> tuple[Job, ...]:
        return self._stopped

    def set_jobs(self, line: Sequence[Job], stopped: Sequence[Job] = ()) -> None:
        self._line, self._stopped = tuple(line), tuple(stopped)
        self._show()

    def row(self, number: int) -> QueueRow | None:
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def find(self, keys: Iterable[str]) -> list[int]:
        """The rows with these keys."""
        wanted = set(keys)
        return [number for number, row in enumerate(self._rows) if row.key in wanted] if wanted else []

    def toggle(self, number: int, is_open: bool | None = None) -> None:
        """Open or close a group."""
        row = self.row(number)
        if row is not None and row.is_group and is_open is not row.is_open:
            self._open ^= {row.key}
            self._show()

    def move(self, ids: Sequence[str], before: int) -> None:
        """Move jobs before the one at place ``before`` of the line, and tell where they are now."""
        wanted = set(ids)
        moving = [job for job in self._line if job.id in wanted]
        place = sum(job.id not in wanted for job in self._line[: max(0, before)])
        others = [job for job in self._line if job.id not in wanted]
        line = (*others[:place], *moving, *others[place:])
        if moving and line != self._line:
            self._line = line
            self._show()
            self.moved.emit([job.id for job in moving], place)

    def place_at(self, number: int) -> int:
        """The place in the line that the ``number``-th row stands for; behind the last row it is the end."""
        row = self.row(number)
        return row.place if row is not None and not row.is_stopped else len(self._line)

    # Qt's side

    def rowCount(self, parent: _Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row(index.row()) if index.isValid() else None
        if row is None:
            return None
        if role == ROW:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return title(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.job.recipe.prompt[:600]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            parts = [title(row), subtitle(row)]
            if not row.is_stopped:
                parts.append(self.tr("{0} of {1} waiting").format(row.place + 1, len(self._line)))
            if row.is_group:
                parts.append(self.tr("open") if row.is_open else self.tr("closed"))
            return ", ".join(parts)
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        row = self._rows[index.row()]
        return flags if row.is_stopped else flags | Qt.ItemFlag.ItemIsDragEnabled

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    # Inner

    def _show(self) -> None:
        """Replace what lies between the first and the last row that differ: the others keep selection and place."""
        old, new = self._rows, make_rows(self._line, self._stopped, self._open)
        start = 0
        while start < min(len(old), len(new)) and old[start].key == new[start].key:
            start += 1
        end = 0
        while end < min(len(old), len(new)) - start and old[-1 - end].key == new[-1 - end].key:
            end += 1
        if len(old) - end > start:
            self.beginRemoveRows(QModelIndex(), start, len(old) - end - 1)
            self._rows = old[:start] + old[len(old) - end :]
            self.endRemoveRows()
        if len(new) - end > start:
            self.beginInsertRows(QModelIndex(), start, len(new) - end - 1)
            self._rows = new
            self.endInsertRows()
        self._rows = new
        if new:
            self.dataChanged.emit(self.index(0), self.index(len(new) - 1))
