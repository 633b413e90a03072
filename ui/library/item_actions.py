"""What a person says about the items chosen in the gallery: rating, tags, albums. Each is undone with Undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from engine.library.changes import LibraryChanged
from engine.library.marks import MAX_RATING, LabelKind, MarkChange, Marked

if TYPE_CHECKING:
    from ui.main_window import MainWindow


class ItemActions(QObject):
    """``answers`` are the actions of ``ui.action_table`` that it carries out, by name."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.answers: dict[str, Callable[[], object]] = {
            f"rate_{stars}": partial(self.rate, stars) for stars in range(MAX_RATING + 1)
        } | {"edit_tags": partial(self.edit, "tag"), "edit_albums": partial(self.edit, "album")}

    def rate(self, stars: int) -> None:
        self._window.actions_.mark(self._ids(), MarkChange(rating=stars), self.tr("rating"))

    def edit(self, kind: LabelKind, ids: Sequence[int] = ()) -> None:
        """The dialog for tags or albums of ``ids``, or else of what is chosen."""
        from ui.library.label_dialog import LabelDialog

        gallery = self._window.gallery
        chosen = list(ids) or self._ids()
        if gallery is None or not chosen:
            return
        facets = gallery.filters.facets
        names = [name for name, _count in (facets.tags if kind == "tag" else facets.albums)]
        dialog = LabelDialog(kind, names, self._window.actions_.items(), len(chosen), self._window)
        what = self.tr("tags") if kind == "tag" else self.tr("albums")
        dialog.changed.connect(lambda change: self._window.actions_.mark(chosen, change, what))
        dialog.open()

    def add_to_album(self, ids: list[int], album: str) -> None:
        """What was dragged onto an album; "" asks for a new one's name."""
        if album:
            self._window.actions_.mark(ids, MarkChange(add_albums=(album,)), self.tr("albums"))
        else:
            self.edit("album", ids)

    def remove_album(self, name: str) -> None:
        """Let go of an album; what is in it stays. Undo brings it back."""
        actions = self._window.actions_
        library = actions.library
        if library is None:
            return

        def back() -> LibraryChanged:
            library.add_album(name)
            return library.mark_back(removed[0].undo)

        removed: list[Marked] = []

        def done(marked: Marked) -> None:
            removed.append(marked)
            actions.library_changed.emit(marked.change)
            text = self.tr("The album “{0}” is removed; its pictures and clips are still here.").format(name)
            actions.offer_undo(text, self.tr("the album"), lambda: self._run(back, actions.library_changed.emit))

        self._run(lambda: library.remove_album(name), done)

    def _run(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        self._window.background.run(work, done, self._window.failed)

    def _ids(self) -> list[int]:
        gallery, item = self._window.gallery, self._window.session.item
        chosen = gallery.selected_ids() if gallery is not None else []
        return chosen or ([item.id] if item is not None else [])
