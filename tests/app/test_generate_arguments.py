"""Arguments of ``generate`` as a recipe."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from app.cli.generate import USUAL_STRENGTH, make_recipe
from app.cli.parser import build_parser
from engine.models.catalog import MODELS, InstalledModel
from engine.protocol.errors import BadArguments, BadFile, BadRecipe
from engine.protocol.recipe import InputMedia, Recipe

LARGE = InstalledModel(MODELS["sd3.5-large"], Path("nowhere"))


def recipe(*arguments: str, base: Recipe | None = None, model: InstalledModel = LARGE) -> Recipe:
    words = ["generate", *(("--prompt", "a cat") if base is None else ()), *arguments]
    return make_recipe(build_parser().parse_args(words), base, model)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "cat.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\nnot read further here")
    return path


def test_a_picture_is_named_by_path_and_content(picture: Path) -> None:
    digest = hashlib.sha256(b"\x89PNG\r\n\x1a\nnot read further here").hexdigest()
    assert recipe("--picture", str(picture)).input == InputMedia(str(picture), digest, USUAL_STRENGTH)
    assert recipe("--picture", str(picture), "--strength", "0.25").input == InputMedia(str(picture), digest, 0.25)
    assert recipe().input is None


def test_the_strength_of_a_recipes_own_picture() -> None:
    base = Recipe("sd35", "sd3.5-large", prompt="a cat", input=InputMedia("/x.png", "ab", 0.5))
    assert recipe(base=base).input == base.input
    assert recipe("--strength", "0.9", base=base).input == InputMedia("/x.png", "ab", 0.9)


def test_what_makes_no_sense_is_a_sentence(picture: Path, tmp_path: Path) -> None:
    with pytest.raises(BadArguments):
        recipe("--strength", "0.5")
    with pytest.raises(BadFile):
        recipe("--picture", str(tmp_path / "gone.png"))
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(BadFile):
        recipe("--picture", str(tmp_path / "text.png"))
    with pytest.raises(BadRecipe):
        recipe("--picture", str(picture), "--strength", "2")
    with pytest.raises(BadRecipe):
        recipe("--picture", str(picture), model=InstalledModel(MODELS["cogvideox-2b"], Path("nowhere")))


def test_the_reference_sampler_is_where_a_model_starts() -> None:
    assert (recipe().sampler, recipe().scheduler) == ("dpmpp_2m", "sgm_uniform")
    changed = recipe("--sampler", "uni_pc", "--scheduler", "beta")
    assert (changed.sampler, changed.scheduler) == ("uni_pc", "beta")
