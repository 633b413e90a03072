import json
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.models.catalog import FAMILIES, MODELS
from engine.protocol.errors import BadRecipe
from engine.protocol.family_info import MAX_PROMPT_CHARS, MAX_SEED, nearest_frames, nearest_size, validate
from engine.protocol.recipe import MAX_JSON_BYTES, VERSION, InputMedia, Recipe, SkipLayerGuidance
from tests.fakes.recipes import clip_recipe, picture_recipe, recipes

GOLDEN = Path(__file__).resolve().parents[2] / "golden"


@given(recipes)
def test_json_round_trip(recipe: Recipe) -> None:
    text = recipe.to_json()
    assert Recipe.from_json(text) == recipe
    assert Recipe.from_json(text).to_json() == text


def test_only_non_defaults_are_written() -> None:
    assert json.loads(Recipe(family="sd35", model="m", seed=7).to_json()) == {
        "version": VERSION,
        "family": "sd35",
        "model": "m",
        "seed": 7,
    }


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("recipe-v1-*.json")), ids=lambda path: path.stem)
def test_recipes_of_version_1_open(path: Path) -> None:
    written = path.read_bytes()
    recipe = Recipe.from_json(written)
    assert recipe.to_json().encode() == written.strip(), "a released recipe is written back byte for byte"


def test_the_golden_recipe_means_what_it_meant() -> None:
    """Defaults decide what is not written: changing one would change the pixels of every old recipe."""
    assert msgspec.to_builtins(Recipe.from_json((GOLDEN / "recipe-v1-minimal.json").read_bytes())) == {
        "version": 1,
        "family": "sd35",
        "model": "sd3.5-medium",
    }
    found = Recipe.from_json((GOLDEN / "recipe-v1-minimal.json").read_bytes())
    assert (found.width, found.height, found.frames, found.fps, found.steps) == (1024, 1024, 1, 8, 28)
    assert (found.guidance, found.shift, found.sampler, found.scheduler) == (4.5, 3.0, "euler", "normal")
    assert (found.seed, found.batch, found.max_sequence_length, found.use_t5) == (0, 1, 256, True)
    assert (found.latents, found.weights, found.dynamic_guidance) == ("fp32", "native", False)
    full = Recipe.from_json((GOLDEN / "recipe-v1-full.json").read_bytes())
    assert full.skip_layer_guidance == SkipLayerGuidance(scale=2.5, layers=(7, 8), start=0.02, end=0.3)
    assert full.input == InputMedia(path="start.png", sha256="ab", strength=0.6)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", "1", "[" * 100_000, "\0", "{}"),
        '{"version":1}',
        '{"version":0,"family":"a","model":"b"}',
        '{"version":1,"family":"a","model":"b","steps":"many"}',
        '{"version":1,"family":1,"model":"b"}',
        '{"version":"x"}',
    ],
)
def test_what_is_no_recipe_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(BadRecipe) as caught:
        Recipe.from_json(text)
    assert caught.value.message.endswith(".") and caught.value.remedy.endswith(".")


def test_a_newer_recipe_says_so() -> None:
    with pytest.raises(BadRecipe, match=r"version 99.*Update Laterna"):
        Recipe.from_json('{"version":99,"family":"a","model":"b"}')


def test_an_enormous_recipe_is_refused_before_it_is_read() -> None:
    with pytest.raises(BadRecipe, match="KiB"):
        Recipe.from_json(b" " * (MAX_JSON_BYTES + 1))


@given(st.binary(max_size=200))
def test_random_bytes_are_a_bad_recipe_or_a_recipe(data: bytes) -> None:
    with suppress(BadRecipe):
        Recipe.from_json(data)


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.id)
def test_reference_settings_of_every_model_are_valid(model) -> None:
    validate(model.recipe("a red apple"), FAMILIES[model.family])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", "x" * (MAX_PROMPT_CHARS + 1)),
        ("negative_prompt", "x" * 100_000),
        ("width", 0),
        ("width", 65),
        ("height", 1 << 20),
        ("frames", 2),
        ("fps", 0),
        ("steps", 0),
        ("steps", 201),
        ("guidance", float("nan")),
        ("guidance", -1.0),
        ("shift", 0.0),
        ("seed", -1),
        ("seed", MAX_SEED + 1),
        ("batch", 9),
        ("max_sequence_length", 0),
        ("sampler", "nonsense"),
        ("scheduler", "nonsense"),
        ("weights", "fp8"),
        ("input", InputMedia("a.png", strength=0.0)),
    ],
)
def test_a_setting_out_of_range_is_named(field: str, value: object) -> None:
    with pytest.raises(BadRecipe) as caught:
        validate(picture_recipe(**{field: value}), FAMILIES["sd35"])
    assert caught.value.field == field
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("field", "value"), [("frames", 8), ("frames", 1000), ("skip_layer_guidance", SkipLayerGuidance())]
)
def test_a_clip_has_rules_of_its_own(field: str, value: object) -> None:
    validate(clip_recipe(), FAMILIES["cogvideox"])
    with pytest.raises(BadRecipe) as caught:
        validate(clip_recipe(**{field: value}), FAMILIES["cogvideox"])
    assert caught.value.field == field


@given(st.integers(-(10**6), 10**6))
def test_the_nearest_values_are_allowed(wish: int) -> None:
    for family in FAMILIES.values():
        side = nearest_size(family, wish)
        assert family.min_size <= side <= family.max_size and side % family.size_multiple == 0
        frames = nearest_frames(family, wish)
        assert 1 <= frames <= family.max_frames
        assert not family.frame_step or (frames - 1) % family.frame_step == 0
