"""``Forecasts``: what the draft's job would need, computed on a thread at every change; and the learning from runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, Signal

from engine.jobs.notices import JobEnded
from engine.memory.footprints import Footprints
from engine.memory.forecast import Forecast, Forecaster
from engine.memory.history import History
from engine.memory.inventory import of_model
from engine.memory.machine import Machine, Rates
from engine.memory.observed import from_engine
from engine.memory.planned_model import PlannedModel
from engine.models.installed import InstalledModel
from engine.protocol.errors import LaternaError
from engine.protocol.recipe import Recipe
from ui.background import Background
from ui.session import Session

COARSE = 2**28
"""Bytes that free memory must move by before the forecast is made anew."""


@dataclass(frozen=True)
class ForecastSource:
    """Where forecasts come from. ``history`` has the rates that the forecaster's runs were measured against."""

    forecaster: Forecaster
    footprints: Footprints
    history: History | None = None


class Forecasts(QObject):
    """Nothing is known before ``set_source`` and before the engine has told of its device.

    Signals: ``changed`` when ``current`` is another one.
    """

    changed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._background = Background(threads=1, parent=self)
        self._source: ForecastSource | None = None
        self._components: dict[Path, PlannedModel | None] = {}
        self._seconds: dict[tuple[object, ...], float | None] = {}
        self._machine: Machine | None = None
        self._rates: dict[str, Rates | None] = {}
        self._busy = False
        self._stale = False
        self._warm_model = ""
        self.current: Forecast | None = None
        self.keep_free: Callable[[], int] = lambda: 0
        session.draft_edited.connect(self.refresh)
        session.draft_replaced.connect(self.refresh)
        session.models_changed.connect(self._models_changed)
        session.memory_changed.connect(self._memory_changed)
        session.engine_changed.connect(self._engine_changed)

    def set_source(self, source: ForecastSource) -> None:
        self._source = source
        self.refresh()

    def close(self) -> None:
        self._background.close()

    def seconds(self, recipe: Recipe) -> float | None:
        """Of one job with its model loaded; None where nothing is known of it yet."""
        model, machine, source = self._model(recipe), self._machine, self._source
        components = self._components.get(model.folder) if model is not None else None
        if model is None or machine is None or source is None or components is None:
            return None
        key = (
            recipe.model,
            recipe.width,
            recipe.height,
            recipe.frames,
            recipe.steps,
            recipe.batch,
            recipe.guidance > 1,
            recipe.use_t5,
            recipe.weights,
            recipe.conditioning,
            recipe.skip_layer_guidance,
            recipe.step_caching,
            recipe.upscaling,
        )
        if key not in self._seconds:
            known = self._as_learned(source, machine)
            found = source.forecaster.forecast(recipe, components, model.family, known, with_remedy=False)
            self._seconds[key] = found.seconds
        return self._seconds[key]

    def refresh(self) -> None:
        """Forecast the draft anew; ``changed`` follows if anything did."""
        model, machine, source = self._session.model, self._machine, self._source
        if self._busy:
            self._stale = True
            return
        if model is None or machine is None or source is None:
            self._show(None)
            return
        self._busy, self._stale = True, False
        recipe = self._session.draft.recipe
        self._background.run(
            lambda: self._forecast(source, recipe, model, machine), self._made, lambda error: self._made(None)
        )

    @property
    def is_warm(self) -> bool:
        """Whether the engine has just run the draft's model, so that there is nothing to load."""
        return bool(self._warm_model) and self._warm_model == self._session.draft.recipe.model

    def ended(self, ended: JobEnded) -> None:
        """Learn from a job that ran from its start to its end."""
        if ended.job.derivation is not None:
            return
        if ended.job.state == "done":
            self._warm_model = ended.job.recipe.model
        recipe, machine, source = ended.job.recipe, self._machine, self._source
        model = self._model(recipe)
        components = self._components.get(model.folder) if model is not None else None
        if not ended.seconds or machine is None or source is None or components is None:
            return

        def learn() -> None:
            known = self._as_learned(source, machine)
            if source.history is not None:
                source.history.keep_rates(known)
            self._rates[known.name] = known.rates
            source.forecaster.ran(recipe, components, known, ended.seconds, ended.peak_memory)

        self._background.run(learn, lambda _none: self._learned(), lambda error: None)

    # --- on the thread

    def _forecast(
        self, source: ForecastSource, recipe: Recipe, model: InstalledModel, machine: Machine
    ) -> Forecast | None:
        if model.folder not in self._components:
            try:
                self._components[model.folder] = of_model(model.info.id, model.folder, source.footprints)
            except LaternaError:
                self._components[model.folder] = None  # the models page and the job say what is wrong with it
        components = self._components[model.folder]
        known = self._as_learned(source, machine)
        return None if components is None else source.forecaster.forecast(recipe, components, model.family, known)

    def _as_learned(self, source: ForecastSource, machine: Machine) -> Machine:
        """With the rates that this machine's runs were learned against; read once, at the first forecast."""
        if source.history is not None and machine.name not in self._rates:
            kept = source.history.with_kept_rates(msgspec.structs.replace(machine, rates=None))
            self._rates[machine.name] = kept.rates
        rates = self._rates.get(machine.name)
        return machine if rates is None else msgspec.structs.replace(machine, rates=rates)

    # --- answers

    def _made(self, forecast: Forecast | None) -> None:
        self._busy = False
        if self._stale:
            self.refresh()
        self._show(forecast)

    def _show(self, forecast: Forecast | None) -> None:
        if forecast != self.current:
            self.current = forecast
            self.changed.emit()

    def _learned(self) -> None:
        self._seconds.clear()
        self.refresh()
        self.changed.emit()

    def _engine_changed(self) -> None:
        if self._session.engine.state in ("starting", "restarting", "stopped"):
            self._warm_model = ""

    def _models_changed(self) -> None:
        self._components.clear()
        self._seconds.clear()
        self.refresh()

    def _memory_changed(self) -> None:
        device, shown = self._session.engine.device, self._session.memory
        if device is None or shown is None:
            return
        machine = from_engine(device, shown.memory, self.keep_free())
        before = self._machine
        if (
            before is None
            or before.name != machine.name
            or (before.host_reserve, before.device_reserve) != (machine.host_reserve, machine.device_reserve)
            or abs(before.host_free - machine.host_free) > COARSE
            or abs(before.device_free - machine.device_free) > COARSE
        ):
            self._machine = machine
            self._seconds.clear()
            self.refresh()

    def _model(self, recipe: Recipe) -> InstalledModel | None:
        return self._session.find_model(recipe.model)
