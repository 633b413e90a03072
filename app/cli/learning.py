"""What ``generate`` expects of a run and what it took: kept as the window keeps it, so that both learn from both."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from app.paths import Paths
from engine.memory.footprints import Footprints
from engine.memory.forecast import Forecast, Forecaster
from engine.memory.history import History
from engine.memory.inventory import of_model
from engine.memory.machine import HOST_PROCESS, Machine
from engine.memory.observed import from_engine
from engine.models.catalog import FAMILIES
from engine.models.upscalers import Upscalers
from engine.protocol.errors import LaternaError
from engine.protocol.events import DeviceInfo, JobFinished, MemoryChanged
from engine.protocol.recipe import Recipe


class Learning:
    """``begin`` before a run, ``end`` after it. Nothing here may stop a job: what cannot be forecast or kept is not."""

    def __init__(self, paths: Paths) -> None:
        self._history = History(paths.runs)
        self._footprints = Footprints(paths.footprints)
        self._forecaster = Forecaster(self._history, upscalers=Upscalers(paths.upscalers))
        self._machine: Machine | None = None

    def begin(
        self, recipe: Recipe, folder: Path, device: DeviceInfo | None, memory: MemoryChanged | None
    ) -> Forecast | None:
        """What is expected of the run that is about to begin; None where nothing is known."""
        self._machine = None
        if device is None or memory is None:
            return None
        with contextlib.suppress(LaternaError, OSError, KeyError, ValueError):
            machine = from_engine(device, memory)
            known = self._history.with_kept_rates(msgspec.structs.replace(machine, rates=None))
            self._machine = machine if known.rates is None else known
            components = of_model(recipe.model, folder, self._footprints)
            family = FAMILIES[recipe.family]
            return self._forecaster.forecast(recipe, components, family, self._machine, with_remedy=False)
        return None

    def peak(self, forecast: Forecast) -> int:
        """What is forecast, in the terms of ``JobFinished.peak_memory``."""
        is_process = self._machine is not None and self._machine.is_unified
        return forecast.needed + (HOST_PROCESS if is_process else 0)

    def end(self, recipe: Recipe, folder: Path, done: JobFinished) -> None:
        """Keep what the run took; only of one that ran from its start to its end."""
        if self._machine is None:
            return
        with contextlib.suppress(LaternaError, OSError, KeyError, ValueError):
            components = of_model(recipe.model, folder, self._footprints)
            self._history.keep_rates(self._machine)
            self._forecaster.ran(recipe, components, self._machine, done.seconds, done.peak_memory)
