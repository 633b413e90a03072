"""What the command line says where a model draws something else than was written."""

from __future__ import annotations

import pytest

from app.cli.several import in_known_words
from engine.models.installed import open_folder
from resources import MODELS


def test_what_is_drawn_instead_is_said_and_stands_in_the_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    info = open_folder(MODELS / "laterna-mini-image").info
    recipes = [info.recipe("two dragons", seed=seed) for seed in range(3)] + [info.recipe("an owl")]
    made = in_known_words(recipes, info)
    assert [recipe.prompt for recipe in made] == ["dinosaur"] * 3 + ["an owl"]
    assert (
        capsys.readouterr().err
        == "laterna: Laterna Mini Image draws dragons as dinosaur and leaves out two: dinosaur\n"
    )
    assert in_known_words(made, info) == made
    assert capsys.readouterr().err == ""


def test_an_empty_prompt_is_a_surprise_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    info = open_folder(MODELS / "laterna-mini-image").info
    [made] = in_known_words([info.recipe("", seed=4)], info)
    assert made.prompt in info.examples
    assert f"draws a surprise: {made.prompt}" in capsys.readouterr().err
