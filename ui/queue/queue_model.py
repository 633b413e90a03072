"""The jobs that wait, in their order; rows can be moved."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from engine.jobs.job import Job
from ui.library.captions import recipe_title

JOB = Qt.ItemDataRole.UserRole + 1
_Index = QModelIndex | QPersistentModelIndex


def details(job: Job) -> str:
    """Model, size and length of a job in one line."""
    recipe = job.recipe
    parts = [recipe.model, f"{recipe.width} × {recipe.height}"]
    if recipe.frames > 1 and recipe.fps:
        parts.append(f"{recipe.frames / recipe.fps:.1f} s")
    if recipe.batch > 1:
        parts.append(f"× {recipe.batch}")
    return "  ·  ".join(parts)


class QueueModel(QAbstractListModel):
    """Signals: ``moved(str, int)`` a job and its new place among those that wait (0 runs next)."""

    moved = Signal(str, int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: list[Job] = []

    @property
    def jobs(self) -> list[Job]:
        return list(self._jobs)

    def set_jobs(self, jobs: list[Job]) -> None:
        """Show ``jobs``; the common cases (one left the front, some came at the end) keep selection and place."""
        old, new = [job.id for job in self._jobs], [job.id for job in jobs]
        if old == new:
            self._jobs = jobs
            if jobs:
                self.dataChanged.emit(self.index(0), self.index(len(jobs) - 1))
            return
        kept = [id for id in old if id in set(new)]
        if kept != new[: len(kept)]:
            self.beginResetModel()
            self._jobs = jobs
            self.endResetModel()
            return
        for row in range(len(old) - 1, -1, -1):
            if old[row] not in kept:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self._jobs[row]
                self.endRemoveRows()
        if len(new) > len(kept):
            self.beginInsertRows(QModelIndex(), len(kept), len(new) - 1)
            self._jobs = jobs
            self.endInsertRows()

    def job(self, row: int) -> Job | None:
        return self._jobs[row] if 0 <= row < len(self._jobs) else None

    def rowCount(self, parent: _Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._jobs)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        job = self.job(index.row()) if index.isValid() else None
        if job is None:
            return None
        if role == JOB:
            return job
        if role == Qt.ItemDataRole.DisplayRole:
            return recipe_title(job.recipe)
        if role == Qt.ItemDataRole.ToolTipRole:
            return job.recipe.prompt[:600]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            place = self.tr("{0} of {1} waiting").format(index.row() + 1, len(self._jobs))
            return f"{recipe_title(job.recipe)}, {details(job)}, {place}"
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        plain = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        return plain | Qt.ItemFlag.ItemIsDragEnabled

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def moveRows(self, source: _Index, row: int, count: int, target: _Index, before: int) -> bool:
        """Move ``count`` rows from ``row`` to before the row ``before``; a dropped row arrives here."""
        last = row + count
        if source.isValid() or target.isValid() or count < 1 or row < 0 or last > len(self._jobs):
            return False
        if not 0 <= before <= len(self._jobs) or not self.beginMoveRows(source, row, last - 1, target, before):
            return False
        moving = self._jobs[row:last]
        del self._jobs[row:last]
        place = before if before <= row else before - count
        self._jobs[place:place] = moving
        self.endMoveRows()
        for offset, job in enumerate(moving):
            self.moved.emit(job.id, place + offset)
        return True

    def move(self, row: int, delta: int) -> int:
        """Move one row up (−1) or down (1); returns where it is now."""
        target = row + delta
        if 0 <= target < len(self._jobs):
            nowhere = QModelIndex()
            self.moveRows(nowhere, row, 1, nowhere, target if delta < 0 else target + 1)
            return target
        return row
