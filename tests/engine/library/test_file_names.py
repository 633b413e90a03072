from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.library.file_names import PLACES, USUAL, is_template, render, unknown_places
from engine.library.naming import file_stem
from engine.protocol.recipe import Recipe

RECIPE = Recipe(family="sd35", model="sd3.5-large", prompt="An owl / at night", seed=7, guidance=4.5)
WHEN = 1_700_000_000.0


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{model}-{seed}", "sd3-5-large-7"),
        ("{prompt} {width}x{height} g{guidance}", "an-owl-at-night 1024x1024 g4.5"),
        ("a/b\\c:{seed}", "a-b-c-7"),
        ("CON", "_CON"),
        ("..{seed}..", "7"),
        ("{nothing}{seed}", "7"),
        ("ü {steps}", "ü 28"),
    ],
)
def test_names(template: str, name: str) -> None:
    assert render(template, RECIPE, WHEN) == name


def test_the_usual_name_and_what_is_left_of_nothing() -> None:
    assert render(USUAL, RECIPE, WHEN) == file_stem(RECIPE.prompt, RECIPE.seed, WHEN) == render("{x}", RECIPE, WHEN)
    assert time.strftime("%Y-%m-%d", time.localtime(WHEN)) in render("{date}", RECIPE, WHEN)


def test_templates_are_told_from_names() -> None:
    assert is_template("{seed}") and not is_template("owl") and not is_template("{}")
    assert unknown_places("{seed}{sed}") == ["sed"]


@given(st.text(max_size=80), st.sampled_from(PLACES))
def test_every_name_is_safe(text: str, place: str) -> None:
    name = render(text + "{" + place + "}", RECIPE, WHEN)
    assert name and len(name) <= 151 and not set(name) & set('<>:"/\\|?*\0\n') and name[-1] not in " ."
