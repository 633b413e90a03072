"""The window: form, view and gallery side by side over a status line. It connects the parts, and works in none.

Before it is shown it builds only the form and the frames around it. The rest (view, gallery, library, models, engine)
follows from a zero timer, and what opens files does so on other threads.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFrame, QMainWindow, QSplitter, QVBoxLayout, QWidget

from engine.memory.remedies import Remedy
from engine.models.installed import InstalledModel
from engine.protocol.errors import ErrorInfo, LaternaError
from ui.action_table import ROWS
from ui.actions import Actions
from ui.background import Background
from ui.engine_link import EngineLink
from ui.feed import Feed
from ui.formats import number
from ui.generate.panel import GeneratePanel
from ui.late_parts import LateParts
from ui.library.hand_over import HandOver
from ui.library.item_actions import ItemActions
from ui.library.label_actions import LabelActions
from ui.loras import Loras
from ui.messages import Message, of_error
from ui.notifier import Notifier
from ui.preferences import Preferences
from ui.prompt_tools import PromptTools
from ui.recipe_files import RecipeFiles
from ui.sentences import said, shipped
from ui.session import Session
from ui.status_bar import StatusBar
from ui.theme import Theme
from ui.widgets.icon_button import IconButton
from ui.widgets.message_bar import MessageStack
from ui.window_actions import WindowActions
from ui.window_drops import WindowDrops
from ui.window_state import WindowState

if TYPE_CHECKING:
    from engine.interop.report import ImportResult
    from ui.library.gallery import GalleryPanel
    from ui.models.link import ModelLink
    from ui.player.view_panel import ViewPanel
    from ui.queue.queue_panel import QueuePanel
    from ui.queue_actions import QueueActions
    from ui.recipe.recipe_panel import RecipePanel
    from ui.reports import Reports
    from ui.services import Services

HEADER_HEIGHT = 48
HIDDEN_FIELDS = frozenset(
    ("conditioning", "guidance_schedule", "text_encoding", "t5_mask", "input", "adapters", "controls", "weights")
)  # of a recipe: they are taken out where the chosen family has no control for them


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
        read_recipe: Callable[[Path], ImportResult],
        inputs_folder: Path,
        prompt_tools: PromptTools,
        loras: Loras,
        version: str = "",
        notice: str = "",
    ) -> None:
        """``open_services`` and ``find_models`` are called on threads of their own.

        So is ``read_recipe``, which gives what made a file. ``frames_folder`` keeps frames that were dragged out,
        ``inputs_folder`` those that pictures start from. ``save_preferences`` writes ``preferences`` to disk; it is
        called on a thread, and at the end on this one. ``notice`` is a sentence to begin with.
        """
        super().__init__()
        self.theme = theme
        self.preferences = preferences
        self.open_services = open_services
        self.find_models = find_models
        self.frames_folder = frames_folder
        self._notice = notice
        self.prompt_tools = prompt_tools
        self.loras = loras
        for shared in (prompt_tools, loras):
            shared.setParent(self)
        self._closing = False
        self._started = False
        self.link: EngineLink | None = None
        self.model_link: ModelLink | None = None
        self.view: ViewPanel | None = None
        self.recipe_panel: RecipePanel | None = None
        self.gallery: GalleryPanel | None = None
        self.queue: QueuePanel | None = None
        self.queue_actions: QueueActions | None = None
        self.reports: Reports | None = None
        self.session = Session(preferences.kind, preferences.drafts, parent=self)
        self.actions_ = Actions(self.session, preferences, theme=theme, tools=prompt_tools, parent=self)
        self.files = RecipeFiles(self.actions_, self.session, read_recipe, inputs_folder, self)
        self.feed = Feed(self.session, parent=self)
        self.feed.show_previews = preferences.previews
        self.feed.estimate.keep_free = lambda: int(preferences.keep_free * 2**30)
        self.notifier = Notifier(self, preferences)
        self.background = Background(threads=3, parent=self)
        self._build()
        self.state = WindowState(self, save_preferences)
        self._drops = WindowDrops(self)
        self._late_parts = LateParts(self)
        self.item_actions = ItemActions(self.session, self.actions_, self)
        self.label_actions = LabelActions(self, self.item_actions)
        self.hand_over = HandOver(self.session, self.actions_, self.item_actions, self)
        self._window_actions = WindowActions(self, output_folder, version)
        self._connect()
        self.state.restore()

    # --- building

    def _build(self) -> None:
        self.setWindowTitle("Laterna")
        self.form = GeneratePanel(self.session, theme=self.theme, tools=self.prompt_tools, loras=self.loras)
        self.form.prompts.completion.enabled = self.preferences.suggestions
        self.form.set_presets(self.preferences.presets)
        self.form.set_advanced_open(self.preferences.advanced_open)
        self.menu_button = IconButton("menu", self.tr("Menu (F10)"), theme=self.theme, role="muted")
        self.menu_button.setFixedSize(34, 34)
        self.form.head.addWidget(self.menu_button)
        self.centre = QFrame()
        self.centre.setProperty("role", "canvas")
        self.show_beside_view(False)
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
        self.status = StatusBar(self.session, theme=self.theme)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.splitter, 1)
        column.addWidget(self.status)
        self.setCentralWidget(whole)
        self.messages = MessageStack(self.centre, theme=self.theme, top=HEADER_HEIGHT)
        self.addActions(self.actions_.all())
        self.form.prompts.prompt.setFocus()

    def show_beside_view(self, is_shown: bool) -> None:
        """Room in the middle for the view alone, or for the recipe beside it too."""
        self.centre.setMinimumWidth(480 if is_shown else 340)

    def _connect(self) -> None:
        actions, session, form = self.actions_, self.session, self.form
        form.generate_wanted.connect(actions.generate)
        form.vary_wanted.connect(self._window_actions.show_variations)
        form.combinations_wanted.connect(self._window_actions.show_combinations)
        form.cancel_wanted.connect(actions.cancel)
        form.file_wanted.connect(self._window_actions.open_file)
        self.menu_button.clicked.connect(self._window_actions.show_menu)
        self.status.queue_wanted.connect(self._window_actions.toggle_queue)
        actions.said.connect(self.messages.show_message)
        actions.refused.connect(self._refused)
        self.files.said.connect(self.messages.show_message)
        self.files.imported.connect(form.report.show_result)
        self.files.import_undone.connect(form.report.hide)
        actions.undone.connect(self.messages.dismiss_about)
        self.files.start_picture_set.connect(lambda: form.disclosure.setChecked(True))
        form.report.models_wanted.connect(self._window_actions.show_models)
        actions.model_wanted.connect(self._window_actions.show_models)
        actions.submitted.connect(self.feed.follow)
        actions.submitted.connect(self.state.save_now)
        self.item_actions.library_changed.connect(self.feed.library_changed)
        actions.wanted.connect(self._window_actions.run)
        self.prompt_tools.failed.connect(self.failed)
        self.loras.failed.connect(self.failed)
        self.feed.said.connect(self.messages.show_message)
        self.feed.refused.connect(lambda error: self._refused(error, focus=False))
        self.feed.restart_wanted.connect(actions.restart_engine)
        self.feed.estimate.changed.connect(self._tell_notes)
        form.forecast.remedy_wanted.connect(self._apply_remedy)
        self.theme.changed.connect(self.save_soon)
        session.draft_edited.connect(self._draft_changed)
        session.draft_replaced.connect(self._draft_changed)

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
        self._late_parts.start()

    # --- messages

    def _refused(self, error: ErrorInfo, focus: bool = True) -> None:
        """A sentence goes under its field; where no field shows it, over the view, with a way out."""
        if error.kind == "BadRecipe":
            if self.form.show_error(error, focus):
                return
            if error.field in HIDDEN_FIELDS:
                self.messages.show_message(
                    Message(
                        said(error),
                        "warning",
                        button=self.tr("Take it out"),
                        action=lambda: self.actions_.take_out(error.field),
                        seconds=0.0,
                        topic="action",
                    )
                )
                return
        self.messages.show_message(of_error(error))

    def failed(self, error: LaternaError) -> None:
        self.messages.show_message(of_error(error.info()))

    def say(self, text: str) -> None:
        self.messages.show_message(Message(shipped().sentence(text)))

    def make_example(self) -> None:
        """The first of the model's examples, where nothing is written yet."""
        draft, model = self.session.draft, self.session.model
        if model is not None and model.info.examples and not draft.recipe.prompt.strip():
            self.session.replace(draft.with_recipe(prompt=model.info.examples[0]))
        self.form.prompts.prompt.setFocus()
        self.actions_.generate()

    def import_model(self, path: Path) -> None:
        """A model's file or folder, on the models page."""
        self._window_actions.import_model(path)

    # --- keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that no control used."""
        pressed = QKeySequence(event.keyCombination())
        for row in ROWS:
            if row.soft and any(QKeySequence(key) == pressed for key in row.keys):
                if row.repeats or not event.isAutoRepeat():
                    self.actions_.action(row.name).trigger()
                event.accept()
                return
        super().keyPressEvent(event)

    # --- saving and closing

    def _draft_changed(self) -> None:
        self._tell_notes()
        self.save_soon()

    def save_soon(self) -> None:
        """Write the preferences once the person pauses."""
        self.state.later.start()

    def _tell_notes(self) -> None:
        """What the next job will take, above the button."""
        recipe = self.session.draft.recipe
        self.form.forecast.show_forecast(self.feed.estimate.current, self.feed.estimate.is_warm)
        if self.session.kind == "video":
            length = recipe.frames / max(1, recipe.fps)
            right = self.tr("{seconds} s long").format(seconds=number(length, 1))
        else:
            megapixels = recipe.width * recipe.height / 1e6
            right = self.tr("{count} megapixels").format(count=number(megapixels, 1)) if megapixels >= 0.2 else ""
        self.form.set_note(right if self.session.model is not None else "")

    def _apply_remedy(self, remedy: Remedy) -> None:
        """The change that would fit, into the form."""
        draft = self.session.draft
        self.session.replace(draft.replace(recipe=remedy.apply(draft.recipe)))

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        self.shut_down()

    def shut_down(self) -> None:
        """Save, end the engine, and wait for every thread. Safe to call twice."""
        if self._closing:
            return
        self._closing = True
        self.state.later.stop()
        self.state.collect()
        self.hide()
        self.background.close()
        self.feed.estimate.close()
        self.item_actions.close()
        self.hand_over.close()
        self.files.close()
        self.form.close_down()
        self.prompt_tools.close()
        self._window_actions.close()
        self._late_parts.close()
        self.state.save_last()
