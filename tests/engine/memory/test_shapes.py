"""A recipe as what memory and time grow with."""

from __future__ import annotations

import pytest

from engine.memory.shapes import computed_steps
from engine.protocol.recipe import Recipe


@pytest.mark.parametrize("steps", [1, 2, 4, 20, 50, 200])
def test_step_caching_leaves_steps_out_and_never_too_many(steps: int) -> None:
    recipe = Recipe("sd35", "m", steps=steps)
    found = [computed_steps(recipe.replace(step_caching=tolerance)) for tolerance in (0.0, 0.05, 0.1, 0.2, 0.5)]
    assert found[0] == steps
    assert found == sorted(found, reverse=True)
    assert min(found) >= min(steps, 3)
    assert min(found) >= 0.3 * steps
