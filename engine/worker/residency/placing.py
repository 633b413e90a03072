"""Which plan a job runs under: the planner asked about this machine, and what follows when memory runs out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.memory.footprints import Footprints
from engine.memory.forecast import plans_for
from engine.memory.inventory import components_of
from engine.memory.machine import Machine
from engine.memory.plan import MemoryPlan, StageName
from engine.memory.planner import first_fitting, next_lower
from engine.models.reading.component import ModelFolder
from engine.protocol.recipe import Recipe

if TYPE_CHECKING:
    from engine.worker.pipeline import Pipeline


@dataclass(frozen=True)
class Placing:
    """The plan that a job runs under (None: nothing is known), and ``every`` plan for its recipe on this machine."""

    current: MemoryPlan | None
    is_unified: bool
    every: Callable[[], tuple[MemoryPlan, ...]] = tuple

    def lower(self, stage: StageName) -> Placing | None:
        """After ``stage`` ran out of memory; None where nothing needs less."""
        if self.current is None:
            return None
        planned = next_lower(self.every(), self.current, stage, self.is_unified)
        return None if planned is None else replace(self, current=planned)

    def largest_stage(self) -> StageName:
        """The stage that needs most."""
        assert self.current is not None
        return max(self.current.stages, key=lambda stage: stage.host if self.is_unified else stage.device).stage


def place(
    recipe: Recipe,
    family: Pipeline,
    folder: ModelFolder,
    machine: Machine,
    level: int = 0,
    footprints: Footprints | None = None,
) -> Placing:
    """The first plan that fits; where none does, the one that needs least, because a person wanted it anyway.

    ``level`` times, a plan that needs less takes its place. ``footprints`` may know more than those that ship.
    """
    components = components_of(folder, folder.path.name, family.info.id, footprints)
    if components is None:
        return Placing(None, machine.is_unified)

    def find(every: bool) -> tuple[MemoryPlan, ...]:
        return plans_for(recipe, components, machine, every=every)

    try:
        found = find(every=False)
    except KeyError:  # a network whose calls of this kind were never simulated
        return Placing(None, machine.is_unified)
    least = min(found, key=lambda plan: (plan.host, plan.seconds) if machine.is_unified else (plan.device, plan.host))
    current = first_fitting(found, machine) or least
    placing = Placing(current, machine.is_unified, lambda: find(every=True))
    for _ in range(level):
        placing = placing.lower(placing.largest_stage()) or placing
    return placing
