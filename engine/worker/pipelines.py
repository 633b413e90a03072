"""The torch halves of the families, imported when they are asked for."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import cast

from engine.families.registry import FAMILIES
from engine.protocol.errors import BadRecipe
from engine.worker.pipeline import Pipeline


def get(name: str) -> Pipeline:
    """Raises ``BadRecipe`` for a family that is not there."""
    if name not in FAMILIES:
        raise BadRecipe(f"This Laterna has no family “{name}”.", f"It has: {', '.join(FAMILIES)}.", field="family")
    return cast("Pipeline", importlib.import_module(FAMILIES[name].network).PIPELINE)


def every() -> Iterator[Pipeline]:
    """One after the other, in the order of the registry."""
    for name in FAMILIES:
        yield get(name)
