"""What can be taken back: the last things that a person did, each with what undoes it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

MOST = 50
Undone = tuple[str, Callable[[], None]]
"""What was done, as the menu names it, and what takes it back."""


class UndoList(QObject):
    """Signals: ``changed`` when something was done or taken back; ``undone(object)`` what ``push`` gave, once it is
    taken back."""

    changed = Signal()
    undone = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: list[Undone] = []

    @property
    def last(self) -> Undone | None:
        """What ``undo`` takes back."""
        return self._entries[-1] if self._entries else None

    def push(self, what: str, back: Callable[[], None]) -> Undone:
        entry = (what, back)
        self._entries.append(entry)
        del self._entries[:-MOST]
        self.changed.emit()
        return entry

    def undo(self) -> None:
        if self._entries:
            self.take_back(self._entries[-1])

    def take_back(self, entry: Undone) -> None:
        """Once; nothing where that has been done already."""
        if any(other is entry for other in self._entries):
            self._entries = [other for other in self._entries if other is not entry]
            self.changed.emit()
            entry[1]()
            self.undone.emit(entry)
