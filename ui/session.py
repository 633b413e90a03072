"""``Session``: what the window knows at this moment, and says when it changes. No widget in here."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import QObject, Signal, Slot

from engine.jobs.job import Job
from engine.jobs.notices import EngineStateChanged, JobEnded, JobProgressed, MemoryShown, QueueChanged
from engine.library.item import Item
from engine.models.catalog import FAMILIES
from engine.models.installed import InstalledModel
from engine.prompt.templates import escape
from engine.protocol.family_info import Kind
from engine.protocol.recipe import Recipe
from ui.draft import Draft

KINDS: tuple[Kind, ...] = ("video", "image")


class Session(QObject):
    """Signals: ``draft_edited`` after the person changed the form, ``draft_replaced`` when the form must show another
    draft, ``models_changed``, ``engine_changed``, ``queue_changed``, ``progressed``, ``memory_changed`` and
    ``item_changed`` after the property of that name changed."""

    draft_edited = Signal()
    draft_replaced = Signal()
    models_changed = Signal()
    engine_changed = Signal()
    queue_changed = Signal()
    progressed = Signal()
    memory_changed = Signal()
    item_changed = Signal()

    def __init__(
        self, kind: Kind = "image", drafts: dict[Kind, Draft] | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._kind: Kind = kind
        self._drafts: dict[Kind, Draft] = dict(drafts or {})
        self._models: tuple[InstalledModel, ...] = ()
        self._models_known = False
        self._engine = EngineStateChanged("starting")
        self._jobs: tuple[Job, ...] = ()
        self._running: Job | None = None
        self._queue_paused = False
        self._editing: Job | None = None
        self._ended = 0
        self._progress: JobProgressed | None = None
        self._memory: MemoryShown | None = None
        self._item: Item | None = None

    # --- the form

    @property
    def kind(self) -> Kind:
        return self._kind

    @property
    def drafts(self) -> dict[Kind, Draft]:
        return dict(self._drafts)

    @property
    def draft(self) -> Draft:
        return self._drafts.get(self._kind, Draft())

    def edit(self, draft: Draft) -> None:
        """The person changed the form."""
        if draft != self.draft:
            self._drafts[self._kind] = draft
            self.draft_edited.emit()

    def replace(self, draft: Draft) -> None:
        """Show another draft in the form."""
        self._drafts[self._kind] = draft
        self.draft_replaced.emit()

    def set_kind(self, kind: Kind) -> None:
        """Pictures or clips. Each keeps its own draft; a first visit takes the prompt along, or another example."""
        if kind == self._kind:
            return
        prompt, negative = self.draft.recipe.prompt, self.draft.recipe.negative_prompt
        known = self.model.info.examples if self.model is not None else ()
        self._kind = kind
        if kind not in self._drafts:
            if prompt in known and self.models and self.models[0].info.examples:
                prompt = self.models[0].info.examples[0]
            self._drafts[kind] = Draft().with_recipe(prompt=prompt, negative_prompt=negative)
        self._settle_model()
        self.draft_replaced.emit()

    def restore(self, recipe: Recipe) -> None:
        """Put all of ``recipe`` into the form, with its seed kept. A model that is not here leaves its settings.

        Braces in its texts are plain characters: what was drawn once is not drawn again.
        """
        family = FAMILIES.get(recipe.family)
        if family is not None:
            self._kind = family.kind
        texts = {"prompt": escape(recipe.prompt), "negative_prompt": escape(recipe.negative_prompt)}
        self._drafts[self._kind] = Draft(recipe.replace(model_hashes={}, **texts), count=1, random_seed=False)
        self._settle_model()
        self.draft_replaced.emit()

    # --- models

    @property
    def models(self) -> tuple[InstalledModel, ...]:
        """The models of the form's kind."""
        return tuple(model for model in self._models if model.info.kind == self._kind)

    @property
    def all_models(self) -> tuple[InstalledModel, ...]:
        return self._models

    @property
    def models_known(self) -> bool:
        """False until the folders were looked through."""
        return self._models_known

    @property
    def model(self) -> InstalledModel | None:
        """The draft's model, where it is on this machine."""
        recipe = self.draft.recipe
        return next((model for model in self.models if model.info.id == recipe.model), None)

    def find_model(self, model_id: str) -> InstalledModel | None:
        """Of either kind."""
        return next((model for model in self._models if model.info.id == model_id), None)

    def has_model(self, model_id: str) -> bool:
        return any(model.info.id == model_id for model in self._models)

    def set_models(self, models: tuple[InstalledModel, ...]) -> None:
        self._models = models
        self._models_known = True
        self._settle_model()
        self.models_changed.emit()
        self.draft_replaced.emit()

    def choose_model(self, model_id: str) -> None:
        """Another model, with its reference settings; prompts, seed, count, and what it is given beside them stay."""
        model = next((model for model in self.models if model.info.id == model_id), None)
        if model is not None and model_id != self.draft.recipe.model:
            self._drafts[self._kind] = _with_defaults(self.draft, model)
            self.draft_replaced.emit()

    def _settle_model(self) -> None:
        """Give the draft a model of this machine where it has none."""
        if not self.models or self.model is not None:
            return
        recipe = self.draft.recipe
        kin = next((model for model in self.models if model.info.family == recipe.family), None)
        if kin is not None:
            self._drafts[self._kind] = self.draft.with_recipe(model=kin.info.id)
        else:
            self._drafts[self._kind] = _with_defaults(self.draft, self.models[0])

    # --- engine and queue

    @property
    def engine(self) -> EngineStateChanged:
        return self._engine

    @property
    def running(self) -> Job | None:
        return self._running

    @property
    def jobs(self) -> tuple[Job, ...]:
        return self._jobs

    @property
    def waiting(self) -> int:
        """How many wait or are paused."""
        return len(self._jobs) - (self._running is not None)

    @property
    def queue_paused(self) -> bool:
        return self._queue_paused

    @property
    def editing(self) -> Job | None:
        """The waiting job whose recipe is in the form: Generate puts it back into the queue."""
        return self._editing

    def set_editing(self, job: Job | None) -> None:
        if job is not self._editing:
            self._editing = job
            self.draft_replaced.emit()

    @property
    def place(self) -> tuple[int, int]:
        """The running job's number, and how many there are since the queue was last empty: (1, 4) is "1 of 4"."""
        return self._ended + 1, self._ended + len(self._jobs)

    @property
    def progress(self) -> JobProgressed | None:
        return self._progress

    @property
    def memory(self) -> MemoryShown | None:
        return self._memory

    @Slot(object)
    def set_engine(self, state: EngineStateChanged) -> None:
        if state.device is None and self._engine.device is not None:
            state = msgspec.structs.replace(state, device=self._engine.device, versions=self._engine.versions)
        self._engine = state
        self.engine_changed.emit()

    @Slot(object)
    def set_queue(self, queue: QueueChanged) -> None:
        self._jobs = queue.jobs
        self._queue_paused = queue.paused
        self._running = queue.jobs[0] if queue.jobs and queue.jobs[0].state == "running" else None
        if not queue.jobs:
            self._ended = 0
        if self._progress is not None and (self._running is None or self._running.id != self._progress.job):
            self._progress = None
        self.queue_changed.emit()

    @Slot(object)
    def set_progress(self, progress: JobProgressed) -> None:
        self._progress = progress
        self.progressed.emit()

    @Slot(object)
    def job_ended(self, ended: JobEnded) -> None:
        if self._running is not None and self._running.id == ended.job.id:
            self._jobs, self._running = self._jobs[1:], None
        else:
            self._jobs = tuple(job for job in self._jobs if job.id != ended.job.id)
        self._ended = self._ended + 1 if self._jobs else 0
        if self._progress is not None and self._progress.job == ended.job.id:
            self._progress = None
        self.queue_changed.emit()

    @Slot(object)
    def set_memory(self, memory: MemoryShown) -> None:
        self._memory = memory
        self.memory_changed.emit()

    # --- what is looked at

    @property
    def item(self) -> Item | None:
        return self._item

    @Slot(object)
    def set_item(self, item: Item | None) -> None:
        self._item = item
        self.item_changed.emit()


def _with_defaults(draft: Draft, model: InstalledModel) -> Draft:
    """LoRAs go along within a family, and are switched off in another: nothing that the person chose is lost."""
    old = draft.recipe
    recipe = model.info.recipe(old.prompt, negative_prompt=old.negative_prompt, seed=old.seed, batch=old.batch)
    roles = {rule.role for rule in model.inputs}
    recipe = recipe.replace(inputs=tuple(one for one in old.inputs if one.role in roles))
    if "mask" in roles:
        recipe = recipe.replace(inpainting=old.inpainting)
    if old.family == recipe.family:
        return draft.replace(recipe=recipe.replace(adapters=old.adapters))
    return draft.replace(recipe=recipe, loras_off=draft.all_loras_off())
