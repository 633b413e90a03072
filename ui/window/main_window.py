"""The window: form, view and gallery side by side over a status line. It connects the parts, and works in none.

Before it is shown it builds only the form and the frames around it. The rest (view, gallery, library, models, engine)
follows from a zero timer, and what opens files does so on other threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMainWindow, QSplitter, QVBoxLayout, QWidget

from engine.jobs.notices import EngineStateChanged
from engine.models.installed import InstalledModel
from engine.models.upscalers import Upscaler, Upscalers
from engine.protocol.errors import ErrorInfo, LaternaError
from ui.action_table import ROWS
from ui.actions import Actions
from ui.background import Background
from ui.compare.comparing import Comparing
from ui.engine_link import EngineLink
from ui.generate.panel import GeneratePanel
from ui.library.enlarging import Enlarging
from ui.library.hand_over import HandOver
from ui.library.item_actions import ItemActions
from ui.library.label_actions import LabelActions
from ui.library.smoothing import Smoothing
from ui.loras import Loras
from ui.mask.masking import Masking
from ui.messages import Message, of_error
from ui.preference_store import PreferenceStore
from ui.preferences import Preferences
from ui.prompt_tools import PromptTools
from ui.sentences import said
from ui.session import Session
from ui.theme import Theme
from ui.widgets.icon_button import IconButton
from ui.widgets.room import Room
from ui.window import connections
from ui.window.answers import Answers, of_form
from ui.window.centre import Centre
from ui.window.drops import WindowDrops
from ui.window.examining import Examination, Examining
from ui.window.feed import Feed
from ui.window.folders import Folders
from ui.window.form_notes import FormNotes
from ui.window.links import Links
from ui.window.notifier import Notifier
from ui.window.pages import Pages
from ui.window.place import WindowPlace
from ui.window.recipe_files import RecipeFiles
from ui.window.reports import Reports, ReportSource
from ui.window.side import Side
from ui.window.status_bar import StatusBar
from ui.window.toggles import KeptPresets, Toggles

if TYPE_CHECKING:
    from engine.interop.report import ImportResult
    from ui.library.gallery import GalleryPanel
    from ui.models.link import ModelLink
    from ui.player.view_panel import ViewPanel
    from ui.queue.queue_actions import QueueActions
    from ui.queue.queue_panel import QueuePanel
    from ui.recipe.recipe_panel import RecipePanel
    from ui.window.services import Services

HIDDEN_FIELDS = frozenset(
    ("conditioning", "guidance_schedule", "text_encoding", "t5_mask", "inputs", "adapters", "weights")
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
        report_source: ReportSource | None = None,
        examination: Examination | None = None,
        version: str = "",
        notice: ErrorInfo | None = None,
    ) -> None:
        """``open_services`` and ``find_models`` are called on threads of their own.

        So is ``read_recipe``, which gives what made a file. ``frames_folder`` keeps frames that were dragged out,
        ``inputs_folder`` those that pictures start from. ``save_preferences`` writes ``preferences`` to disk; it is
        called on a thread, and at the end on this one. ``report_source`` knows of crashes; without it there are no
        reports. ``examination`` looks at this machine. ``notice`` is what to begin with saying.
        """
        super().__init__()
        self.theme = theme
        self._notice = notice
        self._closing = False
        self._started = False
        self._services: Services | None = None
        self.queue_actions: QueueActions | None = None
        self.prompt_tools = prompt_tools
        self.loras = loras
        for shared in (prompt_tools, loras):
            shared.setParent(self)
        self.store = PreferenceStore(preferences, save_preferences, self)
        self.background = Background(threads=3, parent=self)
        self.session = session = Session(preferences.kind, preferences.drafts, parent=self)
        self.actions_ = actions = Actions(session, preferences, theme=theme, tools=prompt_tools, parent=self)
        self.files = RecipeFiles(actions, session, read_recipe, inputs_folder, self)
        self.feed = Feed(session, parent=self)
        self.feed.show_previews = preferences.previews
        self.feed.estimate.keep_free = lambda: int(preferences.keep_free * 2**30)
        self.notifier = Notifier(self, preferences)
        self.links = Links(open_services, find_models, self.background, self)
        self.form = GeneratePanel(session, theme=theme, tools=prompt_tools, loras=loras)
        self.centre = Centre(session, actions, self.store, theme=theme, frames_folder=frames_folder)
        self.side = Side(actions, self.store, theme=theme)
        self.status = StatusBar(session, theme=theme)
        self.menu_button = IconButton("menu", self.tr("Menu (F10)"), theme=theme, role="muted")
        self._lay_out()
        self.item_actions = ItemActions(session, actions, self)
        self.enlarging = Enlarging(self.item_actions, actions.submit_derivations, self._upscalers, self)
        self.smoothing = Smoothing(self.item_actions, actions.submit_derivations, self)
        self.label_actions = LabelActions(self.item_actions, self)
        self.hand_over = HandOver(session, actions, self.item_actions, self)
        self.comparing = Comparing(self.item_actions, self.background, theme=theme, parent=self.centre)
        self.masking = Masking(session, actions, inputs_folder, theme=theme, parent=self.centre)
        self.drops = WindowDrops(self, session, actions, form=self.form, files=self.files, background=self.background)
        self.pages = Pages(
            session,
            actions,
            self.store,
            prompt_tools,
            seconds=self.feed.estimate.seconds,
            output_folder=output_folder,
            version=version,
            theme=theme,
            menu_below=self.menu_button,
            parent=self,
        )
        self.folders = Folders(self.store, output_folder, prompt_tools.wildcards.folder, self)
        self.notes = FormNotes(self.form, session, self.feed.estimate, self)
        self.toggles = Toggles(self.store, self)
        self.presets = KeptPresets(session, self.store, self)
        self.reports = Reports(session, report_source, self.background, self) if report_source is not None else None
        self.answers = Answers()
        if examination is not None:
            self.answers.add(Examining(examination, self.background, self).answers)
        self._connect()
        self._connect_links()
        self._place = WindowPlace(self, self.splitter, self.store)
        self._place.restore()

    # --- parts that come after the first paint

    @property
    def preferences(self) -> Preferences:
        return self.store.values

    @property
    def view(self) -> ViewPanel | None:
        return self.centre.view

    @property
    def recipe_panel(self) -> RecipePanel | None:
        return self.centre.recipe

    @property
    def gallery(self) -> GalleryPanel | None:
        return self.side.gallery

    @property
    def queue(self) -> QueuePanel | None:
        return self.side.queue

    @property
    def link(self) -> EngineLink | None:
        return self.links.engine

    @property
    def model_link(self) -> ModelLink | None:
        return self.links.models

    # --- building

    def _upscalers(self) -> tuple[Upscaler, ...]:
        return (self._services.upscalers if self._services is not None else Upscalers()).all()

    def _show_upscalers(self) -> None:
        self.form.parameters.upscaling.set_upscalers(self._upscalers())

    def _lay_out(self) -> None:
        self.setWindowTitle("Laterna")
        preferences = self.preferences
        self.form.prompts.completion.enabled = preferences.suggestions
        self.form.set_presets(preferences.presets)
        self.form.set_advanced_open(preferences.advanced_open)
        self.menu_button.setFixedSize(34, 34)
        self.form.head.addWidget(self.menu_button)
        self.messages = self.centre.messages
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        for pane in (self.form, self.centre, self.side):
            self.splitter.addWidget(pane)
        self.splitter.setStretchFactor(0, 0)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setStretchFactor(2, 0)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(Room(self.splitter), 1)
        column.addWidget(self.status)
        self.setCentralWidget(whole)
        self.addActions(self.actions_.all())
        self.form.prompts.prompt.setFocus()

    def _connect(self) -> None:
        actions, session, form, files, pages = self.actions_, self.session, self.form, self.files, self.pages
        form.generate_wanted.connect(actions.generate)
        form.vary_wanted.connect(pages.show_variations)
        form.combinations_wanted.connect(pages.show_combinations)
        form.cancel_wanted.connect(actions.cancel)
        form.file_wanted.connect(self.folders.open_file)
        form.report.models_wanted.connect(pages.show_models)
        form.parameters.presets.kept.connect(self.presets.keep)
        form.parameters.presets.removed.connect(self.presets.remove)
        self.menu_button.clicked.connect(pages.show_menu)
        self.status.queue_wanted.connect(self.side.toggle_queue)
        pages.variations_wanted.connect(actions.generate_variations)
        self.folders.file_chosen.connect(files.read_file)
        self.drops.model_dropped.connect(pages.import_model)
        self.centre.example_wanted.connect(self._make_example)
        self.comparing.began.connect(self.messages.raise_)
        self.masking.began.connect(self.messages.raise_)
        self.masking.mask_set.connect(lambda: form.disclosure.setChecked(True))
        form.advanced.inputs.paint_wanted.connect(self.masking.paint_for_form)
        actions.refused.connect(self._refused)
        actions.undone.connect(self.messages.dismiss_about)
        actions.model_wanted.connect(pages.show_models)
        actions.submitted.connect(self.feed.follow)
        actions.submitted.connect(self.store.save_now)
        actions.wanted.connect(self.answers.run)
        files.imported.connect(form.report.show_result)
        files.import_undone.connect(form.report.hide)
        files.start_picture_set.connect(lambda: form.disclosure.setChecked(True))
        self.item_actions.library_changed.connect(self.feed.library_changed)
        self.feed.refused.connect(lambda error: self._refused(error, focus=False))
        self.feed.restart_wanted.connect(actions.restart_engine)
        self.store.changed.connect(self._preference_changed)
        self.store.saving.connect(self._keep_form)
        self.theme.changed.connect(self.store.save_soon)
        session.draft_edited.connect(self._draft_changed)
        session.draft_replaced.connect(self._draft_changed)
        saying = (actions, files, self.feed, self.drops, self.comparing, self.masking)
        for part in (*saying, self.folders, self.toggles, self.presets):
            part.said.connect(self.messages.show_message)
        for part in (self.prompt_tools, self.loras, self.store, self.links, self.drops, self.comparing, self.masking):
            part.failed.connect(self._failed)
        answering = (
            self.item_actions,
            self.enlarging,
            self.smoothing,
            self.label_actions,
            self.hand_over,
            self.comparing,
            self.masking,
            self.centre,
            self.side,
        )
        for part in (*answering, pages, self.folders, self.toggles):
            self.answers.add(part.answers)
        self.answers.add(of_form(form))
        self.answers.add({"quit": self.close})
        if self.reports is not None:
            self.reports.said.connect(self.messages.show_message)
            self.reports.failed.connect(self._failed)
            self.painted.connect(self.reports.look_for_crash)
            self.feed.report_wanted.connect(self.reports.show)
            self.answers.add(self.reports.answers)

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
            self.messages.show_message(of_error(self._notice))
        self.prompt_tools.load()
        self.loras.load()
        self.links.open()
        self.background.run(_import_panels, lambda _none: self._build_view(), self._failed)

    def _build_view(self) -> None:
        connections.connect_view(
            self.centre.build_view(),
            feed=self.feed,
            items=self.item_actions,
            hand_over=self.hand_over,
            comparing=self.comparing,
            masking=self.masking,
            files=self.files,
            answers=self.answers,
            messages=self.messages,
        )
        self._connect_gallery_and_view()
        QTimer.singleShot(0, self, self._build_queue)

    def _build_queue(self) -> None:
        self.side.build_queue()
        self._connect_queue()

    def _connect_links(self) -> None:
        self.links.opened.connect(self._services_opened)
        self.links.closed.connect(self._services_closed)
        self.links.started.connect(self._links_started)
        self.links.models_found.connect(self._models_found)

    def _services_opened(self, services: Services) -> None:
        self._services = services
        assert self.links.engine is not None and self.links.models is not None
        self.item_actions.library = services.library
        self.prompt_tools.attach_library(services.library)
        self.feed.estimate.set_source(services.forecasts)
        self.pages.attach_models(self.links.models)
        self._show_upscalers()
        self.links.models.changed.connect(self._show_upscalers)
        connections.connect_gallery(
            self.side.build_gallery(services),
            feed=self.feed,
            items=self.item_actions,
            labels=self.label_actions,
            hand_over=self.hand_over,
            actions=self.actions_,
            answers=self.answers,
            messages=self.messages,
        )
        connections.connect_engine(
            self.links.engine, session=self.session, feed=self.feed, actions=self.actions_, notifier=self.notifier
        )
        if self.reports is not None:
            self.reports.watch(self.links.engine)
        self._connect_gallery_and_view()
        self._connect_queue()

    def _connect_gallery_and_view(self) -> None:
        """Once both are there; they come in either order."""
        if self.gallery is not None and self.view is not None:
            connections.connect_gallery_and_view(self.gallery, self.view, self.feed)

    def _connect_queue(self) -> None:
        """Once the panel and the link are both there."""
        if self.queue is not None and self.link is not None and self._services is not None:
            self.queue_actions = connections.connect_queue(
                self.queue,
                self.link,
                self._services,
                session=self.session,
                feed=self.feed,
                items=self.item_actions,
                actions=self.actions_,
                answers=self.answers,
                messages=self.messages,
                parent=self,
            )

    def _links_started(self) -> None:
        self.links.preload(self.session.model)
        self.ready.emit()

    def _services_closed(self, error: LaternaError) -> None:
        self.messages.show_message(of_error(error.info(), "services"))
        self.session.set_engine(EngineStateChanged("stopped", error.message, error=error.info()))

    def _models_found(self, models: tuple[InstalledModel, ...]) -> None:
        self.session.set_models(models)
        if not models:
            text = self.tr("No model was found. Download or import one: Models… in the menu.")
            self.messages.show_message(Message(text, "warning", seconds=0.0))
        self.links.preload(self.session.model)

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
        message = of_error(error)
        if error.kind == "NotFinite" and error.field in ("adapters", "weights"):
            words = self.tr("Take the LoRAs off") if error.field == "adapters" else self.tr("Take the exact weights")
            message = replace(message, button=words, action=lambda: self.actions_.take_out(error.field))
        self.messages.show_message(message)

    def _failed(self, error: LaternaError) -> None:
        self.messages.show_message(of_error(error.info()))

    def _make_example(self) -> None:
        """The first of the model's examples, where nothing is written yet."""
        draft, model = self.session.draft, self.session.model
        if model is not None and model.info.examples and not draft.recipe.prompt.strip():
            self.session.replace(draft.with_recipe(prompt=model.info.examples[0]))
        self.form.prompts.prompt.setFocus()
        self.actions_.generate()

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

    # --- what changed

    def _preference_changed(self, field: str) -> None:
        """At once where that is possible. Jobs read theirs when they begin."""
        value = getattr(self.preferences, field)
        if field == "theme":
            self.theme.set_mode(value)
        elif field == "previews":
            self.feed.show_previews = value
        elif field == "suggestions":
            self.form.prompts.completion.enabled = value
        elif field == "presets":
            self.form.set_presets(value)
        self.actions_.refresh()

    def _draft_changed(self) -> None:
        self.notes.tell()
        self.store.save_soon()

    def _keep_form(self) -> None:
        preferences = self.preferences
        preferences.kind = self.session.kind
        preferences.drafts = self.session.drafts
        preferences.advanced_open = self.form.disclosure.isChecked()

    # --- closing

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        self.shut_down()

    def shut_down(self) -> None:
        """Save, end the engine, and wait for every thread. Safe to call twice."""
        if self._closing:
            return
        self._closing = True
        self.store.collect()
        self.hide()
        for part in (self.background, self.feed.estimate, self.item_actions, self.hand_over, self.files):
            part.close()
        self.form.close_down()
        self.prompt_tools.close()
        self.comparing.close()
        self.masking.close()
        self.links.stop()
        self.side.close_down()
        self.centre.close_down()
        self.links.close()
        self.store.close()


def _import_panels() -> None:
    """What the window builds next, imported on a thread: reading it takes longer than a frame."""
    import ui.player.view_panel
    import ui.queue.queue_panel  # noqa: F401
