"""``GalleryPanel``: search, filter, the grid of everything made, and the job that runs as its first tile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCursor, QKeyEvent, QPixmap
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QMenu, QStackedWidget, QVBoxLayout
from PySide6.QtWidgets import QWidget as _Widget

from engine.jobs.notices import JobEnded, JobProgressed, LibraryChanged, PreviewShown, QueueChanged
from engine.library.facets import Facets, Stacks
from engine.library.filters import Filter
from engine.library.item import Item
from ui.library.album_drop import AlbumDrop
from ui.library.captions import recipe_title, spoken
from ui.library.delegate import TileDelegate
from ui.library.drag import MAX_FILES, drag_pixmap, make_drag, run_drag
from ui.library.empty import EmptyState
from ui.library.filters import Filters
from ui.library.grid import GridView
from ui.library.hover import HoverPlayer
from ui.library.model import LibraryModel, RunningTile
from ui.library.previews import middle, split
from ui.library.query import LibrarySource, Query, QueryRunner
from ui.library.thumbnails import ThumbnailLoader
from ui.theme import Theme

DEBOUNCE_MS = 90
KINDS: tuple[dict[str, Any], ...] = ({}, {"kind": "image"}, {"kind": "video"}, {"favourite": True})


class ThumbnailSource(Protocol):
    """``engine.library.thumbnails.ThumbnailCache``; called from several threads."""

    def get(self, item: Item, side: int) -> Path | bytes | None: ...


class GalleryPanel(_Widget):
    """Signals:

    ``item_selected(Item | None)`` the current item, also after it changed; None when nothing is chosen
    ``running_selected(str)`` the tile of the running job was chosen
    ``item_activated(Item)`` Enter or double click
    ``delete_requested(list[int])``, ``recipe_requested(Item)``, ``copy_requested()``
    ``album_wanted(list[int], str)`` items were dragged onto an album; "" is a new one
    ``message(str)`` a sentence for the status bar
    """

    item_selected = Signal(object)
    running_selected = Signal(str)
    item_activated = Signal(object)
    delete_requested = Signal(object)
    recipe_requested = Signal(object)
    copy_requested = Signal()
    album_wanted = Signal(object, str)
    message = Signal(str)

    def __init__(
        self,
        library: LibrarySource,
        thumbnails: ThumbnailSource,
        *,
        theme: Theme,
        actions: Sequence[QAction] = (),
        parent: _Widget | None = None,
    ) -> None:
        """``actions`` make the context menu, above "Use this recipe" and "Delete"."""
        super().__init__(parent)
        self._theme = theme
        self._menu_actions = tuple(actions)
        self._titles: dict[str, str] = {}
        self._ended_job = ""
        self._pending: int | None = None
        self._applying = False
        self._told: int | str | None = None
        self._query = Query()
        self._loader = ThumbnailLoader(thumbnails.get, parent=self)
        self._hover = HoverPlayer(parent=self)
        self._runner = QueryRunner(library, self)
        self._model = LibraryModel(library, self)
        self._debounce = QTimer(self, singleShot=True, interval=DEBOUNCE_MS)
        self._build()
        self._connect()
        self._runner.ask(self._query)
        self._runner.ask_facets()

    def _build(self) -> None:
        self.setAccessibleName(self.tr("Gallery"))
        self.search = QLineEdit(placeholderText=self.tr("Search"))
        self.search.setAccessibleName(self.tr("Search"))
        self.search.setToolTip(
            self.tr(
                "Words of prompts and tags, model and seed; also “model:mini”, “seed:42”, “date:2026-11”, “tag:owl”,"
                " “album:trip”, “rating:4”, “-snow”, “is:favourite”"
            )
        )
        self.search.setMaxLength(500)
        self._search_icon = self.search.addAction(
            self._theme.icon("search", "muted"), QLineEdit.ActionPosition.LeadingPosition
        )
        self._clear_search = self.search.addAction(
            self._theme.icon("x", "muted"), QLineEdit.ActionPosition.TrailingPosition
        )
        self._clear_search.setToolTip(self.tr("Clear the search (Esc)"))
        self._clear_search.setVisible(False)
        self.filter = QComboBox()
        self.filter.setAccessibleName(self.tr("Show"))
        self.filter.addItems([self.tr("All"), self.tr("Pictures"), self.tr("Clips"), self.tr("Favourites")])
        self.grid = GridView(theme=self._theme)
        self.grid.setAccessibleName(self.tr("Pictures and clips"))
        self.grid.setItemDelegate(
            TileDelegate(self._loader, theme=self._theme, playing=self._hover.frame, parent=self.grid)
        )
        self.grid.setModel(self._model)
        self.grid.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._empty = EmptyState(theme=self._theme)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.grid)
        self._stack.addWidget(self._empty)
        head = QHBoxLayout()
        head.setContentsMargins(12, 12, 12, 4)
        head.setSpacing(8)
        head.addWidget(self.search, 1)
        head.addWidget(self.filter)
        self.filters = Filters(theme=self._theme, parent=self)
        head.addWidget(self.filters.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self.filters.chips)
        layout.addWidget(self._stack, 1)
        self._albums = AlbumDrop(self)
        self.setMinimumWidth(300)

    def _connect(self) -> None:
        self._theme.changed.connect(self._redraw_icons)
        self.search.textChanged.connect(self._debounce.start)
        self.search.textChanged.connect(lambda text: self._clear_search.setVisible(bool(text)))
        self._clear_search.triggered.connect(self.search.clear)
        self.search.installEventFilter(self)
        self.filter.currentIndexChanged.connect(self._ask)
        self.filters.changed.connect(self._ask)
        self._runner.facets_found.connect(self._facets_found)
        self._hover.advanced.connect(self._thumbnail_loaded)
        self.grid.hovered.connect(self._hovered)
        self._albums.dropped.connect(lambda album: self.album_wanted.emit(self.selected_ids(), album))
        self._debounce.timeout.connect(self._ask)
        self._runner.found.connect(self._show_ids)
        self._runner.failed.connect(self.message)
        self._model.load_failed.connect(self.message)
        self._loader.loaded.connect(self._thumbnail_loaded)
        self._empty.clear_wanted.connect(self.show_everything)
        self.grid.visible_rows_changed.connect(self._want_thumbnails)
        self.grid.delete_pressed.connect(self._request_delete)
        self.grid.copy_pressed.connect(self.copy_requested)
        self.grid.drag_wanted.connect(self._drag)
        self.grid.activated.connect(self._activate)
        self.grid.customContextMenuRequested.connect(self._show_menu)
        self.grid.selectionModel().currentChanged.connect(self._current_changed)

    # what others call

    def focus_search(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def current_item(self) -> Item | None:
        return self._model.item(self.grid.currentIndex().row())

    def selected_ids(self) -> list[int]:
        """Ids of all selected items, in the order shown."""
        found: list[int] = []
        offset, ids = self._model.offset, self._model.ids
        for span in sorted(self.grid.selectionModel().selection(), key=lambda span: span.top()):
            found.extend(ids[max(0, span.top() - offset) : max(0, span.bottom() + 1 - offset)])
        return found

    def selected_items(self, limit: int = MAX_FILES) -> list[Item]:
        rows = self._model.rows_of(self.selected_ids()[:limit])
        return [item for item in map(self._model.item, rows) if item is not None]

    def select(self, item_id: int) -> None:
        """Make an item the current one and show it; one that is not in the gallery yet follows when it comes."""
        row = self._model.row_of(item_id)
        if row < 0:
            self._pending = item_id
            return
        self._pending = None
        self._choose(row)

    def select_running(self) -> None:
        if self._model.running is not None:
            self._choose(0)

    def step(self, delta: int) -> None:
        """Go ``delta`` items on."""
        last = self._model.rowCount() - 1
        current = self.grid.currentIndex().row()
        row = max(self._model.offset, min(last, current + delta)) if current >= 0 else self._model.offset
        if 0 <= row <= last:
            self._choose(row)

    def show_everything(self) -> None:
        """No search, no filter."""
        self.search.clear()
        self.filter.setCurrentIndex(0)
        self.filters.clear()
        self._debounce.stop()
        self._ask()

    def close_down(self) -> None:
        """Wait for every thread; call it before the library closes."""
        self._debounce.stop()
        self._runner.close()
        self._loader.close()
        self._hover.close()

    # notices

    def library_changed(self, change: LibraryChanged) -> None:
        if change.everything:
            self._loader.forget(self._model.ids)
            self._model.forget_all()
        elif change.changed:
            self._loader.forget(change.changed)
            self._model.forget(change.changed)
            if self._current_id() in change.changed:
                self.item_selected.emit(self.current_item())
        if change.everything or change.added or change.removed or self._query.narrows:
            self._ask()
        self._runner.ask_facets()

    def queue_changed(self, change: QueueChanged) -> None:
        running = next((job for job in change.jobs if job.state == "running"), None)
        if running is not None:
            self._titles = {running.id: recipe_title(running.recipe)}
            self._tile(running.id)

    def job_progressed(self, progress: JobProgressed) -> None:
        tile = self._tile(progress.job)
        tile.fraction = progress.fraction
        self._model.running_changed()

    def preview_shown(self, preview: PreviewShown) -> None:
        tile = self._tile(preview.job)
        tile.preview = middle(split(preview)) or tile.preview
        self._model.running_changed()

    def job_ended(self, ended: JobEnded) -> None:
        tile = self._model.running
        if tile is None or tile.job != ended.job.id:
            return
        # The tile stays until its result takes its place, so that nothing jumps.
        if any(self._model.row_of(item_id) < 0 for item_id in ended.item_ids) and not self._query.narrows:
            self._ended_job = tile.job
            tile.fraction = 1.0
            self._model.running_changed()
            self._ask()
        else:
            self._drop_tile()

    def _tile(self, job: str) -> RunningTile:
        tile = self._model.running
        if tile is None or tile.job != job:
            tile = RunningTile(job, self._titles.get(job) or self.tr("Being made"))
            self._ended_job = ""
            self._model.set_running(tile)
            self._update_stack()
        return tile

    def _drop_tile(self) -> None:
        self._ended_job = ""
        self._model.set_running(None)
        self._update_stack()

    # search

    def _ask(self) -> None:
        base = KINDS[max(0, self.filter.currentIndex())]
        narrowed = msgspec.structs.replace(self.filters.filter, **base)
        self._runner.ask(Query(self.search.text(), narrowed, self.filters.stacked and narrowed.prompt is None))

    def _show_ids(self, query: Query, found: Stacks) -> None:
        same_query = query == self._query
        self._query = query
        before = self._current_id()
        selected = self.selected_ids()
        self._applying = True
        self._model.set_ids(found.ids)
        self._model.counts = found.counts
        if self._ended_job:
            self._drop_tile()
        self._restore_selection(selected, before, keep_neighbour=same_query)
        self._applying = False
        if not same_query:
            self.grid.scroll_to_top()
            self.grid.scrollTo(self.grid.currentIndex())
        self._update_stack()
        self.grid.viewport().update()
        if self._pending is not None and (row := self._model.row_of(self._pending)) >= 0:
            self._pending = None
            self._choose(row)
        elif same_query and self._pending is None:
            self._tell_current()

    def _restore_selection(self, selected: list[int], current: int | None, *, keep_neighbour: bool) -> None:
        """Select again what is still shown. After a search that dropped the current item, none is current."""
        model, chosen = self._model, self.grid.selectionModel()
        if selected and len(self.selected_ids()) != len(selected):
            for row in model.rows_of(selected):
                chosen.select(model.index(row), QItemSelectionModel.SelectionFlag.Select)
        if current is None or model.id_at(self.grid.currentIndex().row()) == current:
            return
        row = model.row_of(current)
        if row >= 0:
            chosen.setCurrentIndex(model.index(row), QItemSelectionModel.SelectionFlag.Select)
        elif keep_neighbour and self.grid.currentIndex().isValid():
            if not chosen.hasSelection():
                chosen.select(self.grid.currentIndex(), QItemSelectionModel.SelectionFlag.Select)
        else:
            chosen.clearCurrentIndex()

    def _update_stack(self) -> None:
        if self._model.rowCount():
            self._stack.setCurrentWidget(self.grid)
            return
        if self._query.text.strip():
            self._empty.show_nothing_found(self._query.text.strip())
        elif self._query.filter == Filter(favourite=True):
            self._empty.show_no_favourites()
        elif self._query.narrows:
            self._empty.show_nothing_found("")
        else:
            self._empty.show_nothing_made()
        self._stack.setCurrentWidget(self._empty)

    # the grid

    def _choose(self, row: int) -> None:
        index = self._model.index(row)
        self.grid.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.grid.scrollTo(index)
        self._tell_current()

    def _current_id(self) -> int | None:
        return self._model.id_at(self.grid.currentIndex().row())

    def _current_changed(self, _current: QModelIndex, _previous: QModelIndex) -> None:
        if not self._applying:
            self._tell_current()

    def _tell_current(self) -> None:
        """Tell what is current, once: rows that come and go around it are no choice of the person."""
        current = self.grid.currentIndex()
        tile = self._model.running
        if tile is not None and current.row() == 0:
            if self._told != tile.job:
                self._told = tile.job
                self.grid.setAccessibleName(current.data(Qt.ItemDataRole.AccessibleTextRole))
                self.running_selected.emit(tile.job)
            return
        item = self.current_item()
        told = item.id if item is not None else None
        if told == self._told:
            return
        self._told = told
        name = self.tr("Pictures and clips")
        self.grid.setAccessibleName(f"{name}: {spoken(item)}" if item is not None else name)
        self.item_selected.emit(item)

    def _activate(self, index: QModelIndex) -> None:
        item = self._model.item(index.row())
        if item is None:
            return
        if item.id in self._model.counts and item.recipe is not None:
            self.filters.choose(prompt=item.recipe.prompt)
        else:
            self.item_activated.emit(item)

    def _facets_found(self, facets: Facets) -> None:
        self.filters.facets = facets

    def _hovered(self, row: int) -> None:
        grid = self.grid.grid
        size = QSize(grid.tile_width, grid.tile_height)
        item = self._model.item(row) if row >= 0 else None
        self._hover.hover(item, size, self.grid.devicePixelRatioF())

    def _request_delete(self) -> None:
        ids = self.selected_ids()
        if ids:
            self.delete_requested.emit(ids)

    def _want_thumbnails(self, first: int, last: int) -> None:
        grid = self.grid.grid
        items = [item for row in range(first, last + 1) if (item := self._model.item(row)) is not None]
        self._loader.want(items, QSize(grid.tile_width, grid.tile_height), self.grid.devicePixelRatioF())

    def _thumbnail_loaded(self, item_id: int) -> None:
        visible = self.grid.visible_rows()
        for row in visible:
            if self._model.id_at(row) == item_id:
                self.grid.viewport().update(self.grid.tile_rect(row))
                break

    def _drag(self) -> None:
        items = self.selected_items()
        thumbs = [pixmap for item in items[:3] if (pixmap := self._loader.pixmap(item.id)) is not None]
        ratio = self.devicePixelRatioF()
        pixmap = drag_pixmap(thumbs, len(items), theme=self._theme, ratio=ratio) if thumbs else QPixmap()
        drag = make_drag(self.grid, [item.path for item in items], pixmap)
        if drag is not None:
            self._hovered(-1)
            self._albums.show_for([name for name, _count in self.filters.facets.albums])
            run_drag(drag)
            self._albums.hide()
        elif items:
            self.message.emit(self.tr("The file is not there any more: {0}.").format(items[0].path))

    def _show_menu(self, point: QPoint) -> None:
        item = self.current_item()
        if not self.grid.indexAt(point).isValid() or item is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions(self._menu_actions)
        if self._menu_actions:
            menu.addSeparator()
        use = menu.addAction(self._theme.icon("undo"), self.tr("Use this recipe"))
        use.setEnabled(item.recipe is not None)
        use.triggered.connect(lambda: self.recipe_requested.emit(item))
        delete = menu.addAction(self._theme.icon("trash"), self.tr("Delete"))
        delete.triggered.connect(self._request_delete)
        menu.popup(QCursor.pos() if point.isNull() else self.grid.viewport().mapToGlobal(point))

    def set_actions(self, actions: Sequence[QAction]) -> None:
        """Actions of the context menu, above those of the panel."""
        self._menu_actions = tuple(actions)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """From the search field, Down goes to the grid and Escape takes the search back."""
        if watched is self.search and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Down and self._model.rowCount():
                self.grid.setFocus(Qt.FocusReason.ShortcutFocusReason)
                if not self.grid.currentIndex().isValid():
                    self.step(0)
                return True
            if event.key() == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
        return super().eventFilter(watched, event)

    def _redraw_icons(self) -> None:
        self._search_icon.setIcon(self._theme.icon("search", "muted"))
        self._clear_search.setIcon(self._theme.icon("x", "muted"))
        self.grid.viewport().update()
