"""What a person does with the items chosen in the gallery, or else with the one shown. Each is undone with Undo."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal

from engine.library.changes import LibraryChanged
from engine.library.filters import EVERYTHING, Filter
from engine.library.item import Item
from engine.library.marks import MAX_RATING, LabelKind, MarkChange, Marked
from engine.protocol.errors import LaternaError
from ui.actions import Actions
from ui.background import Background
from ui.messages import Message, of_error
from ui.session import Session


class ActionLibrary(Protocol):
    """What is used of ``engine.library.library.Library``; called from several threads."""

    def item(self, id: int) -> Item | None: ...
    def ids(self, text: str = "", filter: Filter = EVERYTHING) -> array[int]: ...
    def items(self, ids: Iterable[int]) -> list[Item]: ...
    def mark(self, ids: Iterable[int], change: MarkChange) -> Marked: ...
    def rename_label(self, kind: LabelKind, name: str, new: str) -> Marked: ...
    def remove_label(self, kind: LabelKind, name: str) -> Marked: ...
    def take_back(self, marked: Marked) -> LibraryChanged: ...
    def trash(self, ids: Iterable[int]) -> LibraryChanged: ...
    def restore(self, ids: Iterable[int]) -> LibraryChanged: ...
    def forget_deleted(self, ids: Iterable[int] | None = None) -> LibraryChanged: ...


class ItemActions(QObject):
    """``answers`` are the actions of ``ui.action_table`` that it carries out, by name.

    Signals: ``library_changed(LibraryChanged)`` after any of them.
    """

    library_changed = Signal(object)

    def __init__(self, session: Session, actions: Actions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._actions = actions
        self._background = Background(parent=self)
        self._selected: Callable[[], list[Item]] = lambda: []
        self._selected_ids: Callable[[], list[int]] = lambda: []
        self.library: ActionLibrary | None = None
        self.answers: dict[str, Callable[[], object]] = {
            f"rate_{stars}": partial(self.rate, stars) for stars in range(MAX_RATING + 1)
        } | {
            "toggle_favourite": self.toggle_favourite,
            "delete": lambda: self.delete(self.ids()),
            "put_back": lambda: self.put_back(self.ids()),
        }

    def attach_selection(self, selected: Callable[[], list[Item]], selected_ids: Callable[[], list[int]]) -> None:
        """``selected`` gives the first of the items that are chosen in the gallery, ``selected_ids`` all of them."""
        self._selected, self._selected_ids = selected, selected_ids

    def close(self) -> None:
        self._background.close()

    # --- what is worked on

    def items(self) -> list[Item]:
        """What is chosen, or else what is shown."""
        shown = self._session.item
        return self._selected() or ([shown] if shown is not None else [])

    def ids(self) -> list[int]:
        shown = self._session.item
        return self._selected_ids() or ([shown.id] if shown is not None else [])

    # --- marks

    def rate(self, stars: int) -> None:
        self.mark(self.ids(), MarkChange(rating=stars), self.tr("rating"))

    def toggle_favourite(self) -> None:
        wanted = not all(item.favourite for item in self.items())
        self.mark(self.ids(), MarkChange(favourite=wanted), self.tr("favourite"))

    def toggle_favourite_of(self, id: int) -> None:
        """The star over the view: that of the item shown."""
        item = self._session.item
        if item is not None and item.id == id:
            self.mark([id], MarkChange(favourite=not item.favourite), self.tr("favourite"))

    def mark(self, ids: list[int], change: MarkChange, what: str) -> None:
        """Say something about items: favourite, rating, tags, albums. Undo, named ``what``, takes it back."""
        library = self.library
        if ids and library is not None:
            self.change_marks(lambda: library.mark(ids, change), what)

    def change_marks(self, work: Callable[[], Marked], what: str, said: str = "") -> None:
        """Carry out ``work`` on a thread; ``said``, where given, is told with an Undo."""
        library = self.library
        if library is None:
            return

        def done(marked: Marked) -> None:
            self.library_changed.emit(marked.change)
            if not marked.is_any:
                return

            def back() -> None:
                self._run(lambda: library.take_back(marked), self.library_changed.emit)

            if said:
                self._actions.offer_undo(said, what, back)
            else:
                self._actions.push_undo(what, back)

        self._run(work, done)

    # --- the trash

    def delete(self, ids: list[int]) -> None:
        """Move to the trash; the message has an Undo."""
        library = self.library
        if not ids or library is None:
            return

        def done(change: LibraryChanged) -> None:
            self.library_changed.emit(change)
            count = len(change.removed)
            if not count:
                return
            text = (
                self.tr("Moved to the trash.")
                if count == 1
                else self.tr("{count} files moved to the trash.").format(count=count)
            )
            back = partial(self._run, lambda: library.restore(change.removed), self.library_changed.emit)
            self._actions.offer_undo(text, self.tr("delete"), back)

        self._run(lambda: library.trash(ids), done)

    def put_back(self, ids: list[int]) -> None:
        """Out of the trash, to where each was."""
        library = self.library
        if not ids or library is None:
            return

        def done(change: LibraryChanged) -> None:
            self.library_changed.emit(change)
            count = len(change.added)
            text = self.tr("Put back.") if count == 1 else self.tr("{count} files put back.").format(count=count)
            if count < len(ids):
                lost = self.tr("{count} are not in the trash any more.").format(count=len(ids) - count)
                text = f"{text} {lost}"
            back = partial(self._run, lambda: library.trash(change.added), self.library_changed.emit)
            self._actions.offer_undo(text, self.tr("putting back"), back)

        self._run(lambda: library.restore(ids), done)

    def forget_deleted(self) -> None:
        """Off the list of what was deleted, where the trash was emptied."""
        library = self.library
        if library is None:
            return

        def done(change: LibraryChanged) -> None:
            self.library_changed.emit(change)
            count = len(change.removed)
            text = self.tr("{count} are off the list.").format(count=count)
            if count == 1:
                text = self.tr("One is off the list.")
            elif not count:
                text = self.tr("All of it is still in the trash: nothing is off the list.")
            self._actions.said.emit(Message(text, topic="action"))

        self._run(library.forget_deleted, done)

    # --- inner

    def _run(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        self._background.run(work, done, self._failed)

    def _failed(self, error: LaternaError) -> None:
        self._actions.said.emit(of_error(error.info()))
