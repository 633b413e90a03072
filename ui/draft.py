"""``Draft``: what stands in the form, before it becomes a job. No Qt: the settings file keeps it."""

from __future__ import annotations

import msgspec

from engine.protocol.recipe import Recipe


class Draft(msgspec.Struct, frozen=True, omit_defaults=True):
    """``count`` variations of ``recipe``; ``random_seed`` draws a new seed at every Generate.

    The recipe's texts are templates (``engine.prompt``), and ``style`` is the id of the style around them: each job
    gets the texts that come of it.

    The recipe's ``family`` and ``model`` are empty while no model is known.
    """

    recipe: Recipe = Recipe(family="", model="")
    count: int = 1
    random_seed: bool = True
    style: str = ""

    def with_recipe(self, **changes: object) -> Draft:
        return msgspec.structs.replace(self, recipe=self.recipe.replace(**changes))

    def replace(self, **changes: object) -> Draft:
        return msgspec.structs.replace(self, **changes)


class Preset(msgspec.Struct, frozen=True, omit_defaults=True):
    """Settings under a name, for the recipe's model; its texts and seed are empty."""

    name: str
    recipe: Recipe
