"""``Draft``: what stands in the form, before it becomes a job. No Qt: the settings file keeps it."""

from __future__ import annotations

import random

import msgspec

from engine.protocol.recipe import Adapter, Recipe

DRAWN_SEEDS = 2**32  # short enough to read out and to type


def draw_seed() -> int:
    return random.SystemRandom().randrange(DRAWN_SEEDS)


class SwitchedOff(msgspec.Struct, frozen=True):
    """A LoRA that stands in the form at ``place``, counted with those that are on, and does not act."""

    place: int
    adapter: Adapter


class Draft(msgspec.Struct, frozen=True, omit_defaults=True):
    """``count`` variations of ``recipe``; ``random_seed`` draws a new seed at every Generate.

    The recipe's texts are templates (``engine.prompt``), and ``style`` is the id of the style around them: each job
    gets the texts that come of it.

    ``loras_off`` are LoRAs that are in the form and not in the recipe.

    The recipe's ``family`` and ``model`` are empty while no model is known.
    """

    recipe: Recipe = Recipe(family="", model="")
    count: int = 1
    random_seed: bool = True
    style: str = ""
    loras_off: tuple[SwitchedOff, ...] = ()

    def all_loras_off(self) -> tuple[SwitchedOff, ...]:
        """As ``loras_off`` is once those of the recipe are switched off too."""
        loras = list(self.recipe.adapters)
        for one in self.loras_off:
            loras.insert(one.place, one.adapter)
        return tuple(SwitchedOff(place, adapter) for place, adapter in enumerate(loras))

    def with_recipe(self, **changes: object) -> Draft:
        return msgspec.structs.replace(self, recipe=self.recipe.replace(**changes))

    def replace(self, **changes: object) -> Draft:
        return msgspec.structs.replace(self, **changes)


class Preset(msgspec.Struct, frozen=True, omit_defaults=True):
    """Settings under a name, for the recipe's model; its texts and seed are empty."""

    name: str
    recipe: Recipe
