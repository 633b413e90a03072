"""Recipes for tests: hypothesis strategies over every field, and a plain one."""

from __future__ import annotations

from hypothesis import strategies as st

from engine.protocol.family_info import MAX_SEED
from engine.protocol.inputs import ROLES, Input
from engine.protocol.recipe import Adapter, Range, Recipe, SkipLayerGuidance

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
number = st.floats(allow_nan=False, allow_infinity=False)
fraction = st.floats(0, 1)
ranges = st.builds(Range, start=fraction, end=fraction)
inputs = st.builds(
    Input, role=st.sampled_from(ROLES), path=text, sha256=text, strength=number, range=ranges, model=text
)

recipes = st.builds(
    Recipe,
    family=text,
    model=text,
    prompt=text,
    negative_prompt=text,
    negative_range=ranges,
    width=st.integers(1, 10_000),
    height=st.integers(1, 10_000),
    frames=st.integers(1, 1000),
    fps=st.integers(1, 120),
    steps=st.integers(1, 1000),
    guidance=number,
    dynamic_guidance=st.booleans(),
    sampler=text,
    scheduler=text,
    shift=number,
    seed=st.integers(0, MAX_SEED),
    batch=st.integers(1, 8),
    max_sequence_length=st.integers(1, 512),
    use_t5=st.booleans(),
    model_hashes=st.dictionaries(text, text, max_size=3),
    adapters=st.lists(st.builds(Adapter, name=text, sha256=text, strength=number), max_size=2).map(tuple),
    inputs=st.lists(inputs, max_size=3).map(tuple),
    skip_layer_guidance=st.none()
    | st.builds(
        SkipLayerGuidance,
        scale=number,
        layers=st.lists(st.integers(0, 40), max_size=4).map(tuple),
        start=fraction,
        end=fraction,
    ),
    latents=st.sampled_from(["fp32", "model"]),
    weights=st.sampled_from(["native", "fp8", "int8"]),
)


def picture_recipe(prompt: str = "a red apple", **changes: object) -> Recipe:
    """A small, valid recipe of a picture."""
    return Recipe(family="sd35", model="mini", prompt=prompt, width=64, height=64, steps=4).replace(**changes)


def clip_recipe(prompt: str = "a red apple moves", **changes: object) -> Recipe:
    """A small, valid recipe of a clip: nine frames."""
    return Recipe(
        family="cogvideox",
        model="mini",
        prompt=prompt,
        width=64,
        height=64,
        frames=9,
        steps=4,
        sampler="ddim",
        scheduler="trailing",
    ).replace(**changes)
