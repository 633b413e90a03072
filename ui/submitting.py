"""From the form to the queue: the draft is frozen, checked, its texts drawn, and it waits its turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal

from engine.jobs.variations import Axis
from engine.models.installed import InstalledModel
from engine.protocol.derivation import Derivation
from engine.protocol.errors import BadRecipe, LaternaError
from engine.protocol.recipe import Recipe
from ui.draft import Draft, draw_seed
from ui.engine_link import EngineLink
from ui.messages import INFO_SECONDS, Message, Severity
from ui.preferences import Preferences
from ui.prompt_tools import PromptTools, Texts
from ui.session import Session


class Submitting(QObject):
    """Signals: ``said(Message)``; ``refused(ErrorInfo)`` a field's value was refused; ``failed(ErrorInfo)`` the texts
    could not be drawn; ``submitted`` after jobs were put on the queue."""

    said = Signal(object)
    refused = Signal(object)
    failed = Signal(object)
    submitted = Signal()

    def __init__(
        self, session: Session, preferences: Preferences, tools: PromptTools, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._preferences = preferences
        self._tools = tools
        self._link: EngineLink | None = None

    def attach_engine(self, link: EngineLink) -> None:
        self._link = link

    def generate(self) -> None:
        """Freeze the draft and put it on the queue. A value out of range is refused at its field; nothing is lost."""

        def submit(draft: Draft, model: InstalledModel) -> None:
            self._tools.texts(draft, model.info, lambda texts: self._submit(draft, model, texts), self._failed)

        self._freeze(submit)

    def generate_variations(self, axes: tuple[Axis, ...]) -> None:
        """A job for every combination of the values of one or two settings, the draft's own for the others."""

        def submit(draft: Draft, model: InstalledModel) -> None:
            def drawn(texts: Texts) -> None:
                if self._link is not None:
                    name, folder = self._preferences.file_name, self._preferences.output_folder
                    self._link.submit_variations(draft.recipe, str(model.folder), axes, folder, name, texts)
                    self.submitted.emit()

            self._tools.grid_texts(draft, model.info, axes, drawn, self._failed)

        self._freeze(submit)

    def _freeze(self, submit: Callable[[Draft, InstalledModel], None]) -> None:
        draft, model = self._session.draft, self._session.model
        if model is None:
            self._say(self.tr("There is no model for this on this machine."), "warning")
            return
        if draft.random_seed:
            draft = draft.with_recipe(seed=draw_seed())
        try:
            model.check(draft.recipe)
        except BadRecipe as error:
            self.refused.emit(error.info())
            return
        if draft != self._session.draft:
            self._session.replace(draft)
        if self._link is None:
            self._say(self.tr("Laterna is still starting; try again in a moment."), "warning")
            return
        submit(draft, model)

    def _submit(self, draft: Draft, model: InstalledModel, texts: Texts) -> None:
        """``texts`` are those of each job, where they are not the draft's own."""
        if self._link is None:
            return
        editing = self._session.editing
        if editing is not None:
            recipe = draft.recipe.replace(prompt=texts[0][0], negative_prompt=texts[0][1]) if texts else draft.recipe
            self._link.edit(editing.id, recipe, str(model.folder))
            self._session.set_editing(None)
            self._say(self.tr("The job is changed and back in the queue."))
            return
        self._link.submit(
            draft.recipe,
            str(model.folder),
            draft.count,
            self._preferences.output_folder,
            self._preferences.file_name,
            texts,
        )
        self.submitted.emit()

    def submit_recipes(self, recipes: Sequence[Recipe]) -> None:
        """Put each on the queue as it is, seed and all; how many this machine cannot make is told."""
        link = self._link
        if link is None:
            return
        name, folder = self._preferences.file_name, self._preferences.output_folder
        left_out = 0
        for recipe in recipes:
            model = self._session.find_model(recipe.model)
            try:
                if model is None:
                    raise BadRecipe("Its model is not on this machine.")
                model.check(recipe)
            except BadRecipe:
                left_out += 1
                continue
            link.submit(recipe, str(model.folder), 1, folder, name, ())
        if left_out < len(recipes):
            self.submitted.emit()
        if left_out:
            text = self.tr("{count} of {all} cannot be made here: the model is missing, or a setting does not fit.")
            self._say(text.format(count=left_out, all=len(recipes)), "warning")

    def submit_derivations(self, derivations: Sequence[tuple[Derivation, Recipe | None]]) -> None:
        """Put each on the queue, with the recipe of what it is made from."""
        if self._link is None:
            self._say(self.tr("Laterna is still starting; try again in a moment."), "warning")
            return
        self._link.submit_derivations(derivations, self._preferences.output_folder)
        self.submitted.emit()

    def _failed(self, error: LaternaError) -> None:
        self.failed.emit(error.info())

    def _say(self, text: str, severity: Severity = "info") -> None:
        seconds = INFO_SECONDS if severity == "info" else 0.0
        self.said.emit(Message(text, severity, seconds=seconds, topic="action"))
