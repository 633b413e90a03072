"""``plan``: what a recipe would need, how it would run, and what would have to change where nothing fits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from app.cli.output import ProgressLine, print_json
from app.cli.parser import Namespace
from app.paths import Paths
from engine.memory.footprints import Footprints
from engine.memory.forecast import nothing_fits, plans_for
from engine.memory.inventory import has_unknown, of_model
from engine.memory.machine import GIB, Machine, imagined
from engine.memory.observed import this_machine
from engine.memory.plan import ENGINE, EVERYTHING, MemoryPlan
from engine.memory.planned_model import PlannedModel
from engine.memory.planner import first_fitting
from engine.memory.shapes import computed_steps
from engine.memory.texts import describe, marks
from engine.models.catalog import FAMILIES, MODELS
from engine.models.installed import resolve
from engine.protocol.errors import BadArguments, ModelMissing
from engine.protocol.family_info import ModelInfo, validate
from engine.protocol.recipe import Recipe

_FLAGS = ("width", "height", "frames", "steps", "guidance", "batch", "step_caching", "weights")


def run(arguments: Namespace, paths: Paths) -> int:
    info, folder = _model(arguments, paths)
    family = FAMILIES[info.family]
    changes = {flag: getattr(arguments, flag) for flag in _FLAGS if getattr(arguments, flag) is not None}
    recipe = info.recipe("", **changes)
    validate(recipe, family)
    components = _components(info.id, folder, Footprints(paths.footprints))
    machine = _machine(arguments)
    found = plans_for(recipe, components, machine, abilities=EVERYTHING)
    if recipe.weights == "native":
        found += plans_for(recipe.replace(weights="int8"), components, machine, abilities=EVERYTHING)
    runnable = plans_for(recipe, components, machine, abilities=ENGINE)
    chosen = first_fitting(runnable, machine)
    later = first_fitting(found, machine)
    if arguments.json:
        _print_json(info, recipe, machine, found, chosen, later)
    else:
        _print(info, recipe, machine, found, chosen, later)
    if chosen is None:
        raise nothing_fits(recipe, components, family, machine, runnable, ENGINE)
    return 0


def _model(arguments: Namespace, paths: Paths) -> tuple[ModelInfo, Path | None]:
    """The model that ``--model`` names: on this machine, or only in the catalogue."""
    try:
        found = resolve(arguments.model, paths.model_folders)
    except ModelMissing:
        if arguments.model not in MODELS:
            raise
        return MODELS[arguments.model], None
    return found.info, found.folder


def _components(model: str, folder: Path | None, footprints: Footprints) -> PlannedModel:
    """With the networks of a folder simulated first where the table does not have them."""
    if folder is not None and has_unknown(folder, footprints):
        progress = ProgressLine()
        progress.show("Simulating the model")
        command = [
            sys.executable,
            "-m",
            "engine.worker.residency",
            "--model",
            str(folder),
            "--out",
            str(footprints.folder),
        ]
        subprocess.run(command, capture_output=True, check=False)  # a scaled network stands in where this fails
        progress.end()
    return of_model(model, folder, footprints)


def _machine(arguments: Namespace) -> Machine:
    for name in ("vram", "ram"):
        value = getattr(arguments, name)
        if value is not None and not 0 <= value <= 4096:
            raise BadArguments(f"--{name} is {value:g}; it must be from 0 to 4096.", "Give it in GiB.")
    here = this_machine()
    if arguments.vram is None and arguments.ram is None:
        return here
    ram = arguments.ram if arguments.ram is not None else here.host_total / GIB
    if not arguments.vram:
        return imagined(None, ram, "cpu", here.name)
    return imagined(arguments.vram, ram, name=arguments.card or "")


def _print_json(
    info: ModelInfo,
    recipe: Recipe,
    machine: Machine,
    found: tuple[MemoryPlan, ...],
    chosen: MemoryPlan | None,
    later: MemoryPlan | None,
) -> None:
    print_json(
        {
            "model": info.id,
            "width": recipe.width,
            "height": recipe.height,
            "frames": recipe.frames,
            "steps": recipe.steps,
            "computed_steps": computed_steps(recipe),
            "machine": {
                "kind": machine.kind,
                "name": machine.name,
                "device_limit": machine.device_limit,
                "host_limit": machine.host_limit,
            },
            "chosen": _entry(chosen, machine) if chosen else None,
            "best": _entry(later, machine) if later else None,
            "plans": [_entry(plan, machine) for plan in found],
        }
    )


def _entry(plan: MemoryPlan, machine: Machine) -> dict[str, Any]:
    return {
        "strategy": plan.strategy,
        "text": describe(plan),
        "changes": plan.changes,
        "device_peak": plan.device,
        "host_peak": plan.host,
        "seconds": plan.seconds,
        "loading_seconds": plan.loading,
        "fits": plan.fits(machine.device_limit, machine.host_limit, machine.is_unified),
        "can_run": plan.can_run(ENGINE),
        "stages": plan.stages,
    }


def _print(
    info: ModelInfo,
    recipe: Recipe,
    machine: Machine,
    found: tuple[MemoryPlan, ...],
    chosen: MemoryPlan | None,
    later: MemoryPlan | None,
) -> None:
    size = f"{recipe.width} × {recipe.height}" + (f", {recipe.frames} frames" if recipe.frames > 1 else "")
    where = f"{machine.host_limit / GIB:.1f} GiB of memory"
    if not machine.is_unified:
        where = f"{machine.device_limit / GIB:.1f} GiB of graphics memory, " + where
    print(f"{info.name}, {size}, {recipe.steps} steps, with {where} to use")
    if recipe.step_caching:
        print(f"About {recipe.steps - computed_steps(recipe)} steps are left out: the result differs slightly")
    if machine.name:
        print(machine.name)
    print()
    if chosen is not None:
        print(f"Runs: {describe(chosen)} ({marks(chosen)})")
        for stage in chosen.stages:
            peak = stage.host if machine.is_unified else stage.device
            host = "" if machine.is_unified else f"  {_gib(stage.host)} RAM"
            print(f"  {stage.stage:10} {_gib(peak)}{host}  {_seconds(stage.seconds)}")
        print(f"  {'together':10} {_seconds(chosen.seconds)}, and {_seconds(chosen.loading)} to load at first")
        print()
    print("      device       RAM      time  plan")
    for plan in _shown(found, machine):
        fits = plan.fits(machine.device_limit, machine.host_limit, machine.is_unified)
        mark = "→" if plan == chosen else "·" if fits else " "
        later_mark = "" if plan.can_run(ENGINE) else "; not in this Laterna yet"
        later_mark += "; with --weights int8" if plan.weights == "int8" != recipe.weights else ""
        device = "" if machine.is_unified else _gib(plan.device)
        text = f"{describe(plan)} ({marks(plan)}{later_mark})"
        print(f"{mark} {device:>10}{_gib(plan.host):>10}{_seconds(plan.seconds):>10}  {text}")
    if chosen is None and later is not None:
        print(f"\nIt would fit with --weights {later.weights}: {describe(later)}")


def _shown(found: tuple[MemoryPlan, ...], machine: Machine) -> list[MemoryPlan]:
    """Of each strategy and rank the fastest that fits, else the smallest; the rest is in the JSON."""
    groups: dict[tuple[object, ...], list[MemoryPlan]] = {}
    for plan in found:
        groups.setdefault((plan.strategy, plan.rank), []).append(plan)
    shown: list[MemoryPlan] = []
    for plans in groups.values():
        fitting = [plan for plan in plans if plan.fits(machine.device_limit, machine.host_limit, machine.is_unified)]
        shown.append(fitting[0] if fitting else min(plans, key=lambda plan: (plan.device, plan.host)))
        shown += [plan for plan in fitting if plan.can_run(ENGINE)][:1]
    return sorted(dict.fromkeys(shown), key=lambda plan: (plan.rank, plan.seconds))


def _gib(size: int) -> str:
    return f"{size / GIB:.2f} GiB"


def _seconds(seconds: float) -> str:
    for limit, unit, name in ((90, 1, "s"), (90 * 60, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.1f} {name}"
    return f"{seconds / 86400:.1f} days"
