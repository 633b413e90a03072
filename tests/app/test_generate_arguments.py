"""Arguments of ``generate`` as a recipe."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from app.cli.generate import USUAL_STRENGTH, make_recipe
from app.cli.parser import build_parser
from app.cli.several import recipes_of
from engine.derive.kind import Medium
from engine.derive.sources import origin_of
from engine.media import pictures
from engine.models.catalog import MODELS
from engine.models.installed import InstalledModel
from engine.prompt.templates import resolve
from engine.protocol.errors import BadArguments, BadFile, BadRecipe
from engine.protocol.inputs import Input
from engine.protocol.recipe import Recipe

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
    assert recipe("--picture", str(picture)).inputs == (Input("start", str(picture), digest, USUAL_STRENGTH),)
    assert recipe("--picture", str(picture), "--strength", "0.25").inputs == (
        Input("start", str(picture), digest, 0.25),
    )
    assert recipe().inputs == ()


@pytest.mark.parametrize("ending", [ending for ending in pictures.ENDINGS if ending != ".hif"])
def test_every_kind_of_picture_that_the_dialog_offers_is_taken(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"cat{ending}"
    pictures.pillow().new("RGB", (64, 48), (60, 200, 60)).save(path)
    (start,) = recipe("--picture", str(path)).inputs
    assert start.path == str(path)
    assert origin_of(path).medium == Medium("image", 64, 48, 1, 0.0)


def test_the_strength_of_a_recipes_own_picture() -> None:
    base = Recipe("sd35", "sd3.5-large", prompt="a cat", inputs=(Input("start", "/x.png", "ab", 0.5),))
    assert recipe(base=base).inputs == base.inputs
    assert recipe("--strength", "0.9", base=base).inputs == (Input("start", "/x.png", "ab", 0.9),)


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


WILDCARDS = {"animal": ("owl", "cat")}


def several(*arguments: str, base: Recipe | None = None) -> tuple[Recipe, ...]:
    words = ["generate", *(("--prompt", "a {red|blue} __animal__") if base is None else ()), "--seed", "5", *arguments]
    parsed = build_parser().parse_args(words)
    return recipes_of(make_recipe(parsed, base, LARGE), parsed, lambda name: WILDCARDS.get(name, ()))


def test_alternatives_are_drawn_by_the_seed_as_in_the_window() -> None:
    made = several("--count", "3")
    assert [one.seed for one in made] == [5, 6, 7]
    for one in made:
        assert one.prompt == resolve("a {red|blue} __animal__", one.seed, lambda name: WILDCARDS.get(name, ()))


def test_every_combination_is_made() -> None:
    made = several("--combinations", "--vary", "guidance=3,4")
    assert [(one.prompt, one.guidance) for one in made] == [
        (f"a {colour} {animal}", guidance)
        for colour in ("red", "blue")
        for animal in ("owl", "cat")
        for guidance in (3.0, 4.0)
    ]


def test_a_grid_of_two_settings_and_of_texts_with_alternatives() -> None:
    made = several("--vary", "seed=x2", "--vary", "prompt=an __animal__ | {one|two}")
    assert [one.seed for one in made] == [5, 5, 6, 6]
    assert {one.prompt for one in made} <= {"an owl", "an cat", "one", "two"}


def test_the_text_of_a_recipes_file_is_not_drawn_again() -> None:
    base = Recipe("sd35", "sd3.5-large", prompt="a {red|blue} cat", negative_prompt="{a|b}")
    for made in (several(base=base), several("--vary", "steps=3,4", base=base)):
        assert {(one.prompt, one.negative_prompt) for one in made} == {(base.prompt, base.negative_prompt)}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--vary", "colour=red"),
        ("--vary", "steps"),
        ("--vary", "texts=a|b"),
        ("--vary", "steps=1,2", "--count", "2"),
    ],
)
def test_what_cannot_be_varied_is_a_sentence(arguments: tuple[str, ...]) -> None:
    with pytest.raises(BadArguments):
        several(*arguments)


@pytest.mark.parametrize(
    "arguments", [("--vary", "steps=many"), ("--vary", "steps=1..9999"), ("--prompt", "an __unknown__")]
)
def test_values_and_wildcards_that_are_none_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(BadRecipe):
        several(*arguments)


def test_the_reference_sampler_is_where_a_model_starts() -> None:
    assert (recipe().sampler, recipe().scheduler) == ("dpmpp_2m", "sgm_uniform")
    changed = recipe("--sampler", "uni_pc", "--scheduler", "beta")
    assert (changed.sampler, changed.scheduler) == ("uni_pc", "beta")
