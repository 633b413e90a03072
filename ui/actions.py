"""Everything a person can do, one method each. Buttons, menus and shortcuts call the same ones.

What needs a widget (search field, player, dialogs) is asked for by a signal; the window answers it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QIcon, QKeySequence

from engine.jobs.variations import Axis
from engine.library.item import Item
from engine.models.catalog import MODELS
from engine.protocol.derivation import Derivation
from engine.protocol.errors import ErrorInfo
from engine.protocol.family_info import Kind
from engine.protocol.recipe import Recipe
from ui.action_table import ROWS, Row
from ui.draft import draw_seed
from ui.engine_link import EngineLink
from ui.messages import INFO_SECONDS, Message, Severity, of_error
from ui.preferences import Preferences
from ui.prompt_tools import PromptTools
from ui.session import Session
from ui.submitting import Submitting
from ui.theme import Theme
from ui.undo import UndoList, Undone

MAX_DROPPED_TEXT = 1_000_000


class Actions(QObject):
    """Signals:

    ``said(Message)``
    ``refused(ErrorInfo)`` a field's value was refused
    ``submitted`` after jobs were put on the queue
    ``undone(object)`` what ``push_undo`` gave, once it is taken back
    ``model_wanted(str)`` a catalogued model that is not here
    ``wanted(str)`` an action that a widget carries out, by its name
    ``file_wanted(Path)`` the recipe of a file that another program made
    """

    said = Signal(object)
    refused = Signal(object)
    submitted = Signal()
    undone = Signal(object)
    model_wanted = Signal(str)
    wanted = Signal(str)
    file_wanted = Signal(object)

    def __init__(
        self,
        session: Session,
        preferences: Preferences,
        *,
        theme: Theme,
        tools: PromptTools,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._preferences = preferences
        self._theme = theme
        self._link: EngineLink | None = None
        self._undo = UndoList(self)
        self._submitting = Submitting(session, preferences, tools, self)
        self._submitting.said.connect(self.said)
        self._submitting.refused.connect(self.refused)
        self._submitting.failed.connect(self.engine_refused)
        self._submitting.submitted.connect(self.submitted)
        self._actions: dict[str, QAction] = {}
        self._make()
        self._undo.changed.connect(self.refresh)
        self._undo.undone.connect(self.undone)
        theme.changed.connect(self._dress)
        session.item_changed.connect(self.refresh)
        session.queue_changed.connect(self.refresh)
        session.models_changed.connect(self.refresh)
        self.refresh()

    def attach_engine(self, link: EngineLink) -> None:
        self._link = link
        self._submitting.attach_engine(link)

    # --- the actions as Qt sees them

    def action(self, name: str) -> QAction:
        return self._actions[name]

    def all(self) -> list[QAction]:
        return list(self._actions.values())

    def _make(self) -> None:
        for row in ROWS:
            action = QAction(self.tr(row.text), self)
            action.setObjectName(row.name)
            action.setAutoRepeat(row.repeats)
            if row.keys and not row.soft:
                action.setShortcuts([QKeySequence(key) for key in row.keys])
                action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            method: Callable[[], None] | None = getattr(self, row.name, None)
            action.triggered.connect(self._calls(method, row))
            self._actions[row.name] = action
        self._dress()

    def _calls(self, method: Callable[[], None] | None, row: Row) -> Callable[[], None]:
        if method is not None:
            return method
        return lambda: self.wanted.emit(row.name)

    def _dress(self) -> None:
        for row in ROWS:
            self._actions[row.name].setIcon(self._theme.icon(row.icon) if row.icon else QIcon())

    def refresh(self) -> None:
        """Which actions make sense now."""
        item, session = self._session.item, self._session
        for row in ROWS:
            if row.needs_item:
                self._actions[row.name].setEnabled(item is not None)
        self._actions["use_recipe"].setEnabled(item is not None and item.recipe is not None)
        self._actions["use_seed"].setEnabled(item is not None and item.recipe is not None)
        self._actions["delete"].setEnabled(item is not None and item.trashed is None)
        self._actions["put_back"].setEnabled(item is not None and item.trashed is not None)
        self._actions["generate"].setEnabled(session.model is not None)
        self._actions["cancel"].setEnabled(session.running is not None)
        self._actions["clear_queue"].setEnabled(session.waiting > 0)
        last = self._undo.last
        self._actions["undo"].setEnabled(last is not None)
        text = self.tr("Undo {what}").format(what=last[0]) if last is not None else self.tr("Undo")
        self._actions["undo"].setText(text)
        self._actions["toggle_previews"].setCheckable(True)
        self._actions["toggle_previews"].setChecked(self._preferences.previews)
        self._actions["toggle_a1111"].setCheckable(True)
        self._actions["toggle_a1111"].setChecked(self._preferences.a1111_parameters)
        self._actions["toggle_wait_after_start"].setCheckable(True)
        self._actions["toggle_wait_after_start"].setChecked(self._preferences.wait_after_start)
        for name in ("vary", "vary_texts"):
            self._actions[name].setEnabled(session.model is not None and session.editing is None)
        self._actions["pause_queue"].setText(
            self.tr("Go on with the queue") if session.queue_paused else self.tr("Pause the queue")
        )
        favourite = item is not None and item.favourite
        self._actions["toggle_favourite"].setText(
            self.tr("Remove from favourites") if favourite else self.tr("Add to favourites")
        )

    # --- making

    def generate(self) -> None:
        """Freeze the draft and put it on the queue. A value out of range is refused at its field; nothing is lost."""
        self._submitting.generate()

    def generate_variations(self, axes: tuple[Axis, ...]) -> None:
        """A job for every combination of the values of one or two settings, the draft's own for the others."""
        self._submitting.generate_variations(axes)

    def submit_recipes(self, recipes: Sequence[Recipe]) -> None:
        """Put each on the queue as it is, seed and all; how many this machine cannot make is told."""
        self._submitting.submit_recipes(recipes)

    def submit_derivations(self, derivations: Sequence[tuple[Derivation, Recipe | None]]) -> None:
        """Put each on the queue, with the recipe of what it is made from."""
        self._submitting.submit_derivations(derivations)

    def cancel(self) -> None:
        """Stop the running job."""
        running = self._session.running
        if running is not None and self._link is not None:
            self._link.cancel(running.id)

    def clear_queue(self) -> None:
        if self._link is not None:
            self._link.clear_waiting()

    def restart_engine(self) -> None:
        if self._link is not None:
            self._link.restart_engine()

    def take_out(self, field: str) -> None:
        """Give a field of the recipe that no control shows its default value."""
        default = getattr(Recipe(family="", model=""), field)
        if field == "adapters":
            self._session.replace(self._session.draft.with_recipe(adapters=()))
        else:
            self._session.replace(self._session.draft.with_recipe(**{field: default}))

    def randomise_seed(self) -> None:
        self._session.replace(self._session.draft.with_recipe(seed=draw_seed()))

    def make_images(self) -> None:
        self._set_kind("image")

    def make_clips(self) -> None:
        self._set_kind("video")

    def _set_kind(self, kind: Kind) -> None:
        self._session.set_kind(kind)

    # --- recipes

    def use_recipe(self) -> None:
        """Everything that made the item shown, into the form."""
        if self._session.item is not None:
            self.use_recipe_of(self._session.item)

    def use_recipe_of(self, item: Item) -> None:
        """Another program's file is read again, with a report of what is different here."""
        if item.recipe is not None and item.program:
            self.file_wanted.emit(item.file)
        elif item.recipe is not None:
            self.restore(item.recipe, item.path.name)

    def use_seed(self) -> None:
        item = self._session.item
        if item is not None and item.recipe is not None:
            draft = self._session.draft.with_recipe(seed=item.recipe.seed).replace(random_seed=False)
            self._session.replace(draft)

    def restore(self, recipe: Recipe, source: str) -> Undone:
        """Put ``recipe`` into the form; ``source`` is the name of the file that carried it. As ``push_undo``."""
        before = self._session.draft
        kind = self._session.kind
        self._session.restore(recipe)
        done = self.push_undo(self.tr("restoring the recipe"), lambda: self._put_back(kind, before))
        if self._session.models_known and not self._session.has_model(recipe.model):
            used, wanted = self._session.model, MODELS.get(recipe.model)
            text = self.tr("{file} was made with {model}, which is not on this machine.").format(
                file=source, model=wanted.name if wanted is not None else recipe.model
            )
            if used is not None:
                text += " " + self.tr("Its settings are in the form, for {model}.").format(model=used.info.name)
            get = partial(self.model_wanted.emit, recipe.model) if wanted is not None else None
            self._say(text, "warning", self.tr("Undo"), undoes=True, other=(self.tr("Get it in Models…"), get))
        else:
            text = self.tr("Every setting of {file} is in the form.").format(file=source)
            self._say(text, "info", self.tr("Undo"), undoes=True)
        return done

    def keep_draft(self) -> Callable[[], None]:
        """What puts the form back to how it is now."""
        before, kind = self._session.draft, self._session.kind
        return lambda: self._put_back(kind, before)

    def use_text(self, text: str) -> None:
        """Dropped text becomes the prompt."""
        before, kind = self._session.draft, self._session.kind
        self._session.replace(before.with_recipe(prompt=text[:MAX_DROPPED_TEXT]))
        self.push_undo(self.tr("dropping text"), lambda: self._put_back(kind, before))

    def _put_back(self, kind: Kind, draft: object) -> None:
        self._session.set_kind(kind)
        self._session.replace(draft)  # type: ignore[arg-type]

    # --- taking back

    def offer_undo(self, text: str, what: str, back: Callable[[], None], button: str = "") -> None:
        """Say what was done, with a button that takes it back, as Ctrl+Z does."""
        self.push_undo(what, back)
        self._say(text, "info", button or self.tr("Undo"), undoes=True)

    def undo(self) -> None:
        """Take back what was done last."""
        self._undo.undo()

    def push_undo(self, what: str, back: Callable[[], None]) -> Undone:
        """``undo`` calls ``back``; ``what`` names it in the menu. Gives what ``undone`` will tell."""
        return self._undo.push(what, back)

    # --- the window

    def toggle_theme(self) -> None:
        self._theme.toggle()
        self._preferences.theme = self._theme.mode

    def follow_system_theme(self) -> None:
        self._theme.set_mode("system")
        self._preferences.theme = "system"

    # --- inner

    def engine_refused(self, error: ErrorInfo) -> None:
        """The queue did not take a command."""
        if error.kind == "BadRecipe" and error.field:
            self.refused.emit(error)
        else:
            self.said.emit(of_error(error))

    def _say(
        self,
        text: str,
        severity: Severity = "info",
        button: str = "",
        undoes: bool = False,
        other: tuple[str, Callable[[], None] | None] = ("", None),
    ) -> None:
        """``undoes``: of what was done last; the button takes it back, and the message goes once it is taken back.
        ``other`` is a second button."""
        seconds = INFO_SECONDS if severity == "info" else 0.0
        about = self._undo.last if undoes else None
        # What was done last as of now, and nothing else: its message may be there longer than that.
        action = partial(self._undo.take_back, about) if about is not None else None
        self.said.emit(Message(text, severity, "", button, action, seconds, "action", about, *other))
