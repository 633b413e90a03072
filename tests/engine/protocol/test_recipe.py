import json
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.models.catalog import FAMILIES, MODELS
from engine.protocol.conditioning import Range
from engine.protocol.earlier_recipes import brought_up
from engine.protocol.errors import BadRecipe
from engine.protocol.family_info import MAX_PROMPT_CHARS, MAX_SEED, nearest_frames, nearest_size, validate
from engine.protocol.inputs import Input
from engine.protocol.recipe import MAX_JSON_BYTES, VERSION, Recipe, SkipLayerGuidance
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
    said, then = json.loads(recipe.to_json()), json.loads(written)
    assert said.pop("version") == 2 and then.pop("version") == 1
    media, controls = then.pop("input", None), then.pop("controls", ())
    given = [*([{"role": "first_frame"} | media] if media else [])]
    given += [{"role": "control"} | one.pop("media") | one for one in controls]
    assert msgspec.convert(said.pop("inputs", []), tuple[Input, ...]) == msgspec.convert(given, tuple[Input, ...])
    assert said == then, "nothing else of a released recipe is changed"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("recipe-v2-*.json")), ids=lambda path: path.stem)
def test_recipes_of_version_2_open(path: Path) -> None:
    written = path.read_bytes()
    assert Recipe.from_json(written).to_json().encode() == written.strip(), "written back byte for byte"


def test_version_1_is_brought_up_wherever_a_recipe_lies() -> None:
    first = {"version": 1, "family": "sd35", "model": "m", "input": {"path": "a.png", "strength": 0.4}}
    second = {
        "version": 2,
        "family": "sd35",
        "model": "m",
        "inputs": [{"role": "start", "path": "a.png", "strength": 0.4}],
    }
    assert brought_up({"version": 1, "drafts": {"image": {"recipe": first}}, "more": [first, 7]}) == {
        "version": 1,
        "drafts": {"image": {"recipe": second}},
        "more": [second, 7],
    }


def test_files_name_inputs_without_their_folders() -> None:
    recipe = Recipe("sd35", "m", inputs=(Input("start", "/home/me/a.png", "ab"), Input("mask", "C:\\Users\\me\\b.png")))
    assert [one.path for one in recipe.for_files().inputs] == ["a.png", "b.png"]
    assert recipe.for_files().inputs[0].sha256 == "ab"


def test_the_golden_recipe_means_what_it_meant() -> None:
    """Defaults decide what is not written: changing one would change the pixels of every old recipe."""
    assert msgspec.to_builtins(Recipe.from_json((GOLDEN / "recipe-v1-minimal.json").read_bytes())) == {
        "version": 2,
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
    assert full.input_of("first_frame") == Input("first_frame", path="start.png", sha256="ab", strength=0.6)
    assert full.input_of("control") == Input("control", "edges.png", strength=0.5, range=Range(0, 0.5), model="canny")


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", "1", "[" * 100_000, "\0", "{}"),
        '{"version":1}',
        '{"version":0,"family":"a","model":"b"}',
        '{"version":1,"family":"a","model":"b","steps":"many"}',
        '{"version":1,"family":1,"model":"b"}',
        '{"version":1,"family":"a","model":"b","input":7}',
        '{"version":1,"family":"a","model":"b","controls":[{"model":"c"}]}',
        '{"version":1,"family":"a","model":"b","controls":7}',
        '{"version":1,"family":"a","model":"b","frames":"many","input":{"path":"a"}}',
        '{"version":2,"family":"a","model":"b","inputs":[{"role":"nonsense"}]}',
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
        ("inputs", (Input("start", "a.png", strength=0.0),)),
        ("inputs", (Input("start", "a.png"), Input("start", "b.png"))),
        ("inputs", (Input("mask", "a.png"),)),
        ("inputs", (Input("start", "a.png", range=Range(0.6, 0.4)),)),
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
