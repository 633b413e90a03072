"""What the next job needs, before it runs: memory, seconds, whether it fits, and what would."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.families.registry import FAMILIES
from engine.memory.history import History, Run
from engine.memory.machine import HOST_PROCESS, Machine
from engine.memory.plan import ENGINE, Abilities, MemoryPlan, StageName, weights_of
from engine.memory.planned_model import PlannedModel
from engine.memory.planner import first_fitting, plans
from engine.memory.remedies import NothingFits, Remedy, least_needed, smallest_change
from engine.memory.shapes import computed_steps, shape_of
from engine.models.upscalers import Upscalers
from engine.protocol.errors import LaternaError
from engine.protocol.family_info import FamilyInfo
from engine.protocol.recipe import Recipe

TIGHT = 0.9
"""Part of the usable memory from which a forecast is amber: other programs move too."""

_BYTES_PER_PIXEL = 6
"""Of what is made larger: in parts, and put together."""

Level = Literal["fits", "tight", "too much"]
Where = Literal["device", "host"]


class Forecast(msgspec.Struct, frozen=True):
    """``needed`` of ``limit`` bytes in the memory that counts, ``where``. ``seconds`` of one job, ``loading`` what the
    first one pays besides. ``plan`` is what would run, None where nothing fits; then ``remedy`` says what would.

    ``learned``: whether the seconds come from runs of this machine. ``left_out`` of the steps step caching is expected
    not to compute: the result is not exact then.
    """

    level: Level
    where: Where
    needed: int
    limit: int
    seconds: float
    loading: float
    learned: bool = False
    plan: MemoryPlan | None = None
    remedy: Remedy | None = None
    left_out: int = 0


def parts_for(recipe: Recipe, components: PlannedModel) -> PlannedModel:
    """The components that ``recipe`` uses."""
    return components.without(FAMILIES[recipe.family].unused_components(recipe))


def plans_for(
    recipe: Recipe,
    components: PlannedModel,
    machine: Machine,
    corrections: dict[StageName, float] | None = None,
    abilities: Abilities = ENGINE,
    every: bool = False,
) -> tuple[MemoryPlan, ...]:
    """The plans of one recipe, which decides the weights' precision itself; see ``planner.plans``."""
    used = parts_for(recipe, components)
    shape = shape_of(recipe, components.denoiser_config, components.vae_config)
    return plans(
        used, shape, machine, corrections, msgspec.structs.replace(abilities, weights=(weights_of(recipe),)), every
    )


def choose(
    recipe: Recipe, components: PlannedModel, family: FamilyInfo, machine: Machine, abilities: Abilities = ENGINE
) -> tuple[MemoryPlan, ...]:
    """The plans from the first that fits on. Raises ``NothingFits`` (an ``OutOfMemory``) where none does."""
    found = plans_for(recipe, components, machine, abilities=abilities)
    first = first_fitting(found, machine)
    if first is None:
        raise nothing_fits(recipe, components, family, machine, found, abilities)
    return found[found.index(first) :]


def nothing_fits(
    recipe: Recipe,
    components: PlannedModel,
    family: FamilyInfo,
    machine: Machine,
    found: tuple[MemoryPlan, ...],
    abilities: Abilities,
) -> NothingFits:
    """The error that says what is missing, and the smallest change that would fit."""
    needed, limit, where = _shortage(found, machine)
    remedy = remedy_for(recipe, components, family, machine, abilities)
    return NothingFits(needed, limit, remedy, "graphics memory" if where == "device" else "memory")


def remedy_for(
    recipe: Recipe, components: PlannedModel, family: FamilyInfo, machine: Machine, abilities: Abilities = ENGINE
) -> Remedy:
    def fits(changed: Recipe) -> bool:
        return first_fitting(plans_for(changed, components, machine, abilities=abilities), machine) is not None

    return smallest_change(recipe, family, fits, "int8" in abilities.weights)


def _shortage(found: tuple[MemoryPlan, ...], machine: Machine) -> tuple[int, int, Where]:
    """Bytes needed and free, and of which memory, where nothing fits."""
    needed = least_needed(found, machine.host_limit, machine.is_unified)
    if not machine.is_unified and needed > machine.device_limit:
        return needed, machine.device_limit, "device"
    able = [plan for plan in found if machine.is_unified or plan.device <= machine.device_limit]
    return min(plan.host for plan in able), machine.host_limit, "host"


