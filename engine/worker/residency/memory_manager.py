"""The memory under the engine: what a job may take, where its model goes, and what makes room for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import psutil
import torch

from engine.memory.footprints import Footprints
from engine.memory.machine import HOST_PROCESS, DeviceKind, Machine, Rates
from engine.memory.plan import StageName, weights_of
from engine.models.reading.component import ModelFolder
from engine.protocol.events import DeviceInfo
from engine.protocol.recipe import Recipe
from engine.worker.residency.placing import Placing, place
from engine.worker.residency.pool import HOST, ComponentPool, empty_cache
from engine.worker.residency.residency import FreeMemory, ModelResidency, carry_out, from_weights_alone

if TYPE_CHECKING:
    from engine.worker.loaded_model import Model
    from engine.worker.pipeline import Pipeline

IDLE_SHARE = 0.5
"""Part of the host's memory that models may keep between jobs."""

Free = Callable[[torch.device], FreeMemory]
"""Free bytes now, asked of the system."""


class MemoryManager:
    """Plans jobs on ``device`` and keeps loaded parts in ``pool``. ``free`` is asked anew each time, because other
    programs take memory too. ``precision`` overrides the planner: everything stays in memory in that dtype.

    ``described``: the device with its measured rates, once they are known. ``footprints``: what is known of networks.
    """

    def __init__(self, device: torch.device, free: Free, precision: torch.dtype | None = None) -> None:
        self.device = device
        self.pool = ComponentPool()
        self.described = DeviceInfo(device.type, "", 0)
        self.footprints = Footprints()
        self._free = free
        self._precision = precision
        self._idle_limit = int(free(device).host_free * IDLE_SHARE)

    def machine(self, keep_free: int = 0) -> Machine:
        """What a job could take now: loaded parts count as free, for they can go. ``keep_free`` as in
        ``Machine.leaving``."""
        now, info = self._free(self.device), self.described
        kind: DeviceKind = self.device.type if self.device.type in ("cuda", "mps", "xpu") else "cpu"  # type: ignore[assignment]
        machine = Machine(
            kind=kind,
            host_total=psutil.virtual_memory().total,
            host_free=now.host_free + min(self.pool.bytes_on(HOST), own_memory()),
            device_total=info.memory_total,
            device_free=now.device_free,
            name=info.name,
            rates=Rates(info.flops, info.bandwidth, info.operator, measured=True) if info.flops > 0 else None,
            native_bf16=now.native_bf16,
        )
        return machine.leaving(keep_free)

    def residency(
        self, recipe: Recipe, family: Pipeline, folder: ModelFolder, level: int = 0, keep_free: int = 0
    ) -> tuple[ModelResidency, Placing | None]:
        """The residency for ``recipe`` with the model in ``folder``, and what may follow it (None: nothing is known).

        ``level`` is ``Generate.memory_level``.
        """
        now = self._free(self.device)
        if self._precision is None:
            placing = place(recipe, family, folder, self.machine(keep_free), level, self.footprints)
            if placing.current is not None:
                return self.carry_out(placing, family, folder), placing
        return from_weights_alone(folder, now, family.device_dtype, self._precision, weights_of(recipe)), None

    def carry_out(self, placing: Placing, family: Pipeline, folder: ModelFolder) -> ModelResidency:
        assert placing.current is not None
        native_bf16 = self._free(self.device).native_bf16
        return carry_out(placing.current, folder, self.device, native_bf16, family.device_dtype)

    def make_room(self, model: Model, names: list[str], stage: StageName, keep_free: int = 0) -> None:
        """Before ``names`` are loaded or used: other models' parts go for as long as the stage would not fit."""
        machine, kept = self.machine(keep_free), model.keys
        host, device = self._peaks(model, names, stage)

        def host_is_enough() -> bool:
            """Some of what the stage needs is there already."""
            own = model.bytes_on(HOST)
            others = self.pool.bytes_on(HOST) - own
            missing = max(host - own, model.needed(names))
            free = self._free(self.device).host_free - machine.host_reserve
            return missing <= free and others + missing <= max(self._idle_limit, 0)

        def device_is_enough() -> bool:
            others = self.pool.bytes_on(self.device) - model.bytes_on(self.device)
            return device + others <= machine.device_limit

        if not machine.is_unified:
            self.pool.leave(self.device, kept, device_is_enough)
        self.pool.make_room(kept, host_is_enough)
        empty_cache(self.device)

    def _peaks(self, model: Model, names: list[str], stage: StageName) -> tuple[int, int]:
        """Bytes of the host and of the device that ``stage`` needs in all."""
        plan = model.residency.plan
        if plan is None:
            needed = model.needed(names)
            return model.bytes_on(HOST) + needed, needed
        found = next(entry for entry in plan.stages if entry.stage == stage)
        return found.host, found.device


def own_memory() -> int:
    """Bytes of this process beyond its libraries that no file backs: what mapped files take is free already."""
    process = psutil.Process().memory_info()
    return max(0, process.rss - getattr(process, "shared", 0) - HOST_PROCESS // 2)
