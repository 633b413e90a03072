"""What follows when memory has run out in a stage: the next plan, and the sentence that says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.families.registry import FAMILIES
from engine.memory.plan import Decoding, StageName
from engine.protocol.recipe import Recipe
from engine.worker.residency.networks import tile_for
from engine.worker.residency.placing import Placing
from engine.worker.residency.residency import ModelResidency

if TYPE_CHECKING:
    from engine.worker.loaded_model import Model

_DOING = {"encoding": "reading the prompt", "denoising": "denoising", "decoding": "decoding"}


@dataclass(frozen=True)
class Lower:
    """``residency`` None: the one that ``placing`` says."""

    placing: Placing | None
    residency: ModelResidency | None
    message: str


def lowered(model: Model, recipe: Recipe, placing: Placing | None, stage: StageName) -> Lower | None:
    """What needs less in ``stage`` than the model's residency; None where nothing does."""
    next_placing = placing.lower(stage) if placing is not None else None
    if next_placing is not None and next_placing.current is not None and placing is not None:
        assert placing.current is not None
        new = set(next_placing.current.changes) - set(placing.current.changes)
        how = next_placing.current.strategy
        if "seams" in new:
            how = "the result is put together from tiles, which may differ a little along their seams"
        elif next_placing.current.strategy == placing.current.strategy:
            how = "more slowly"
        return Lower(next_placing, None, _sentence(stage, how))
    residency = _without_planner(model, recipe, stage)
    if residency is None or placing is not None:
        return None
    return Lower(
        None, residency, _sentence(stage, "in smaller pieces" if residency.decoding.tile else "stage by stage")
    )


def _without_planner(model: Model, recipe: Recipe, stage: StageName) -> ModelResidency | None:
    """For networks that nothing is known of: one stage at a time in memory, and the VAE in tiles if that ran out."""
    residency, held = model.residency, model.pool.get(model.key(FAMILIES[recipe.family].vae()))
    by_stage = replace(residency, parts={name: replace(part, place="stage") for name, part in residency.parts.items()})
    if stage == "decoding" and held is not None:
        tile = tile_for(held.part, recipe.height, recipe.width)
        return None if residency.decoding.tile else replace(by_stage, decoding=Decoding(tile, sliced=True))
    return None if by_stage == residency else by_stage


def _sentence(stage: StageName, how: str) -> str:
    return f"Memory ran out while {_DOING[stage]}. The job goes on from there with less of it: {how}."
