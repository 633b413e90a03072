"""Tags and albums: put on what is chosen, renamed, put together, let go. Each is undone with Undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from engine.library.item import Item
from engine.library.marks import LabelKind, MarkChange
from ui.library.item_actions import ItemActions

if TYPE_CHECKING:
    from ui.library.filters import Filters


class LabelActions(QObject):
    """``answers`` are the actions of ``ui.action_table`` that it carries out, by name."""

    def __init__(self, items: ItemActions, parent: QWidget) -> None:
        """Dialogs open over ``parent``."""
        super().__init__(parent)
        self._items = items
        self._over = parent
        self._filters: Filters | None = None
        self.answers: dict[str, Callable[[], object]] = {
            "edit_tags": partial(self.edit, "tag"),
            "edit_albums": partial(self.edit, "album"),
        }

    def attach_filters(self, filters: Filters) -> None:
        """Those of the gallery: they know all tags and albums, and what is filtered by."""
        self._filters = filters

    def edit(self, kind: LabelKind, ids: Sequence[int] = ()) -> None:
        """The dialog for the tags or albums of ``ids``, or else of what is chosen."""
        chosen = list(ids) or self._items.ids()
        self._open(kind, chosen, self._items.items() if chosen else [])

    def manage(self, kind: LabelKind) -> None:
        """The same dialog for all there are, whatever is chosen."""
        self._open(kind, [], [])

    def _open(self, kind: LabelKind, chosen: list[int], shown: list[Item]) -> None:
        from ui.library.label_dialog import LabelDialog

        if self._filters is None:
            return
        facets = self._filters.facets
        names = [name for name, _count in (facets.tags if kind == "tag" else facets.albums)]
        dialog = LabelDialog(kind, names, shown, len(chosen), self._over)
        what = self.tr("tags") if kind == "tag" else self.tr("albums")
        dialog.changed.connect(lambda change: self._items.mark(chosen, change, what))
        dialog.renamed.connect(partial(self.rename, kind))
        dialog.removed.connect(partial(self.remove, kind))
        dialog.open()

    def add_to_album(self, ids: list[int], album: str) -> None:
        """What was dragged onto an album; "" asks for a new one's name."""
        if album:
            self._items.mark(ids, MarkChange(add_albums=(album,)), self.tr("albums"))
        else:
            self.edit("album", ids)

    def take_out_of_album(self, ids: list[int], album: str) -> None:
        self._items.mark(ids, MarkChange(remove_albums=(album,)), self.tr("albums"))

    def rename(self, kind: LabelKind, name: str, new: str) -> None:
        """Everywhere; what is filtered by it stays so under the new name."""
        library, filters = self._items.library, self._filters
        if library is None or filters is None:
            return
        what = self.tr("the tag's name") if kind == "tag" else self.tr("the album's name")
        said = self.tr("“{name}” is “{new}” now.").format(name=name, new=new)
        self._items.change_marks(lambda: library.rename_label(kind, name, new), what, said)
        filters.follow_label(kind, name, new)

    def remove(self, kind: LabelKind, name: str) -> None:
        """From everything that has it; that stays in the library."""
        library, filters = self._items.library, self._filters
        if library is None or filters is None:
            return
        if kind == "tag":
            what, said = self.tr("the tag"), self.tr("The tag “{0}” is removed from everything that had it.")
        else:
            what, said = self.tr("the album"), self.tr("The album “{0}” is removed; what was in it is still here.")
        self._items.change_marks(lambda: library.remove_label(kind, name), what, said.format(name))
        filters.follow_label(kind, name, "")
