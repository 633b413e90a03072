from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.interop import a1111, a1111_prompt
from engine.interop.model_files import KnownModels
from engine.interop.prompt_weights import Weighted, parse, text_of
from engine.interop.report import Notes
from engine.protocol.inputs import Input
from engine.protocol.recipe import Recipe
from engine.protocol.sampling_names import SAMPLERS, SCHEDULERS
from tests.engine.interop.recipes import few

HERE = KnownModels({"sd3.5-large": "sd35", "laterna-mini-image": "sd35"})
LINE = "Steps: 20, Sampler: Euler, Schedule type: Normal, CFG scale: 4, Seed: 5, Size: 512x768, Model: sd3.5_large"


def read(text: str) -> tuple[Recipe, Any]:
    notes = Notes()
    program, recipe = a1111.read(text, notes, HERE)
    return recipe, notes.result(program, recipe)


words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")) | st.sampled_from("()[]\\:<>, \n"),
    max_size=40,
).map(str.strip)


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    weighted = draw(st.booleans())
    said = st.lists(st.builds(Weighted, words.filter(bool), st.sampled_from([1.1, 0.5, 1.25])), max_size=3).map(text_of)
    return Recipe(
        family="sd35",
        model=draw(st.sampled_from(["sd3.5-large", "laterna-mini-image"])),
        prompt=draw(said if weighted else words),
        negative_prompt=draw(words.filter(lambda text: "Steps:" not in text)) if not weighted else "",
        width=draw(st.integers(64, 2048)),
        height=draw(st.integers(64, 2048)),
        steps=draw(st.integers(1, 200)),
        guidance=draw(st.floats(0, 30)),
        seed=draw(st.integers(0, 2**63 - 1)),
        sampler=draw(st.sampled_from([named.id for named in SAMPLERS])),
        scheduler=draw(st.sampled_from([named.id for named in SCHEDULERS])),
        shift=draw(st.floats(0.01, 100)),
        inputs=draw(
            st.just(())
            | st.tuples(st.builds(Input, st.just("start"), st.just("my, cat.png"), strength=st.floats(0.01, 1)))
        ),
        text_encoding="comfyui" if weighted else "diffusers",
    )


@few
@given(recipes())
def test_what_the_text_can_say_survives(recipe: Recipe) -> None:
    text = a1111.write(recipe)
    assert a1111.looks_like(text)
    found, _ = read(text)
    plain = recipe.replace(prompt="", negative_prompt="", text_encoding="diffusers")
    assert found.replace(prompt="", negative_prompt="", text_encoding="diffusers") == plain
    if recipe.text_encoding == "comfyui":
        one = [(letter, round(piece.weight, 9)) for piece in parse(found.prompt) for letter in piece.text]
        assert one == [(letter, piece.weight) for piece in parse(recipe.prompt) for letter in piece.text]
    else:
        assert (found.prompt, found.negative_prompt) == (recipe.prompt, recipe.negative_prompt)


def test_written_text() -> None:
    recipe = Recipe(
        family="sd35",
        model="sd3.5-large",
        prompt="a (red:1.3) boat",
        negative_prompt="fog [grey]",
        text_encoding="comfyui",
        sampler="dpmpp_2m",
        scheduler="sgm_uniform",
        steps=28,
        seed=9,
    )
    assert a1111.write(recipe) == (
        "a (red:1.3) boat\n"
        "Negative prompt: fog \\[grey\\]\n"
        "Steps: 28, Sampler: DPM++ 2M, Schedule type: SGM uniform, CFG scale: 4.5, Seed: 9, Size: 1024x1024,"
        " Model: sd3.5_large, Shift: 3.0, Emphasis: No norm, Version: Laterna"
    )


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("(a)", [("a", 1.1)]),
        ("[a]", [("a", 1 / 1.1)]),
        ("((a) b)", [("a", 1.1 * 1.1), (" b", 1.1)]),
        ("(a (b:2):1.5)", [("a ", 1.5), ("b", 3.0)]),  # unlike ComfyUI, weights multiply
        ("(a", [("a", 1.1)]),  # and an open bracket reaches to the end
        (r"\(a\) \[b\] \\", [("(a) [b] \\", 1.0)]),
        ("a) ]", [("a) ]", 1.0)]),
        ("(a: 1.5 )", [("a", 1.5)]),
    ],
)
def test_weights_as_automatic1111_reads_them(prompt: str, pieces: list[tuple[str, float]]) -> None:
    found, _ = a1111_prompt.read(prompt, Notes())
    assert [(piece.text, pytest.approx(piece.weight)) for piece in found] == pieces


def test_prompt_of_several_lines_and_no_negative() -> None:
    recipe, _ = read(f"a boat,\nat sea\n{LINE}")
    assert (recipe.prompt, recipe.negative_prompt, recipe.width, recipe.height) == ("a boat,\nat sea", "", 512, 768)


def test_no_settings_at_all() -> None:
    recipe, _ = read("just a prompt, with: a colon")
    assert recipe.prompt == "just a prompt, with: a colon"


def test_quoted_values() -> None:
    recipe, _ = read(f'a boat\n{LINE}, Note: "one, two: \\"three\\"", Shift: 5')
    assert recipe.shift == 5.0


@pytest.mark.parametrize(
    ("name", "sampler", "scheduler"),
    [
        ("DPM++ 2M Karras", "dpmpp_2m", "karras"),
        ("DPM++ 2M SDE Exponential", "dpmpp_2m_sde", "exponential"),
        ("Euler a", "euler_ancestral", "normal"),
        ("DPM++ 3M SDE", "dpmpp_3m_sde", "normal"),
        ("UniPC", "uni_pc", "normal"),
        ("LCM", "lcm", "normal"),
        ("DPM2", "dpm_2", "normal"),
    ],
)
def test_older_names_have_the_scheduler_in_the_sampler(name: str, sampler: str, scheduler: str) -> None:
    recipe, _ = read(f"x\nSteps: 20, Sampler: {name}, CFG scale: 4, Seed: 5, Model: sd3.5_large")
    assert (recipe.sampler, recipe.scheduler) == (sampler, scheduler)


@pytest.mark.parametrize(
    ("version", "program"),
    [("v1.9.4", "Automatic1111"), ("f2.0.1v1.10.1", "Forge"), ("Laterna", "Laterna"), ("Fooocus v2.5", "Fooocus")],
)
def test_programs_are_told_apart(version: str, program: str) -> None:
    assert read(f"x\n{LINE}, Version: {version}")[1].source == program


def test_a_model_is_found_by_its_hash() -> None:
    known = KnownModels({"mine": "sd35"}, {"ffef7a279d" + "0" * 54: "mine"})
    line = LINE.replace("Model: sd3.5_large", "Model hash: ffef7a279d, Model: renamed")
    _, recipe = a1111.read(f"x\n{line}", Notes(), known)
    assert recipe.model == "mine"


def test_what_is_left_out_is_said() -> None:
    text = (
        f"a BREAK b [c:d:0.5]\n{LINE}, VAE: x.pt, Clip skip: 3, Denoising strength: 0.5, ADetailer model: face,"
        " Version: v1.9.4"
    )
    _, result = read(text)
    for part in ("divided by BREAK", "changes words during the steps", "Clip skip is 3", "does not name", "its noise"):
        assert any(part in sentence for sentence in result.approximated), part
    assert any("ADetailer model" in sentence for sentence in result.ignored)
    assert any("x.pt" in sentence for sentence in result.ignored)
