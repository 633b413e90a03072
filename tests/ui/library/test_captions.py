from __future__ import annotations

import pytest

from engine.protocol.recipe import Recipe
from tests.fakes.fake_library import make_item
from ui.library.captions import duration, grouped, item_title, prompt_title, recipe_title


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("a red apple on the left, blue sky", "A red apple on the left"),
        ("  \n, one. two", "One"),
        ("", ""),
        ("word " * 200, "Word" + " word" * 15 + "…"),
        ("ünïcode · bird: singing", "Ünïcode · bird"),
    ],
)
def test_a_title_is_the_first_clause(prompt: str, title: str) -> None:
    assert prompt_title(prompt) == title


def test_a_file_without_recipe_is_called_by_its_name() -> None:
    assert item_title(make_item(7, recipe=None)) == "7"


def test_an_empty_prompt_is_untitled() -> None:
    assert item_title(make_item(7, recipe=Recipe(family="sd35", model="mini", prompt=" "))) == "Untitled"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:01"), (6.0, "0:06"), (59.6, "1:00"), (754, "12:34"), (3661, "1:01:01")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_seeds_are_read_in_groups() -> None:
    assert grouped(1884203772).split("\u202f") == ["1", "884", "203", "772"]


def test_a_title_is_without_weights() -> None:
    recipe = Recipe(family="sd35", model="m", prompt="(a small owl:1.1) at the top, night", text_encoding="comfyui")
    assert recipe_title(recipe) == "A small owl at the top"
    assert recipe_title(recipe.replace(text_encoding="diffusers", prompt="a (small) owl")) == "A (small) owl"
