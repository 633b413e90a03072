"""What is chosen in the gallery's grid: kept while rows come and go, and told when the person chooses."""

from __future__ import annotations

from array import array
from collections.abc import Callable

from PySide6.QtCore import QItemSelectionModel, QObject, Qt, Signal

from engine.library.item import Item
from ui.library.captions import spoken
from ui.library.grid import GridView
from ui.library.model import LibraryModel


class Chosen(QObject):
    """Signals: ``item_selected(Item | None)`` the current item, also after it changed; None when nothing is chosen;
    ``running_selected(str)`` the tile of the running job was chosen."""

    item_selected = Signal(object)
    running_selected = Signal(str)

    def __init__(self, grid: GridView, model: LibraryModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._grid = grid
        self._model = model
        self._pending: int | None = None
        self._applying = False
        self._told: int | str | None = None
        grid.selectionModel().currentChanged.connect(self._current_changed)

    # what is chosen

    def item(self) -> Item | None:
        """The current one."""
        return self._model.item(self._grid.currentIndex().row())

    def id(self) -> int | None:
        return self._model.id_at(self._grid.currentIndex().row())

    def ids(self) -> list[int]:
        """All selected items, in the order shown."""
        found: list[int] = []
        offset, ids = self._model.offset, self._model.ids
        for span in sorted(self._grid.selectionModel().selection(), key=lambda span: span.top()):
            found.extend(ids[max(0, span.top() - offset) : max(0, span.bottom() + 1 - offset)])
        return found

    def items(self, limit: int) -> list[Item]:
        rows = self._model.rows_of(self.ids()[:limit])
        return [item for item in map(self._model.item, rows) if item is not None]

    # choosing

    def choose(self, item_id: int) -> None:
        """Make an item the current one and show it; one that is not in the gallery yet follows when it comes."""
        row = self._model.row_of(item_id)
        if row < 0:
            self._pending = item_id
            return
        self._pending = None
        self.choose_row(row)

    def choose_row(self, row: int) -> None:
        index = self._model.index(row)
        self._grid.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self._grid.scrollTo(index)
        self.tell()

    def step(self, delta: int) -> None:
        """Go ``delta`` items on."""
        last = self._model.rowCount() - 1
        current = self._grid.currentIndex().row()
        row = max(self._model.offset, min(last, current + delta)) if current >= 0 else self._model.offset
        if 0 <= row <= last:
            self.choose_row(row)

    # rows that come and go

    def show_ids(self, ids: array[int], meanwhile: Callable[[], None], *, same_query: bool) -> None:
        """Show other ids with what is chosen as it was, as far as it is still shown; what ``meanwhile`` does to the
        rows is no choice either.

        After a search that dropped the current item, none is current; where the same question has another answer, its
        neighbour is.
        """
        before, selected = self.id(), self.ids()
        self._applying = True
        self._model.set_ids(ids)
        meanwhile()
        self._restore(selected, before, keep_neighbour=same_query)
        self._applying = False

    def after_show(self, *, same_query: bool) -> None:
        """What was to be chosen once it is there is chosen; otherwise what is current now is told."""
        if self._pending is not None and (row := self._model.row_of(self._pending)) >= 0:
            self._pending = None
            self.choose_row(row)
        elif same_query and self._pending is None:
            self.tell()

    def _restore(self, selected: list[int], current: int | None, *, keep_neighbour: bool) -> None:
        model, chosen = self._model, self._grid.selectionModel()
        if selected and len(self.ids()) != len(selected):
            for row in model.rows_of(selected):
                chosen.select(model.index(row), QItemSelectionModel.SelectionFlag.Select)
        if current is None or model.id_at(self._grid.currentIndex().row()) == current:
            return
        row = model.row_of(current)
        if row >= 0:
            chosen.setCurrentIndex(model.index(row), QItemSelectionModel.SelectionFlag.Select)
        elif keep_neighbour and self._grid.currentIndex().isValid():
            if not chosen.hasSelection():
                chosen.select(self._grid.currentIndex(), QItemSelectionModel.SelectionFlag.Select)
        else:
            chosen.clearCurrentIndex()

    # telling

    def item_changed(self) -> None:
        """The current item is another than it was: told again."""
        self.item_selected.emit(self.item())

    def _current_changed(self) -> None:
        if not self._applying:
            self.tell()

    def tell(self) -> None:
        """Tell what is current, once: rows that come and go around it are no choice of the person."""
        current = self._grid.currentIndex()
        tile = self._model.running
        if tile is not None and current.row() == 0:
            if self._told != tile.job:
                self._told = tile.job
                self._grid.setAccessibleName(current.data(Qt.ItemDataRole.AccessibleTextRole))
                self.running_selected.emit(tile.job)
            return
        item = self.item()
        told = item.id if item is not None else None
        if told == self._told:
            return
        self._told = told
        name = self.tr("Pictures and clips")
        self._grid.setAccessibleName(f"{name}: {spoken(item)}" if item is not None else name)
        self.item_selected.emit(item)
