import pytest

from engine.jobs.submission import make_jobs, make_variations
from engine.jobs.variations import MAX_JOBS, Axis, parse_values, vary
from engine.protocol.errors import BadRecipe
from engine.protocol.family_info import MAX_SEED
from engine.protocol.inputs import Input
from engine.protocol.recipe import Adapter
from tests.fakes.recipes import picture_recipe

RECIPE = picture_recipe(seed=5)


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("guidance", "3, 4.5,3", (3.0, 4.5)),
        ("guidance", "3..5", (3.0, 4.0, 5.0)),
        ("guidance", "3..4 +0.5", (3.0, 3.5, 4.0)),
        ("guidance", "1..2 x3", (1.0, 1.5, 2.0)),
        ("steps", "10…30 x3, 7", (10, 20, 30, 7)),
        ("steps", "8..5", (8, 7, 6, 5)),
        ("seed", "x3", (5, 6, 7)),
        ("seed", "1, 9", (1, 9)),
        ("sampler", "euler, heun", ("euler", "heun")),
        ("prompt", "a, b | c", ("a, b", "c")),
        ("negative_prompt", "blurry | ", ("blurry", "")),
        (
            "prompt",
            "a {red|blue} owl | a {one|two {three|four}} cat",
            ("a {red|blue} owl", "a {one|two {three|four}} cat"),
        ),
    ],
)
def test_values_as_a_person_writes_them(field: str, text: str, expected: tuple[object, ...]) -> None:
    assert parse_values(field, text, RECIPE) == expected


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("guidance", ""),
        ("guidance", "a"),
        ("guidance", "nan"),
        ("guidance", "inf..2"),
        ("guidance", "1..2 +0"),
        ("guidance", "1..2 x1"),
        ("steps", "1.5"),
        ("steps", "1..999999"),
        ("seed", "x0"),
        ("seed", "x99999"),
        ("steps", "x4"),
        ("steps", "9" * 5000),
    ],
)
def test_what_is_no_value_is_a_sentence(field: str, text: str) -> None:
    with pytest.raises(BadRecipe) as caught:
        parse_values(field, text, RECIPE)
    assert caught.value.field == field and caught.value.remedy


def test_seeds_begin_again_at_the_end() -> None:
    assert parse_values("seed", "x2", RECIPE.replace(seed=MAX_SEED)) == (MAX_SEED, 0)


def test_a_grid_is_every_combination_the_last_running_fastest() -> None:
    jobs = make_variations(RECIPE, "/m", [Axis("guidance", (3.0, 4.0)), Axis("steps", (4, 6, 8))])
    assert [(job.recipe.guidance, job.recipe.steps) for job in jobs] == [(g, s) for g in (3, 4) for s in (4, 6, 8)]
    assert [job.label for job in jobs[:2]] == ["guidance 3 · steps 4", "guidance 3 · steps 6"]
    assert len({job.group for job in jobs}) == 1 and jobs[0].group
    assert len({job.id for job in jobs}) == 6


def test_the_strength_of_the_first_lora_is_varied() -> None:
    recipe = RECIPE.replace(adapters=(Adapter("ink.safetensors", "ab"), Adapter("grain.safetensors", "cd", 0.3)))
    values = parse_values("lora_strength", "0..1 +0.5", recipe)
    made = [one.adapters for one, _label in vary(recipe, (Axis("lora_strength", values),))]
    assert [first.strength for first, _ in made] == [0.0, 0.5, 1.0]
    assert {second for _, second in made} == {recipe.adapters[1]} and made[0][0].sha256 == "ab"
    with pytest.raises(BadRecipe, match="no LoRA"):
        vary(RECIPE, (Axis("lora_strength", (1.0,)),))


def test_texts_of_each_job_take_the_place_of_the_recipes() -> None:
    texts = [("a red owl", ""), ("a blue owl", "blur")]
    jobs = make_variations(RECIPE, "/m", [Axis("steps", (4, 6))], texts=texts)
    assert [(job.recipe.prompt, job.recipe.negative_prompt) for job in jobs] == texts


def test_pairs_of_texts_are_named_by_what_tells_them_apart() -> None:
    pairs = (("an owl in soft light", "blur"), ("an owl in soft shadow", "blur"))
    made = vary(RECIPE, (Axis("texts", pairs),))
    assert [(one.prompt, one.negative_prompt) for one, _ in made] == list(pairs)
    assert [name for _, name in made] == ["prompt light", "prompt shadow"]
    sides = vary(RECIPE, (Axis("texts", (("an owl", "blur"), ("an owl", "noise"))),))
    assert [name for _, name in sides] == ["negative prompt blur", "negative prompt noise"]


def test_a_sampler_brings_a_scheduler_that_goes_with_it_and_a_picture_its_strength() -> None:
    varied = vary(RECIPE.replace(inputs=(Input("start", "p.png"),)), (Axis("strength", (0.3, 0.6)),))
    assert [recipe.inputs[0].strength for recipe, _ in varied] == [0.3, 0.6]
    with pytest.raises(BadRecipe, match="picture"):
        vary(RECIPE, (Axis("strength", (0.3,)),))


@pytest.mark.parametrize(
    "axes",
    [
        (),
        (Axis("steps", ()),),
        (Axis("steps", (1, 2)), Axis("steps", (3,))),
        (Axis("steps", (1,)), Axis("seed", (1,)), Axis("guidance", (1.0,))),
        (Axis("seed", tuple(range(MAX_JOBS + 1))),),
        (Axis("model_hashes", (1,)),),
        (Axis("steps", (4, 0)),),
        (Axis("sampler", ("euler", "nonsense")),),
    ],
)
def test_grids_that_are_none_are_refused_as_a_whole(axes: tuple[Axis, ...]) -> None:
    with pytest.raises(BadRecipe):
        make_variations(RECIPE, "/m", axes)


def test_a_count_of_seeds_is_a_group_and_one_job_is_none() -> None:
    jobs = make_jobs(RECIPE, "/m", count=3)
    assert len({job.group for job in jobs}) == 1 and [job.label for job in jobs] == ["seed 5", "seed 6", "seed 7"]
    assert make_jobs(RECIPE, "/m")[0].group == ""