class Forecaster:
    """Forecasts that learn from ``history``; None forgets. Milliseconds a call, from any thread."""

    def __init__(
        self, history: History | None = None, abilities: Abilities = ENGINE, upscalers: Upscalers | None = None
    ) -> None:
        """``upscalers``: those that are here; what is known of them is in the forecasts of recipes that use one."""
        self._upscalers = upscalers or Upscalers()
        self._history = history
        self._abilities = abilities

    def forecast(
        self, recipe: Recipe, components: PlannedModel, family: FamilyInfo, machine: Machine, with_remedy: bool = True
    ) -> Forecast:
        """``with_remedy`` False leaves the search for a change that fits out: it takes several times as long."""
        found = self._without_upscaling(recipe, components, family, machine, with_remedy)
        network = self._upscalers.find(recipe.upscaling.network) if recipe.upscaling is not None else None
        if network is None or recipe.upscaling is None:
            return found
        width, height = recipe.saved_size
        needed = network.facts.tile_memory + width * height * recipe.frames * recipe.batch * _BYTES_PER_PIXEL
        source = recipe.width * recipe.height * recipe.frames * recipe.batch
        seconds = found.seconds + network.facts.seconds * source / 1e6
        return msgspec.structs.replace(found, needed=max(found.needed, needed), seconds=seconds)

    def _without_upscaling(
        self, recipe: Recipe, components: PlannedModel, family: FamilyInfo, machine: Machine, with_remedy: bool
    ) -> Forecast:
        corrections, left_out = self._corrections(recipe, machine), recipe.steps - computed_steps(recipe)
        found = plans_for(recipe, components, machine, corrections, self._abilities)
        plan = first_fitting(found, machine)
        if plan is None:
            needed, limit, where = _shortage(found, machine)
            remedy = remedy_for(recipe, components, family, machine, self._abilities) if with_remedy else None
            least = min(found, key=lambda plan: plan.host if machine.is_unified else plan.device)
            return Forecast(
                "too much",
                where,
                needed,
                limit,
                least.seconds,
                least.loading,
                bool(corrections),
                None,
                remedy,
                left_out,
            )
        where = "host" if machine.is_unified else "device"
        needed, limit = (plan.host, machine.host_limit) if machine.is_unified else (plan.device, machine.device_limit)
        is_tight = needed > TIGHT * limit or plan.rank > 0 or plan.strategy.endswith("streaming")
        level: Level = "tight" if is_tight else "fits"
        return Forecast(
            level, where, needed, limit, plan.seconds, plan.loading, bool(corrections), plan, left_out=left_out
        )

    def ran(
        self,
        recipe: Recipe,
        components: PlannedModel,
        machine: Machine,
        seconds: dict[str, float],
        peak: int,
    ) -> None:
        """Learn from a finished job: ``seconds`` by stage and ``peak`` bytes as ``JobFinished`` tells them: of the
        device, or of the whole process, libraries included.

        Raises ``NoSpace`` or ``NotWritable``.
        """
        if self._history is None:
            return
        found = plans_for(recipe, components, machine, abilities=self._abilities)
        plan = first_fitting(found, machine) or found[-1]
        measured: dict[StageName, float] = {
            stage.stage: seconds[stage.stage] for stage in plan.stages if seconds.get(stage.stage)
        }
        self._history.add(
            Run(
                device=_device(machine),
                family=recipe.family,
                model=_kind(recipe),
                expected={stage.stage: stage.seconds for stage in plan.stages},
                measured=measured,
                predicted_peak=plan.host + HOST_PROCESS if machine.is_unified else plan.device,
                measured_peak=peak,
            )
        )

    def _corrections(self, recipe: Recipe, machine: Machine) -> dict[StageName, float]:
        if self._history is None:
            return {}
        try:
            return self._history.corrections(_device(machine), recipe.family, _kind(recipe), recipe.model)
        except LaternaError:
            return {}  # a forecast that has not learned is still a forecast


def _kind(recipe: Recipe) -> str:
    """What runs alike: the model, with what makes its steps other ones. How much step caching leaves out is learned
    apart from the model's own speed."""
    weights = "" if recipe.weights == "native" else f" {recipe.weights}"
    return f"{recipe.model}{weights}" + (f" caching {recipe.step_caching:g}" if recipe.step_caching else "")


def _device(machine: Machine) -> str:
    return f"{machine.kind} {machine.name}".strip()
