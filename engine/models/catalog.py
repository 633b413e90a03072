"""The families and the published models, gathered from ``engine.families``; and the models that ship."""

from __future__ import annotations

from engine.families.registry import INFOS, MODELS
from engine.protocol.errors import BadRecipe
from engine.protocol.family_info import FamilyInfo
from engine.protocol.recipe import Recipe

__all__ = ["FAMILIES", "MINI_IMAGE", "MINI_VIDEO", "MODELS", "family_of"]

FAMILIES = INFOS
MINI_IMAGE = "laterna-mini-image"
MINI_VIDEO = "laterna-mini-video"


def family_of(recipe: Recipe) -> FamilyInfo:
    """The rules of a recipe's family. Raises ``BadRecipe`` for one that this Laterna does not know."""
    family = FAMILIES.get(recipe.family)
    if family is None:
        raise BadRecipe(
            f"This Laterna knows no family “{recipe.family}”.", f"It runs {', '.join(FAMILIES)}.", field="family"
        )
    return family
