"""The forms in which a recipe says its prompts, and the rules for them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.models.catalog import FAMILIES
from engine.protocol.conditioning import (
    Conditioning,
    Entry,
    GuidancePoint,
    Mix,
    Range,
    Words,
    gaps,
    guidance_at,
    guidance_points,
)
from engine.protocol.errors import BadRecipe
from engine.protocol.family_info import CAPABILITIES, FamilyInfo, validate
from engine.protocol.inputs import Input, InputRule
from engine.protocol.recipe import Adapter, Recipe, SkipLayerGuidance

PLAIN = Recipe(family="sd35", model="m", prompt="a cat", negative_prompt="fog", sampler="euler", scheduler="normal")
ABLE = msgspec.structs.replace(
    FAMILIES["sd35"],
    capabilities=CAPABILITIES,
    inputs=(InputRule("start", has_strength=True),),
    text_encodings=("diffusers", "comfyui"),
)


def test_a_plain_recipe_is_one_entry_a_side() -> None:
    assert PLAIN.positive_entries() == (Entry("a cat"),)
    assert PLAIN.negative_entries() == (Entry("fog"),)


def test_outside_its_range_the_negative_prompt_is_zeros() -> None:
    recipe = PLAIN.replace(negative_range=Range(0.1, 0.4))
    assert recipe.negative_entries() == (
        Entry("fog", range=Range(0.1, 0.4)),
        Entry("fog", zero=True, range=Range(0.0, 0.1)),
        Entry("fog", zero=True, range=Range(0.4, 1.0)),
    )


def test_an_entry_without_text_reads_the_prompt() -> None:
    said = Conditioning((Entry(range=Range(0, 0.5)), Entry("dog", mix=(Mix(Words(), 0.5),), range=Range(0.5, 1))), ())
    recipe = PLAIN.replace(conditioning=said)
    assert [entry.text for entry in recipe.positive_entries()] == ["a cat", "dog"]
    assert recipe.positive_entries()[1].mix[0].words.text == "a cat"
    assert recipe.negative_entries() == (Entry("fog"),)


def test_an_encoder_is_named_only_where_it_reads_something_else() -> None:
    recipe = PLAIN.replace(conditioning=Conditioning((Entry(clip_l="a cat", clip_g="cat"),)))
    assert recipe.positive_entries() == (Entry("a cat", clip_g="cat"),)


def test_only_what_is_said_is_written() -> None:
    assert "conditioning" not in PLAIN.to_json()
    recipe = PLAIN.replace(conditioning=Conditioning((Entry(), Entry("dog", strength=0.5))))
    assert '"conditioning":{"positive":[{},{"text":"dog","strength":0.5}]}' in recipe.to_json()
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_guidance_curve() -> None:
    recipe = PLAIN.replace(
        steps=10,
        guidance=7.0,
        guidance_schedule=(GuidancePoint(0.2, 5.0), GuidancePoint(0.5, 5.0), GuidancePoint(0.5, 1.0)),
    )
    scales = [recipe.guidance_at_step(step) for step in range(10)]
    assert scales == [7.0, 6.0, 5.0, 5.0, 5.0, 1.0, 1.0, 1.0, 1.0, 1.0]


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.lists(st.floats(0, 30) | st.sampled_from([1.0, 4.5]), min_size=1, max_size=40))
def test_points_give_back_the_scale_of_every_step(scales: list[float]) -> None:
    points = guidance_points(scales)
    assert [guidance_at(i / len(scales), scales[0], points) for i in range(len(scales))] == scales


def test_a_constant_needs_no_points() -> None:
    assert guidance_points([4.5] * 20) == ()


def test_gaps() -> None:
    assert gaps((Entry(range=Range(0.2, 0.4)), Entry(range=Range(0.3, 0.6)))) == (Range(0.0, 0.2), Range(0.6, 1.0))
    assert gaps((Entry(),)) == ()


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("conditioning", {"conditioning": Conditioning((Entry("not the prompt"),))}),
    ("conditioning", {"conditioning": Conditioning((Entry(range=Range(0, 0.5)),))}),
    ("conditioning", {"conditioning": Conditioning((Entry(), Entry("b", range=Range(0.7, 0.2))))}),
    ("conditioning", {"conditioning": Conditioning((Entry(), Entry("b", range=Range(0, float("nan")))))}),
    ("conditioning", {"conditioning": Conditioning((Entry(), Entry("b", strength=0.0)))}),
    ("conditioning", {"conditioning": Conditioning((Entry(), Entry("b", strength=float("nan"))))}),
    ("conditioning", {"conditioning": Conditioning((Entry(mix=(Mix(Words("b"), 1.5),)),))}),
    ("conditioning", {"conditioning": Conditioning((Entry(clip_l="x" * 30_000),))}),
    ("conditioning", {"conditioning": Conditioning((Entry(), *[Entry("b")] * 20))}),
    ("negative_range", {"conditioning": Conditioning((), (Entry(),)), "negative_range": Range(0, 0.5)}),
    ("guidance_schedule", {"guidance_schedule": (GuidancePoint(0.0, 3.0),)}),
    ("guidance_schedule", {"guidance_schedule": (GuidancePoint(0.5, 3.0), GuidancePoint(0.4, 3.0))}),
    ("guidance_schedule", {"guidance_schedule": (GuidancePoint(0.5, 99.0),)}),
    ("guidance_schedule", {"guidance_schedule": (GuidancePoint(float("nan"), 3.0),)}),
    ("guidance_schedule", {"guidance_schedule": (GuidancePoint(0.5, 3.0),), "dynamic_guidance": True}),
    ("skip_layer_guidance", {"skip_layer_guidance": SkipLayerGuidance(scale=-1.0)}),
    ("skip_layer_guidance", {"skip_layer_guidance": SkipLayerGuidance(start=0.5, end=0.1)}),
    ("inputs", {"inputs": (Input("start", "a.png", strength=0.0),)}),
    ("inputs", {"inputs": (Input("start", "a.png", strength=1.5),)}),
]


@pytest.mark.parametrize(("field", "changes"), REFUSED)
def test_what_makes_no_sense_is_refused_by_name(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(BadRecipe) as caught:
        validate(PLAIN.replace(**changes), ABLE)
    assert caught.value.field == field
    assert caught.value.remedy


NOT_YET: list[tuple[str, dict[str, Any]]] = [
    ("conditioning", {"conditioning": Conditioning((Entry(),))}),
    ("guidance_schedule", {"guidance_schedule": (GuidancePoint(0.5, 3.0),)}),
    ("text_encoding", {"text_encoding": "comfyui"}),
    ("t5_mask", {"t5_mask": True}),
    ("inputs", {"inputs": (Input("start", "a.png"),)}),
    ("adapters", {"adapters": (Adapter("a"),)}),
    ("sampler", {"sampler": "dpmpp_2m_log_snr"}),
]


@pytest.mark.parametrize(("field", "changes"), NOT_YET)
def test_what_a_family_does_not_offer_is_refused(field: str, changes: dict[str, Any]) -> None:
    bare = FamilyInfo(
        **{
            **msgspec.structs.asdict(FAMILIES["sd35"]),
            "capabilities": frozenset(),
            "inputs": (),
            "text_encodings": ("diffusers",),
            "samplers": {"euler": ("normal",)},
        }
    )
    with pytest.raises(BadRecipe) as caught:
        validate(PLAIN.replace(**changes), bare)
    assert caught.value.field == field


def test_all_of_it_at_once_is_allowed_where_it_is_offered() -> None:
    said = Conditioning(
        (Entry(clip_l="cat", range=Range(0, 0.6)), Entry("dog", mix=(Mix(Words("fox"), 0.5),), range=Range(0.4, 1))),
        (Entry(range=Range(0, 0.1)), Entry(zero=True, range=Range(0.1, 1))),
    )
    validate(
        PLAIN.replace(
            conditioning=said,
            guidance_schedule=(GuidancePoint(1.0, 2.0),),
            text_encoding="comfyui",
            t5_mask=True,
            inputs=(Input("start", "a.png", strength=0.5),),
            adapters=(Adapter("a", text_strength=0.0),),
            skip_layer_guidance=SkipLayerGuidance(window="sigma"),
        ),
        ABLE,
    )
