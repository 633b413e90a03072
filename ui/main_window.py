"""The window: form, view and gallery side by side over a status line; it connects the parts and owns none of their work.

Before it is shown it builds only the form and the frames around it. The rest (view, gallery, library, models, engine)
follows from a zero timer, and what opens files does so on other threads.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, QPoint, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDesktopServices,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
    QKeySequence,
)
from PySide6.QtWidgets import QFrame, QMainWindow, QSplitter, QVBoxLayout, QWidget

from engine.jobs.notices import EngineStateChanged, JobEnded, JobProgressed, LibraryChanged, PreviewShown, QueueChanged
from engine.library.item import Item
from engine.models.catalog import InstalledModel
from engine.protocol.errors import ErrorInfo, LaternaError
from ui.action_table import ROWS
from ui.actions import Actions
from ui.background import Background
from ui.drops import dropped, is_usable
from ui.engine_link import EngineLink
from ui.estimate import Estimate
from ui.formats import duration
from ui.generate.panel import GeneratePanel
from ui.menu import build_menu
from ui.messages import Message, of_error
from ui.preferences import Preferences
from ui.session import Session
from ui.status_bar import StatusBar
from ui.theme import Theme
from ui.widgets.icon_button import IconButton
from ui.widgets.message_bar import MessageStack

if TYPE_CHECKING:
    from ui.library.gallery import GalleryPanel
    from ui.player.view_panel import ViewPanel
    from ui.queue.queue_panel import QueuePanel
    from ui.services import Services

FIRST_SIZE = (1440, 900)
FIRST_PANES = (345, 755, 340)
HEADER_HEIGHT = 48
SAVE_AFTER_MS = 2000


class MainWindow(QMainWindow):
    """Signals: ``painted`` once the first frame is on the screen, ``ready`` once every part is there."""

    painted = Signal()
    ready = Signal()

    def __init__(
        self,
        *,
        theme: Theme,
        preferences: Preferences,
        save_preferences: Callable[[], None],
        open_services: Callable[[], Services],
        find_models: Callable[[], tuple[InstalledModel, ...]],
        output_folder: Path,
        version: str = "",
        notice: str = "",
    ) -> None:
        """``open_services`` and ``find_models`` are called once, each on a thread of its own.

        ``save_preferences`` writes ``preferences`` to disk; it is called on a thread, and at the end on this one.
        ``notice`` is a sentence to begin with (a damaged settings file).
        """
        super().__init__()
        self._theme = theme
        self._preferences = preferences
        self._save_preferences = save_preferences
        self._open_services = open_services
        self._find_models = find_models
        self._output_folder = output_folder
        self._version = version
        self._notice = notice
        self._services: Services | None = None
        self._closing = False
        self._started = False
        self._following = True
        self._followed_items: set[int] = set()
        self._estimate = Estimate()
        self.link: EngineLink | None = None
        self.view: ViewPanel | None = None
        self.gallery: GalleryPanel | None = None
        self.queue: QueuePanel | None = None
        self.session = Session(preferences.kind, preferences.drafts, parent=self)
        self.actions_ = Actions(self.session, preferences, theme=theme, parent=self)
        self._background = Background(parent=self)
        self._build()
        self._connect()
        self._restore_state()

    # --- building

    def _build(self) -> None:
        self.setWindowTitle("Laterna")
        self.setAcceptDrops(True)
        self.form = GeneratePanel(self.session, theme=self._theme)
        self.form.set_advanced_open(self._preferences.advanced_open)
        self.menu_button = IconButton("menu", self.tr("Menu (F10)"), theme=self._theme, role="muted")
        self.menu_button.setFixedSize(34, 34)
        self.form.head.addWidget(self.menu_button)
        self.centre = QFrame()
        self.centre.setProperty("role", "canvas")
        self.centre.setMinimumWidth(360)
        self.right = QFrame()
        self.right.setProperty("role", "panel")
        self.right.setMinimumWidth(300)
        for pane in (self.centre, self.right):
            column = QVBoxLayout(pane)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(0)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        for pane in (self.form, self.centre, self.right):
            self.splitter.addWidget(pane)
        self.splitter.setStretchFactor(0, 0)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setStretchFactor(2, 0)
        self.status = StatusBar(self.session, theme=self._theme)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.splitter, 1)
        column.addWidget(self.status)
        self.setCentralWidget(whole)
        self.messages = MessageStack(self.centre, theme=self._theme, top=HEADER_HEIGHT)
        self.addActions(self.actions_.all())
        self.form.prompts.prompt.setFocus()

    def _connect(self) -> None:
        actions, session, form = self.actions_, self.session, self.form
        form.generate_wanted.connect(actions.generate)
        form.cancel_wanted.connect(actions.cancel)
        form.file_wanted.connect(self._open_file)
        self.menu_button.clicked.connect(self._show_menu)
        self.status.queue_wanted.connect(self._toggle_queue)
        actions.said.connect(self.messages.show_message)
        actions.refused.connect(self._refused)
        actions.submitted.connect(self._submitted)
        actions.library_changed.connect(self._library_changed)
        actions.wanted.connect(self._wanted)
        session.draft_edited.connect(self._draft_changed)
        session.draft_replaced.connect(self._draft_changed)
        self._save_later = QTimer(self)
        self._save_later.setSingleShot(True)
        self._save_later.setInterval(SAVE_AFTER_MS)
        self._save_later.timeout.connect(self._save_on_thread)

    def _restore_state(self) -> None:
        self.resize(*FIRST_SIZE)
        if self._preferences.geometry:
            self.restoreGeometry(_from_text(self._preferences.geometry))
        self.splitter.setSizes(list(FIRST_PANES))
        if self._preferences.splitter:
            self.splitter.restoreState(_from_text(self._preferences.splitter))

    # --- after the first paint

    def event(self, event: QEvent) -> bool:
        handled = super().event(event)
        if event.type() == QEvent.Type.Paint and not self._started:
            self._started = True
            QTimer.singleShot(0, self, self._after_first_paint)
        return handled

    def _after_first_paint(self) -> None:
        self.painted.emit()
        if self._notice:
            self.messages.show_message(Message(self._notice, "warning", seconds=0.0))
        self._background.run(self._find_models, self._models_found, self._failed)
        self._background.run(self._open_services, self._services_ready, self._services_failed)
        QTimer.singleShot(0, self, self._build_view)

    def _build_view(self) -> None:
        from ui.player.view_panel import ViewPanel

        self.view = ViewPanel(theme=self._theme)
        self.view.favourite_toggled.connect(lambda _item: self.actions_.toggle_favourite())
        self.view.copy_requested.connect(self._copy_requested)
        self.view.message.connect(lambda text: self.messages.show_message(Message(text)))
        self.centre.layout().addWidget(self.view)
        self.messages.raise_()
        QTimer.singleShot(0, self, self._build_queue)

    def _build_queue(self) -> None:
        from ui.queue.queue_panel import QueuePanel

        self.queue = QueuePanel(theme=self._theme)
        self.queue.setVisible(self._preferences.queue_open)
        self.queue.setMaximumHeight(280)
        self.right.layout().addWidget(self.queue)
        self._connect_queue()
        self._connect_gallery()

    def _models_found(self, models: tuple[InstalledModel, ...]) -> None:
        self.session.set_models(models)
        if not models:
            self.messages.show_message(
                Message(
                    self.tr("No model was found. Put one (in diffusers layout) into the models folder."),
                    "warning",
                    seconds=0.0,
                )
            )
        self._preload()

    def _services_ready(self, services: Services) -> None:
        from ui.library.gallery import GalleryPanel
        from ui.menu import ITEM_MENU

        self._services = services
        actions = [self.actions_.action(name) for name in ITEM_MENU if name]
        self.gallery = GalleryPanel(services.library, services.thumbnails, theme=self._theme, actions=actions)
        self.right.layout().insertWidget(0, self.gallery, 1)
        self.actions_.attach_library(services.library, self.gallery.selected_items)
        self.link = EngineLink(services.make_job_service, parent=self)
        self.actions_.attach_engine(self.link)
        self._connect_link(self.link)
        self._connect_gallery()
        self._connect_queue()
        self.link.start()
        self._preload()
        self.ready.emit()

    def _connect_link(self, link: EngineLink) -> None:
        session = self.session
        link.engine_state_changed.connect(self._engine_changed)
        link.queue_changed.connect(session.set_queue)
        link.queue_changed.connect(self._queue_changed)
        link.job_progressed.connect(self._job_progressed)
        link.preview_shown.connect(self._preview_shown)
        link.job_ended.connect(self._job_ended)
        link.library_changed.connect(self._library_changed)
        link.memory_shown.connect(session.set_memory)
        link.service_failed.connect(self._service_failed)
        link.refused.connect(self.actions_.engine_refused)

    def _connect_gallery(self) -> None:
        """Once the gallery and the view are both there."""
        gallery = self.gallery
        if gallery is None or self.view is None or gallery.property("connected"):
            return
        gallery.setProperty("connected", True)
        gallery.item_selected.connect(self._item_selected)
        gallery.running_selected.connect(self._running_selected)
        gallery.item_activated.connect(lambda _item: self.view and self.view.toggle_play())
        gallery.delete_requested.connect(self.actions_.delete_ids)
        gallery.recipe_requested.connect(
            lambda item: item.recipe and self.actions_.restore(item.recipe, item.path.name)
        )
        gallery.message.connect(lambda text: self.messages.show_message(Message(text)))
        if gallery.current_item() is not None:
            self._item_selected(gallery.current_item())

    def _connect_queue(self) -> None:
        """Once the queue panel and the link are both there."""
        queue, link = self.queue, self.link
        if queue is None or link is None or queue.property("connected"):
            return
        queue.setProperty("connected", True)
        queue.cancel_requested.connect(link.cancel)
        queue.move_requested.connect(link.move)
        queue.clear_requested.connect(link.clear_waiting)

    def _preload(self) -> None:
        """Have the engine load what the form shows, while the person types."""
        model = self.session.model
        if self.link is not None and model is not None:
            self.link.preload(str(model.folder))

    def _services_failed(self, error: LaternaError) -> None:
        self.messages.show_message(of_error(error.info(), "services"))
        self.session.set_engine(EngineStateChanged("stopped", error.message, error=error.info()))

    # --- notices

    def _engine_changed(self, state: EngineStateChanged) -> None:
        self.session.set_engine(state)
        if state.error is None:
            return
        message = of_error(state.error, "engine")
        if state.state == "stopped":
            text = f"{message.text} {state.text}".strip()
            message = Message(
                text,
                "error",
                message.detail,
                self.tr("Restart the engine"),
                self.actions_.restart_engine,
                seconds=0.0,
                topic="engine",
            )
        self.messages.show_message(message)

    def _queue_changed(self, change: QueueChanged) -> None:
        if self.gallery is not None:
            self.gallery.queue_changed(change)
        if self.queue is not None:
            self.queue.queue_changed(change)

    def _job_progressed(self, progress: JobProgressed) -> None:
        first = self.session.progress is None or self.session.progress.job != progress.job
        self.session.set_progress(progress)
        self._estimate.progressed(progress)
        if self.gallery is not None:
            self.gallery.job_progressed(progress)
            if first and self._following:
                self.gallery.select_running()
        if self.queue is not None:
            self.queue.job_progressed(progress)
        if self.view is not None and self._following:
            self.view.job_progressed(progress)

    def _preview_shown(self, preview: PreviewShown) -> None:
        if self.gallery is not None:
            self.gallery.preview_shown(preview)
        if self.view is not None and self._following:
            self.view.preview_shown(preview)

    def _job_ended(self, ended: JobEnded) -> None:
        self._estimate.ended(ended)
        self.session.job_ended(ended)
        if self.gallery is not None:
            if self._following and ended.item_ids:
                self._followed_items.update(ended.item_ids)
                self.gallery.select(ended.item_ids[0])
            self.gallery.job_ended(ended)
        if self.queue is not None:
            self.queue.job_ended(ended)
        if self.view is not None:
            self.view.job_ended(ended)
        if ended.job.error is not None and ended.job.state == "failed":
            self._refused(ended.job.error)
        self._tell_notes()

    def _library_changed(self, change: LibraryChanged) -> None:
        if self.gallery is not None:
            self.gallery.library_changed(change)

    def _service_failed(self, failed: object) -> None:
        self.messages.show_message(of_error(failed.error))  # type: ignore[attr-defined]

    def _refused(self, error: ErrorInfo) -> None:
        """A sentence goes under its field; where no field is named, over the view."""
        if error.kind != "BadRecipe" or not self.form.show_error(error):
            self.messages.show_message(of_error(error))

    def _failed(self, error: LaternaError) -> None:
        self.messages.show_message(of_error(error.info()))

    # --- what is looked at

    def _submitted(self) -> None:
        self._following = True
        if self.gallery is not None and self.session.running is not None:
            self.gallery.select_running()

    def _running_selected(self, _job: str) -> None:
        self._following = True
        if self.view is not None and self.session.progress is not None:
            self.view.job_progressed(self.session.progress)

    def _item_selected(self, item: Item | None) -> None:
        if item is None or item.id not in self._followed_items:
            self._following = item is None
        self.session.set_item(item)
        if self.view is not None:
            if item is not None:
                self.view.show_item(item)
            else:
                self.view.clear()

    def _copy_requested(self, what: object) -> None:
        if isinstance(what, Item) or what is None:
            self.actions_.copy()
        else:
            self.actions_.copy_image(what)  # type: ignore[arg-type]

    # --- actions that need a widget

    def _wanted(self, name: str) -> None:
        answers: dict[str, Callable[[], object]] = {
            "focus_prompt": self.form.prompts.prompt.setFocus,
            "open_file": self._open_file,
            "export_frame": lambda: self.view and self.view.export_frame(),
            "export_copy": self._export_copy,
            "play_pause": lambda: self.view and self.view.toggle_play(),
            "next_item": lambda: self.gallery and self.gallery.step(1),
            "previous_item": lambda: self.gallery and self.gallery.step(-1),
            "focus_search": lambda: self.gallery and self.gallery.focus_search(),
            "toggle_queue": self._toggle_queue,
            "toggle_advanced": self.form.disclosure.toggle,
            "choose_output_folder": self._choose_output_folder,
            "open_output_folder": lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder()))),
            "show_menu": self._show_menu,
            "show_shortcuts": self._show_shortcuts,
            "show_about": self._show_about,
            "quit": self.close,
        }
        answers[name]()

    def _folder(self) -> Path:
        return Path(self._preferences.output_folder) if self._preferences.output_folder else self._output_folder

    def _open_file(self) -> None:
        from ui.dialogs import ask_file

        ask_file(self, self._folder(), self.actions_.read_file)

    def _export_copy(self) -> None:
        from ui.dialogs import ask_target

        item = self.session.item
        if item is not None:
            suggestion = Path.home() / item.path.name
            ask_target(self, self.tr("Save a copy"), suggestion, lambda path: self.actions_.save_copy(item, path))

    def _choose_output_folder(self) -> None:
        from ui.dialogs import ask_folder

        ask_folder(self, self._folder(), self._output_folder_chosen)

    def _output_folder_chosen(self, folder: Path) -> None:
        self._preferences.output_folder = "" if folder == self._output_folder else str(folder)
        self._save_later.start()
        self.messages.show_message(Message(self.tr("New files go to {folder}.").format(folder=folder)))

    def _toggle_queue(self) -> None:
        if self.queue is not None:
            self.queue.setVisible(self.queue.isHidden())
            self._preferences.queue_open = not self.queue.isHidden()

    def _show_menu(self) -> None:
        menu = build_menu(self.actions_, self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.menu_button.mapToGlobal(QPoint(0, self.menu_button.height() + 4)))

    def _show_shortcuts(self) -> None:
        from ui.shortcut_sheet import ShortcutSheet

        ShortcutSheet(self).open()

    def _show_about(self) -> None:
        from ui.dialogs import AboutDialog

        AboutDialog(self._version, self.session.engine, self).open()

    # --- keyboard and drops

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that no control used."""
        pressed = QKeySequence(event.keyCombination())
        for row in ROWS:
            if row.soft and any(QKeySequence(key) == pressed for key in row.keys):
                self.actions_.action(row.name).trigger()
                event.accept()
                return
        super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if is_usable(event.mimeData()):
            self._drag(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._drag(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.form.drop_zone.set_over(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.form.drop_zone.set_over(False)
        try:
            what = dropped(event.mimeData())
        except LaternaError as error:
            self.messages.show_message(of_error(error.info(), "action"))
            return
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        if isinstance(what, Path):
            self.actions_.read_file(what)
        else:
            self.actions_.use_text(what)

    def _drag(self, event: QDragMoveEvent) -> None:
        """Accept; something dragged out of this window only over the form, so that letting go elsewhere does nothing."""
        inside = self.form.rect().contains(self.form.mapFrom(self, event.position().toPoint()))
        usable = event.source() is None or inside
        self.form.drop_zone.set_over(usable)
        if usable:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
        else:
            event.ignore()

    # --- saving and closing

    def _draft_changed(self) -> None:
        self._tell_notes()
        self._save_later.start()

    def _tell_notes(self) -> None:
        """What the next job will take, above the button."""
        recipe = self.session.draft.recipe
        seconds = self._estimate.seconds(recipe)
        left = ""
        if seconds is not None:
            each = self.tr("per clip") if self.session.kind == "video" else self.tr("per image")
            left = f"≈ {duration(seconds)} {each}"
        if self.session.kind == "video":
            length = recipe.frames / max(1, recipe.fps)
            right = self.tr("{seconds} s long").format(seconds=f"{length:.1f}")
        else:
            right = self.tr("{count} megapixels").format(count=f"{recipe.width * recipe.height / 1e6:.2f}")
        self.form.set_notes(left, right if self.session.model is not None else "")

    def _collect_preferences(self) -> None:
        preferences = self._preferences
        preferences.kind = self.session.kind
        preferences.drafts = self.session.drafts
        preferences.advanced_open = self.form.disclosure.isChecked()
        preferences.geometry = _to_text(self.saveGeometry())
        preferences.splitter = _to_text(self.splitter.saveState())

    def _save_on_thread(self) -> None:
        self._collect_preferences()
        self._background.run(self._save_preferences, lambda _none: None, self._failed)

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        self.shut_down()

    def shut_down(self) -> None:
        """Save, end the engine, and wait for every thread. Safe to call twice."""
        if self._closing:
            return
        self._closing = True
        self._save_later.stop()
        self._collect_preferences()
        self.hide()
        self._background.close()
        self.actions_.close()
        if self.link is not None:
            self.link.stop()
        for part in (self.gallery, self.view, self.queue):
            close_down = getattr(part, "close_down", None)
            if close_down is not None:
                close_down()
        if self._services is not None:
            self._services.close()
        try:
            self._save_preferences()
        except LaternaError as error:
            self._failed(error)  # nobody sees it any more, but the log has it


def _to_text(state: QByteArray) -> str:
    return base64.b64encode(state.data()).decode("ascii")


def _from_text(text: str) -> QByteArray:
    try:
        return QByteArray(base64.b64decode(text, validate=True))
    except ValueError:
        return QByteArray()
