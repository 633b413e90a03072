"""The window: form, view and gallery side by side over a status line. It connects the parts, and works in none.

Before it is shown it builds only the form and the frames around it. The rest (view, gallery, library, models, engine)
follows from a zero timer, and what opens files does so on other threads.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
    QKeySequence,
)
from PySide6.QtWidgets import QFrame, QMainWindow, QSplitter, QVBoxLayout, QWidget

from engine.jobs.notices import EngineStateChanged
from engine.models.catalog import InstalledModel
from engine.protocol.errors import ErrorInfo, LaternaError
from ui.action_table import ROWS
from ui.actions import Actions
from ui.background import Background
from ui.drops import dropped, is_usable
from ui.engine_link import EngineLink
from ui.feed import Feed
from ui.formats import duration
from ui.generate.panel import GeneratePanel
from ui.messages import Message, of_error
from ui.preferences import Preferences
from ui.session import Session
from ui.status_bar import StatusBar
from ui.theme import Theme
from ui.widgets.icon_button import IconButton
from ui.widgets.message_bar import MessageStack
from ui.window_actions import WindowActions

if TYPE_CHECKING:
    from ui.library.gallery import GalleryPanel
    from ui.models.link import ModelLink
    from ui.player.view_panel import ViewPanel
    from ui.queue.queue_panel import QueuePanel
    from ui.services import Services

FIRST_SIZE = (1440, 900)
FIRST_PANES = (345, 755, 340)
HEADER_HEIGHT = 48
SAVE_AFTER_MS = 2000
HIDDEN_FIELDS = frozenset(
    ("conditioning", "guidance_schedule", "text_encoding", "t5_mask", "input", "adapters", "controls", "weights")
)  # of a recipe that no control shows yet


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
        frames_folder: Path,
        version: str = "",
        notice: str = "",
    ) -> None:
        """``open_services`` and ``find_models`` are called on threads of their own.

        ``frames_folder`` keeps frames that were dragged out. ``save_preferences`` writes ``preferences`` to disk; it is
        called on a thread, and at the end on this one. ``notice`` is a sentence to begin with.
        """
        super().__init__()
        self._theme = theme
        self.preferences = preferences
        self._save_preferences = save_preferences
        self._open_services = open_services
        self._find_models = find_models
        self._frames_folder = frames_folder
        self._notice = notice
        self._services: Services | None = None
        self._closing = False
        self._started = False
        self.link: EngineLink | None = None
        self.model_link: ModelLink | None = None
        self.view: ViewPanel | None = None
        self.gallery: GalleryPanel | None = None
        self.queue: QueuePanel | None = None
        self.session = Session(preferences.kind, preferences.drafts, parent=self)
        self.actions_ = Actions(self.session, preferences, theme=theme, parent=self)
        self.feed = Feed(self.session, parent=self)
        self.feed.show_previews = preferences.previews
        self._background = Background(threads=3, parent=self)
        self._build()
        self._window_actions = WindowActions(self, output_folder, version)
        self._connect()
        self._restore_state()

    # --- building

    def _build(self) -> None:
        self.setWindowTitle("Laterna")
        self.setAcceptDrops(True)
        self.form = GeneratePanel(self.session, theme=self._theme)
        self.form.set_advanced_open(self.preferences.advanced_open)
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
        form.file_wanted.connect(self._window_actions.open_file)
        self.menu_button.clicked.connect(self._window_actions.show_menu)
        self.status.queue_wanted.connect(self._window_actions.toggle_queue)
        actions.said.connect(self.messages.show_message)
        actions.refused.connect(self._refused)
        actions.submitted.connect(self.feed.follow)
        actions.submitted.connect(self.save_now)
        actions.library_changed.connect(self.feed.library_changed)
        actions.wanted.connect(self._window_actions.run)
        self.feed.said.connect(self.messages.show_message)
        self.feed.refused.connect(lambda error: self._refused(error, focus=False))
        self.feed.restart_wanted.connect(actions.restart_engine)
        self.feed.job_ended.connect(self._tell_notes)
        self._theme.changed.connect(self.save_soon)
        session.draft_edited.connect(self._draft_changed)
        session.draft_replaced.connect(self._draft_changed)
        self._save_later = QTimer(self)
        self._save_later.setSingleShot(True)
        self._save_later.setInterval(SAVE_AFTER_MS)
        self._save_later.timeout.connect(self._save_on_thread)

    def _restore_state(self) -> None:
        self.resize(QSize(*FIRST_SIZE).boundedTo(self.screen().availableSize()))
        if self.preferences.geometry:
            self.restoreGeometry(_from_text(self.preferences.geometry))
        self.splitter.setSizes(list(FIRST_PANES))
        if self.preferences.splitter:
            self.splitter.restoreState(_from_text(self.preferences.splitter))

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
        self._find_models_again()
        self._background.run(self._open_services, self._services_ready, self._services_failed)
        self._background.run(_import_panels, lambda _none: self._build_view(), self._failed)

    def _build_view(self) -> None:
        from ui.player.view_panel import ViewPanel

        self.view = ViewPanel(theme=self._theme, frames_folder=self._frames_folder)
        self.view.favourite_toggled.connect(self.actions_.toggle_favourite_of)
        self.view.copy_requested.connect(self.actions_.copy_requested)
        self.view.message.connect(self._say)
        self.feed.view = self.view
        self.centre.layout().addWidget(self.view)
        self.messages.raise_()
        QTimer.singleShot(0, self, self._build_queue)

    def _build_queue(self) -> None:
        from ui.queue.queue_panel import QueuePanel

        self.queue = QueuePanel(theme=self._theme)
        self.queue.setVisible(self.preferences.queue_open)
        self.queue.setMaximumHeight(280)
        self.right.layout().addWidget(self.queue)
        self._connect_queue()
        self._connect_gallery()

    def _find_models_again(self) -> None:
        """A model was downloaded, imported or removed."""
        self._background.run(self._find_models, self._models_found, self._failed)

    def _models_found(self, models: tuple[InstalledModel, ...]) -> None:
        self.session.set_models(models)
        if not models:
            self.messages.show_message(
                Message(
                    self.tr("No model was found. Download or import one: Models… in the menu."),
                    "warning",
                    seconds=0.0,
                )
            )
        self._preload()

    def _services_ready(self, services: Services) -> None:
        from ui.library.gallery import GalleryPanel
        from ui.menu import ITEM_MENU
        from ui.models.link import ModelLink

        self._services = services
        actions = [self.actions_.action(name) for name in ITEM_MENU if name]
        self.gallery = GalleryPanel(services.library, services.thumbnails, theme=self._theme, actions=actions)
        self.right.layout().insertWidget(0, self.gallery, 1)
        self.actions_.attach_library(services.library, self.gallery.selected_items)
        self.link = EngineLink(services.make_job_service, parent=self)
        self.actions_.attach_engine(self.link)
        self.feed.gallery = self.gallery
        self.feed.connect_link(self.link)
        self.link.refused.connect(self.actions_.engine_refused)
        self._connect_gallery()
        self._connect_queue()
        self.link.start()
        self.model_link = ModelLink(services.make_model_service, parent=self)
        self.model_link.changed.connect(self._find_models_again)
        self.model_link.start()
        self._preload()
        self.ready.emit()

    def _connect_gallery(self) -> None:
        """Once the gallery and the view are both there."""
        gallery = self.gallery
        if gallery is None or self.view is None or gallery.property("connected"):
            return
        gallery.setProperty("connected", True)
        gallery.item_selected.connect(self.feed.item_selected)
        gallery.running_selected.connect(self.feed.running_selected)
        gallery.item_activated.connect(lambda _item: self.view and self.view.toggle_play())
        gallery.delete_requested.connect(self.actions_.delete_ids)
        gallery.recipe_requested.connect(
            lambda item: item.recipe and self.actions_.restore(item.recipe, item.path.name)
        )
        gallery.message.connect(self._say)
        self.view.neighbour_wanted.connect(gallery.step)
        if gallery.current_item() is not None:
            self.feed.item_selected(gallery.current_item())

    def _connect_queue(self) -> None:
        """Once the queue panel and the link are both there."""
        queue, link = self.queue, self.link
        if queue is None or link is None or queue.property("connected"):
            return
        queue.setProperty("connected", True)
        self.feed.queue = queue
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

    # --- messages

    def _refused(self, error: ErrorInfo, focus: bool = True) -> None:
        """A sentence goes under its field; where no field shows it, over the view, with a way out."""
        if error.kind == "BadRecipe":
            if self.form.show_error(error, focus):
                return
            if error.field in HIDDEN_FIELDS:
                self.messages.show_message(
                    Message(
                        error.sentence(),
                        "warning",
                        button=self.tr("Take it out"),
                        action=lambda: self.actions_.take_out(error.field),
                        seconds=0.0,
                        topic="action",
                    )
                )
                return
        self.messages.show_message(of_error(error))

    def _failed(self, error: LaternaError) -> None:
        self.messages.show_message(of_error(error.info()))

    def _say(self, text: str) -> None:
        self.messages.show_message(Message(text))

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
        """Accept; what was dragged out of this window only over the form, so that letting go elsewhere does nothing."""
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
        self.save_soon()

    def save_soon(self) -> None:
        """Write the preferences once the person pauses."""
        self._save_later.start()

    def save_now(self) -> None:
        """Write the preferences at once, on another thread: what was generated from survives a kill."""
        self._save_later.stop()
        self._save_on_thread()

    def _tell_notes(self) -> None:
        """What the next job will take, above the button."""
        recipe = self.session.draft.recipe
        seconds = self.feed.estimate.seconds(recipe)
        left = ""
        if seconds is not None:
            each = self.tr("per clip") if self.session.kind == "video" else self.tr("per image")
            left = f"≈ {duration(seconds)} {each}"
        if self.session.kind == "video":
            length = recipe.frames / max(1, recipe.fps)
            right = self.tr("{seconds} s long").format(seconds=f"{length:.1f}")
        else:
            megapixels = recipe.width * recipe.height / 1e6
            right = self.tr("{count} megapixels").format(count=f"{megapixels:.1f}") if megapixels >= 0.2 else ""
        self.form.set_notes(left, right if self.session.model is not None else "")

    def _collect_preferences(self) -> None:
        preferences = self.preferences
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
        for link in (self.link, self.model_link):
            if link is not None:
                link.stop()
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


def _import_panels() -> None:
    """What the window builds next, imported on a thread: reading it takes longer than a frame."""
    import ui.player.view_panel
    import ui.queue.queue_panel  # noqa: F401


def _to_text(state: QByteArray) -> str:
    return base64.b64encode(state.data()).decode("ascii")


def _from_text(text: str) -> QByteArray:
    try:
        return QByteArray(base64.b64decode(text, validate=True))
    except ValueError:
        return QByteArray()
