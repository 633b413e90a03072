"""The families that this engine runs: one file each, one line here."""

from __future__ import annotations

from engine.protocol.errors import BadRecipe
from engine.worker.families.base import Family
from engine.worker.families.cogvideox import CogVideoX
from engine.worker.families.sd35 import StableDiffusion35

FAMILIES: dict[str, Family] = {family.info.id: family for family in (StableDiffusion35(), CogVideoX())}


def get(name: str) -> Family:
    """Raises ``BadRecipe`` for a family that is not there."""
    if name not in FAMILIES:
        raise BadRecipe(f"This Laterna has no family “{name}”.", f"It has: {', '.join(FAMILIES)}.", field="family")
    return FAMILIES[name]
