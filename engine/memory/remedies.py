"""When nothing fits: the smallest change of the recipe that would, and the error that says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from engine.memory.plan import MemoryPlan
from engine.protocol.errors import OutOfMemory
from engine.protocol.family_info import FamilyInfo, nearest_frames, nearest_size
from engine.protocol.recipe import Recipe

SIZE_STEPS = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)
"""Sides of a smaller picture, as parts of the wanted ones."""

RemedyKind = Literal["batch", "frames", "size", "no_t5", "weights", "none"]


class Remedy(msgspec.Struct, frozen=True, omit_defaults=True):
    """What makes a recipe fit; ``also`` is a second change where one is not enough. ``none``: none is known."""

    kind: RemedyKind
    batch: int = 0
    frames: int = 0
    width: int = 0
    height: int = 0
    also: Remedy | None = None

    def apply(self, recipe: Recipe) -> Recipe:
        every: dict[RemedyKind, dict[str, object]] = {
            "batch": {"batch": self.batch},
            "frames": {"frames": self.frames},
            "size": {"width": self.width, "height": self.height},
            "no_t5": {"use_t5": False},
            "weights": {"weights": "int8"},
            "none": {},
        }
        changed = recipe.replace(**every[self.kind])
        return changed if self.also is None else self.also.apply(changed)

    def sentence(self) -> str:
        """For the command line and errors; the window has its own words."""
        return "No smaller setting of it fits." if self.kind == "none" else f"It would fit with {self._words()}."

    def _words(self) -> str:
        own = {
            "batch": f"a batch of {self.batch}",
            "frames": f"{self.frames} frames",
            "size": f"{self.width} × {self.height} pixels",
            "no_t5": "no T5 text encoder",
            "weights": "8-bit weights",
            "none": "",
        }[self.kind]
        return own if self.also is None else f"{own} and {self.also._words()}"


def candidates(recipe: Recipe, family: FamilyInfo, can_quantize: bool) -> Iterator[Remedy]:
    """Changes from the least to the most: fewer at once, shorter, smaller, other weights, without the T5."""
    for batch in range(recipe.batch - 1, 0, -1):
        yield Remedy("batch", batch=batch)
    if can_quantize and recipe.weights == "native":
        yield Remedy("weights")
    if family.frame_step:
        frames = recipe.frames
        while (frames := nearest_frames(family, frames - family.frame_step)) > family.frame_step:
            yield Remedy("frames", frames=frames)
            if frames <= family.frame_step + 1:
                break
    seen = {(recipe.width, recipe.height)}
    for step in SIZE_STEPS:
        size = nearest_size(family, round(recipe.width * step)), nearest_size(family, round(recipe.height * step))
        if size not in seen and size[0] <= recipe.width and size[1] <= recipe.height:
            seen.add(size)
            yield Remedy("size", width=size[0], height=size[1])
    if family.takes("use_t5") and recipe.use_t5:
        yield Remedy("no_t5")


def smallest_change(
    recipe: Recipe, family: FamilyInfo, fits: Callable[[Recipe], bool], can_quantize: bool = False
) -> Remedy:
    """The first of ``candidates`` that ``fits``; where none does, the first one after a change that costs little."""
    for remedy in candidates(recipe, family, can_quantize):
        if fits(remedy.apply(recipe)):
            return remedy
    for first in (Remedy("batch", batch=1), Remedy("no_t5")):
        changed = first.apply(recipe)
        if changed == recipe or (first.kind == "no_t5" and not family.takes("use_t5")):
            continue
        for remedy in candidates(changed, family, can_quantize):
            if fits(remedy.apply(changed)):
                return msgspec.structs.replace(first, also=remedy)
    return Remedy("none")


def least_needed(found: tuple[MemoryPlan, ...], limit_host: int, is_unified: bool) -> int:
    """Bytes that the smallest plan takes: of the device, or of the host where that is the device."""
    if is_unified:
        return min(plan.host for plan in found)
    able = [plan for plan in found if plan.host <= limit_host] or list(found)
    return min(plan.device for plan in able)


class NothingFits(OutOfMemory):
    """``needed`` and ``free`` in bytes; ``remedy`` is the smallest change that would fit."""

    def __init__(self, needed: int, free: int, remedy: Remedy, where: str) -> None:
        super().__init__(
            f"This needs at least {needed / 2**30:.1f} GiB of {where}; {free / 2**30:.1f} GiB can be used.",
            remedy.sentence(),
        )
        self.needed = needed
        self.free = free
        self.remedy_found = remedy
