"""How large a generation is, in the units that memory and time grow with."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.families.registry import FAMILIES
from engine.protocol.recipe import Recipe

LEFT_OUT = 0.125
"""Part of the steps that step caching leaves out, for each step and unit of its tolerance; a run's own may differ."""
MOST_LEFT_OUT = 0.65


class Shape(msgspec.Struct, frozen=True):
    """``batch`` results. ``tokens`` of one result in the denoiser, ``text`` tokens that it reads beside them;
    ``encoded`` are the tokens of the longest text encoder. ``width``, ``height`` in pixels, ``frames`` decoded;
    ``steps`` at which the network is asked.

    ``passes`` over the denoiser in one step: 2 with guidance; skip-layer guidance adds its share of a pass. ``turns``
    is the part of the steps that each of several denoisers is asked in.
    """

    batch: int
    tokens: int
    text: int
    encoded: int
    width: int
    height: int
    frames: int
    steps: int
    passes: float
    prompts: int = 2
    pictures: int = 0
    turns: tuple[tuple[str, float], ...] = ()

    @property
    def pixels(self) -> int:
        """Of one frame."""
        return self.width * self.height


def computed_steps(recipe: Recipe) -> int:
    """Steps at which the network is expected to be asked: all, unless step caching leaves some out. The finer the
    steps, the less changes from one to the next."""
    if not recipe.step_caching:
        return recipe.steps
    share = min(MOST_LEFT_OUT, LEFT_OUT * recipe.step_caching * recipe.steps)
    return max(min(recipe.steps, 3), round(recipe.steps * (1 - share)))


def shape_of(recipe: Recipe, denoiser: dict[str, Any], vae: dict[str, Any]) -> Shape:
    """``denoiser`` and ``vae`` are the networks' configurations."""
    family = FAMILIES[recipe.family]
    return Shape(
        batch=recipe.batch,
        tokens=family.tokens(recipe, denoiser, vae),
        text=family.text_tokens(recipe),
        encoded=recipe.max_sequence_length,
        width=recipe.width,
        height=recipe.height,
        frames=recipe.frames,
        steps=computed_steps(recipe),
        passes=family.passes(recipe),
        prompts=family.prompts(recipe),
        pictures=sum(one.role != "mask" for one in recipe.inputs),
        turns=tuple(family.turns(recipe).items()),
    )
