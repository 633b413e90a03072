from __future__ import annotations

import msgspec
import pytest

from engine.protocol.inputs import Input
from engine.protocol.recipe import Adapter, Recipe, SkipLayerGuidance
from ui.recipe.described import FIELDS, describe, differences, shown

BASE = Recipe(family="sd35", model="mini", prompt="an owl", seed=1234567)


def test_every_field_of_a_recipe_has_a_row() -> None:
    named = {field for field, _ in FIELDS} | {"width", "height", "family", "model_hashes", "size"}
    assert {field.name for field in msgspec.structs.fields(Recipe)} == named - {"size"}


def test_defaults_need_no_row_but_the_usual_ones() -> None:
    fields = [line.field for line in describe(BASE)]
    assert (
        fields
        == ["prompt", "model", "size", "steps", "guidance", "sampler", "scheduler", "shift", "seed"][: len(fields)]
        or "negative_range" not in fields
    )
    full = BASE.replace(
        skip_layer_guidance=SkipLayerGuidance(),
        inputs=(Input("start", "/home/me/start.png", strength=0.5),),
        adapters=(Adapter("style.safetensors", strength=0.8),),
        dynamic_guidance=True,
    )
    values = {line.field: line.value for line in describe(full)}
    assert values["inputs"] == "start.png  ·  0.5" and values["adapters"] == "style.safetensors × 0.8"
    moved = full.replace(family="cogvideox", inputs=(Input("first_frame", "/home/me/start.png"),))
    assert shown(moved, "inputs") == "start.png"  # it takes no strength
    assert values["dynamic_guidance"] == "on" and values["skip_layer_guidance"].startswith("2.8")


def test_what_the_form_has_differently_is_marked() -> None:
    beside = BASE.replace(steps=40, prompt="a cat", dynamic_guidance=True)
    marked = {line.field: line.other for line in describe(BASE, beside) if line.other is not None}
    assert marked == {"steps": "40", "prompt": "a cat", "dynamic_guidance": "on"}


@pytest.mark.parametrize("field", [field for field, _ in FIELDS])
def test_every_value_can_be_read(field: str) -> None:
    assert shown(BASE, field)


def test_differences_in_order() -> None:
    assert differences([BASE, BASE.replace(seed=2), BASE.replace(steps=9)]) == ["steps", "seed"]
