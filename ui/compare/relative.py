"""Before and after a change: which other result differs least from one."""

from __future__ import annotations

from collections.abc import Iterable

from engine.library.item import Item
from ui.recipe.described import differences


def nearest_relative(item: Item, others: Iterable[Item]) -> Item | None:
    """The one of ``others`` whose recipe differs in the fewest fields, the nearest in time of those; None where all are
    equal or carry no recipe. Another seed alone says less than another setting with the same seed."""
    recipe = item.recipe
    found: list[tuple[bool, int, float, Item]] = []
    for other in others:
        if other.id == item.id or other.recipe is None or recipe is None or other.missing:
            continue
        fields = differences((recipe, other.recipe))
        if fields:
            found.append(("seed" in fields, len(fields), abs(other.created - item.created), other))
    return min(found, key=lambda one: one[:3])[3] if found else None
