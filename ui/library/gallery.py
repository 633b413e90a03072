"""``GalleryPanel``: search, filter, the grid of everything made, and the job that runs as its first tile."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QCursor, QPixmap
from PySide6.QtWidgets import QMenu, QStackedWidget, QVBoxLayout
from PySide6.QtWidgets import QWidget as _Widget

from engine.jobs.notices import JobEnded, JobProgressed, LibraryChanged, PreviewShown, QueueChanged
from engine.library.facets import Facets, Stacks
from engine.library.filters import Filter
from engine.library.item import Item
from ui.library.album_drop import AlbumDrop
from ui.library.chosen import Chosen
from ui.library.delegate import TileDelegate
from ui.library.deleted_bar import DeletedBar
from ui.library.drag import MAX_FILES, drag_pixmap, make_drag, run_drag
from ui.library.empty import EmptyState
from ui.library.grid import GridView
from ui.library.head import GalleryHead
from ui.library.hover import HoverPlayer
from ui.library.making import Making
from ui.library.model import LibraryModel
from ui.library.query import LibrarySource, Query, QueryRunner
from ui.library.thumbnails import ThumbnailLoader, ThumbnailSource
from ui.theme import Theme


class GalleryPanel(_Widget):
    """Signals:

    ``item_selected(Item | None)`` the current item, also after it changed; None when nothing is chosen
    ``running_selected(str)`` the tile of the running job was chosen
    ``item_activated(Item)`` Enter or double click
    ``delete_requested(list[int])``, ``recipe_requested(Item)``, ``copy_requested()``
    ``put_back_requested(list[int])`` out of the trash; ``forget_requested()`` what the trash was emptied of
    ``take_out_requested(list[int], str)`` of the album that is shown
    ``album_wanted(list[int], str)`` items were dragged onto an album; "" is a new one
    ``message(str)`` a sentence for the status bar
    """

    item_selected = Signal(object)
    running_selected = Signal(str)
    item_activated = Signal(object)
    delete_requested = Signal(object)
    recipe_requested = Signal(object)
    copy_requested = Signal()
    put_back_requested = Signal(object)
    forget_requested = Signal()
    take_out_requested = Signal(object, str)
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
        """``actions`` make the context menu, above "Use this recipe", unless they hold that, and "Delete"."""
        super().__init__(parent)
        self._theme = theme
        self._menu_actions = tuple(actions)
        self._query = Query()
        self._loader = ThumbnailLoader(thumbnails.get, parent=self)
        self._hover = HoverPlayer(parent=self)
        self._runner = QueryRunner(library, self)
        self._model = LibraryModel(library, self)
        self._making = Making(self._model, self)
        self._build()
        self._connect()
        self._runner.ask(self._query)
        self._runner.ask_facets()

    def _build(self) -> None:
        self.setAccessibleName(self.tr("Gallery"))
        self.head = GalleryHead(theme=self._theme)
        self.search, self.filter, self.filters = self.head.search, self.head.kinds, self.head.filters
        self.deleted_bar = DeletedBar()
        self.grid = GridView(theme=self._theme)
        self.grid.setAccessibleName(self.tr("Pictures and clips"))
        self.grid.setItemDelegate(
            TileDelegate(self._loader, theme=self._theme, playing=self._hover.frame, parent=self.grid)
        )
        self.grid.setModel(self._model)
        self._chosen = Chosen(self.grid, self._model, self)
        self.grid.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._empty = EmptyState(theme=self._theme)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.grid)
        self._stack.addWidget(self._empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.head)
        layout.addWidget(self.deleted_bar)
        layout.addWidget(self._stack, 1)
        self._albums = AlbumDrop(self)
        self.setMinimumWidth(300)

    def _connect(self) -> None:
        self._theme.changed.connect(self.grid.viewport().update)
        self.head.changed.connect(self._ask)
        self.head.left_down.connect(self._enter)
        self._runner.facets_found.connect(self._facets_found)
        self._hover.advanced.connect(self._thumbnail_loaded)
        self.grid.hovered.connect(self._hovered)
        self._albums.dropped.connect(lambda album: self.album_wanted.emit(self.selected_ids(), album))
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
        self.grid.selectionModel().selectionChanged.connect(self._selection_changed)
        self._chosen.item_selected.connect(self.item_selected)
        self._chosen.running_selected.connect(self.running_selected)
        self._making.changed.connect(self._update_stack)
        self._making.results_wanted.connect(self._ask)
        self.deleted_bar.put_back_wanted.connect(lambda: self.put_back_requested.emit(self.selected_ids()))
        self.deleted_bar.forget_wanted.connect(self.forget_requested)

    # what others call

    def focus_search(self) -> None:
        self.head.focus_search()

    def current_item(self) -> Item | None:
        return self._chosen.item()

    def selected_ids(self) -> list[int]:
        """Ids of all selected items, in the order shown."""
        return self._chosen.ids()

    def selected_items(self, limit: int = MAX_FILES) -> list[Item]:
        return self._chosen.items(limit)

    def select(self, item_id: int) -> None:
        """Make an item the current one and show it; one that is not in the gallery yet follows when it comes."""
        self._chosen.choose(item_id)

    def select_running(self) -> None:
        if self._model.running is not None:
            self._chosen.choose_row(0)

    def step(self, delta: int) -> None:
        """Go ``delta`` items on."""
        self._chosen.step(delta)

    def show_everything(self) -> None:
        """No search, no filter."""
        self.head.clear()

    def close_down(self) -> None:
        """Wait for every thread; call it before the library closes."""
        self.head.stop()
        self._runner.close()
        self._loader.close()
        self._hover.close()

    # notices

    def library_changed(self, change: LibraryChanged) -> None:
        if change.everything:
            self._loader.refresh(self._model.ids)
            self._model.forget_all()
        elif touched := (*change.changed, *change.removed, *change.added):  # what was deleted lies elsewhere now
            self._loader.refresh(touched)
            self._model.forget(touched)
            if self._chosen.id() in (*change.changed, *change.added):
                self._chosen.item_changed()
        shown = self.grid.visible_rows()
        self._want_thumbnails(shown.start, shown.stop - 1)
        if change.everything or change.added or change.removed or self._query.narrows:
            self._ask()
        self._runner.ask_facets()

    def queue_changed(self, change: QueueChanged) -> None:
        self._making.queue_changed(change)

    def job_progressed(self, progress: JobProgressed) -> None:
        self._making.job_progressed(progress)

    def preview_shown(self, preview: PreviewShown) -> None:
        self._making.preview_shown(preview)

    def job_ended(self, ended: JobEnded) -> None:
        self._making.job_ended(ended, narrowed=self._query.narrows)

    # search

    def _ask(self) -> None:
        self.deleted_bar.setVisible(self.head.shows_deleted)
        self._runner.ask(self.head.query())

    def _enter(self) -> None:
        """From the search field into the grid."""
        if self._model.rowCount():
            self.grid.setFocus(Qt.FocusReason.ShortcutFocusReason)
            if not self.grid.currentIndex().isValid():
                self.step(0)

    def _show_ids(self, query: Query, found: Stacks) -> None:
        same_query = query == self._query
        self._query = query

        def meanwhile() -> None:
            self._model.counts = found.counts
            self._making.results_shown()

        self._chosen.show_ids(found.ids, meanwhile, same_query=same_query)
        if not same_query:
            self.grid.scroll_to_top()
            self.grid.scrollTo(self.grid.currentIndex())
        self._update_stack()
        self.grid.viewport().update()
        self._chosen.after_show(same_query=same_query)

    def _update_stack(self) -> None:
        if self._model.rowCount():
            self._stack.setCurrentWidget(self.grid)
            return
        if self._query.text.strip():
            self._empty.show_nothing_found(self._query.text.strip())
        elif self._query.filter == Filter(favourite=True):
            self._empty.show_no_favourites()
        elif self._query.filter.deleted:
            self._empty.show_nothing_deleted()
        elif self._query.narrows:
            self._empty.show_nothing_found("")
        else:
            self._empty.show_nothing_made()
        self._stack.setCurrentWidget(self._empty)

    # the grid

    def _selection_changed(self) -> None:
        if self.head.shows_deleted:
            self.deleted_bar.set_chosen(len(self.selected_ids()))

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
        if ids and not self.head.shows_deleted:
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
        drag = make_drag(self.grid, [item.file for item in items], pixmap)
        if drag is not None:
            self._hovered(-1)
            self._albums.show_for([name for name, _count in self.filters.facets.albums])
            run_drag(drag)
            self._albums.hide()
        elif items:
            self.message.emit(self.tr("The file is not there any more: {0}.").format(items[0].file))

    def _show_menu(self, point: QPoint) -> None:
        item = self.current_item()
        if not self.grid.indexAt(point).isValid() or item is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions(self._menu_actions)
        if self._menu_actions:
            menu.addSeparator()
        if all(action.objectName() != "use_recipe" for action in self._menu_actions):
            use = menu.addAction(self._theme.icon("undo"), self.tr("Use this recipe"))
            use.setEnabled(item.recipe is not None)
            use.triggered.connect(lambda: self.recipe_requested.emit(item))
        album = self._query.filter.album
        if album and item.trashed is None:
            out = menu.addAction(self.tr("Take out of “{0}”").format(album.replace("&", "&&")))
            out.triggered.connect(lambda: self.take_out_requested.emit(self.selected_ids(), album))
        if item.trashed is not None:
            back = menu.addAction(self._theme.icon("undo"), self.tr("Put back from the trash"))
            back.triggered.connect(lambda: self.put_back_requested.emit(self.selected_ids()))
        else:
            delete = menu.addAction(self._theme.icon("trash"), self.tr("Delete"))
            delete.triggered.connect(self._request_delete)
        menu.popup(QCursor.pos() if point.isNull() else self.grid.viewport().mapToGlobal(point))

    def set_actions(self, actions: Sequence[QAction]) -> None:
        """Actions of the context menu, above those of the panel."""
        self._menu_actions = tuple(actions)
