"""From components, a recipe's size and a machine to an ordered list of plans. Pure: nothing is asked or measured here.

Peaks do not depend on how much memory there is, only which plans fit does. So with more memory the first plan that
fits is never a slower one of the same rank, and never one of a worse rank.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import msgspec

from engine.memory.machine import Machine
from engine.memory.options import Option, Setting, denoiser_options, picture_peak, text_options, vae_options
from engine.memory.plan import EVERYTHING, STAGES, Abilities, Change, MemoryPlan, StageName, StagePlan, Storage, Weights
from engine.memory.planned_model import PlannedModel
from engine.memory.shapes import Shape

MUCH_LESS = 0.9
"""Part of what has not fitted that is worth trying next."""

ORDER: tuple[Change, ...] = ("rounding", "seams", "weights")


def plans(
    components: PlannedModel,
    shape: Shape,
    machine: Machine,
    corrections: dict[StageName, float] | None = None,
    abilities: Abilities = EVERYTHING,
    every: bool = False,
) -> tuple[MemoryPlan, ...]:
    """Every plan that no other one beats in everything: those of rank 0 first, each rank from fast to slow.

    ``every``: those that are beaten too. One of these may still need less in a stage that is not the largest. The list
    is the same for every amount of memory. ``corrections`` are measured over expected seconds by stage; ``abilities``
    leave out what an engine cannot do. Raises ``KeyError`` for a network without the calls it needs.
    """
    found: list[_Candidate] = []
    for kind in abilities.weights:
        for storage in _storages(components, machine, kind):
            setting = Setting(components, shape, machine, kind, storage, corrections or {})
            text = [option for option in text_options(setting) if option.placement in abilities.placements]
            transformer = [option for option in denoiser_options(setting) if _is_able(option, abilities)]
            vae = [option for option in vae_options(setting) if _is_able(option, abilities)]
            found += [
                _candidate(setting, options)
                for options in product(text, transformer, vae)
                if abilities.mixed or len({option.placement for option in options}) == 1
            ]
    found.sort(key=lambda entry: entry.key)
    kept: list[_Candidate] = []
    for entry in found:
        if every or not any(other.beats(entry) for other in kept):
            kept.append(entry)
    return tuple(_plan(entry) for entry in kept)


def _is_able(option: Option, abilities: Abilities) -> bool:
    return (
        option.placement in abilities.placements
        and (abilities.separate_guidance or option.batched)
        and (abilities.tiles or option.decoding.tile is None)
        and (abilities.slices or not option.decoding.sliced)
    )


class _Candidate(msgspec.Struct, frozen=True):
    """A combination of options with what the order needs to know; only those that stay become plans.

    ``key``: rank, seconds, bytes of the device, bytes of the host.
    """

    setting: Setting
    options: tuple[Option, Option, Option]
    changes: frozenset[Change]
    key: tuple[int, float, int, int]

    def beats(self, other: _Candidate) -> bool:
        """Whether this one, which is no worse in rank and seconds, needs no more and changes nothing else."""
        return self.key[2] <= other.key[2] and self.key[3] <= other.key[3] and self.changes <= other.changes


def _candidate(setting: Setting, options: tuple[Option, Option, Option]) -> _Candidate:
    changes = frozenset(change for option in options for change in option.changes)
    if setting.weights != "native":
        changes |= {"weights"}
    rank = 2 if "weights" in changes else 1 if "seams" in changes else 0
    device, host = _peaks(setting, options)
    seconds = options[0].seconds + options[1].seconds + options[2].seconds
    return _Candidate(setting, options, changes, (rank, seconds, max(device), max(host)))


def _storages(components: PlannedModel, machine: Machine, weights: Weights) -> tuple[Storage, ...]:
    if machine.kind != "cpu" or components.is_small:
        return ("wide",)
    return ("wide", "stored") if weights == "native" else ("stored",)


def _peaks(setting: Setting, options: tuple[Option, Option, Option]) -> tuple[list[int], list[int]]:
    """Bytes by stage: on the device, on the host."""
    kept_device = sum(option.kept_device for option in options)
    kept_host = sum(option.kept_host for option in options)
    device = [kept_device + option.used_device for option in options]
    host = [kept_host + option.used_host for option in options]
    if setting.shape.pictures:
        picture = picture_peak(setting)[0]
        if setting.machine.is_unified:
            host[0] = max(host[0], kept_host + picture)
        else:
            device[0] = max(device[0], kept_device + picture)
    return device, host


def _plan(entry: _Candidate) -> MemoryPlan:
    setting, options = entry.setting, entry.options
    text, transformer, vae = options
    device, host = _peaks(setting, options)
    picture = picture_peak(setting)[1]
    names: tuple[StageName, ...] = ("encoding", "denoising", "decoding")
    stages = tuple(
        StagePlan(name, on_device, on_host, option.seconds + (picture if i == 0 else 0.0), option.loading)
        for i, (name, option, on_device, on_host) in enumerate(zip(names, options, device, host, strict=True))
    )
    return MemoryPlan(
        text=text.placement,
        transformer=transformer.placement,
        vae=vae.placement,
        weights=setting.weights,
        storage=setting.storage,
        decoding=vae.decoding,
        batched=transformer.batched,
        changes=tuple(change for change in ORDER if change in entry.changes),
        stages=stages,
    )


def first_fitting(found: Iterable[MemoryPlan], machine: Machine, most_rank: int = 2) -> MemoryPlan | None:
    """The best of ``found`` that fits ``machine`` and changes the picture at most as ``most_rank`` says."""
    for plan in found:
        if plan.rank <= most_rank and plan.fits(machine.device_limit, machine.host_limit, machine.is_unified):
            return plan
    return None


def next_lower(
    found: Iterable[MemoryPlan], current: MemoryPlan, stage: StageName, is_unified: bool = False
) -> MemoryPlan | None:
    """Where to go on after ``stage`` ran out of memory: the best plan that needs less in that stage.

    One that leaves every bit as it was comes first, whatever it costs in time; then the others in their order. A little
    less is not tried while there is one that needs much less.
    """

    def need(plan: MemoryPlan, at: StageName = stage) -> int:
        found = next(entry for entry in plan.stages if entry.stage == at)
        return found.host if is_unified else found.device

    lower = [plan for plan in found if need(plan) < need(current)]
    lower = [plan for plan in lower if all(need(plan, at) <= need(current, at) for at in STAGES)] or lower
    exact = [plan for plan in lower if set(plan.changes) <= set(current.changes)] or lower
    much = [plan for plan in exact if need(plan) <= MUCH_LESS * need(current)]
    best = much or exact
    return best[0] if best else None
