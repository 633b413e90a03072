"""Recipes of every kind that the rules allow, for property tests."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

from engine.models.catalog import FAMILIES
from engine.protocol.conditioning import Conditioning, Entry, GuidancePoint, Mix, Range, Words
from engine.protocol.inputs import Input
from engine.protocol.recipe import Recipe, SkipLayerGuidance
from engine.protocol.sampling_names import SAMPLERS, SCHEDULERS

few = settings(deadline=None, max_examples=50, derandomize=True)

texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")) | st.sampled_from("()\\:.,[]{}<>\n 019"), max_size=40
)
unit = st.floats(0, 1) | st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0])
some_text = st.none() | texts
strengths = st.just(1.0) | st.floats(0.01, 10)
words = st.builds(Words, text=some_text, clip_l=some_text, clip_g=some_text, zero=st.booleans())
mixes = st.lists(st.builds(Mix, words=words, keep=unit), max_size=2).map(tuple)


@st.composite
def sides(draw: st.DrawFn) -> tuple[Entry, ...]:
    """Entries without holes in the schedule, the first of them reading the prompt; empty for a mere prompt."""
    entries = []
    for i in range(draw(st.integers(0, 3))):
        start, end = sorted((draw(unit), draw(unit)))
        said = draw(words)
        entries.append(
            Entry(
                None if i == 0 else said.text,
                said.clip_l,
                said.clip_g,
                said.zero,
                draw(mixes),
                Range(start, end) if i else Range(),
                draw(strengths),
            )
        )
    return tuple(entries)


@st.composite
def curves(draw: st.DrawFn) -> tuple[GuidancePoint, ...]:
    places = sorted(draw(st.lists(unit.filter(bool), max_size=3)))
    return tuple(GuidancePoint(at, draw(st.floats(0, 30))) for at in places)


@st.composite
def sd3_recipes(draw: st.DrawFn) -> Recipe:
    """Any recipe for Stable Diffusion 3.5, of all that a recipe can say."""
    negative = draw(sides())
    start, end = sorted((draw(unit), draw(unit)))
    said = Conditioning(draw(sides()), negative)
    skip = st.builds(
        SkipLayerGuidance,
        scale=st.floats(0, 10),
        layers=st.lists(st.integers(0, 37), max_size=4).map(tuple),
        start=st.floats(0, 0.4),
        end=st.floats(0.4, 1),
        window=st.sampled_from(["steps", "sigma"]),
    )
    media = st.builds(
        Input,
        role=st.just("start"),
        path=st.sampled_from(["cat.png", "my picture (1).webp"]),
        sha256=st.sampled_from(["", "ab" * 32]),
        strength=st.floats(0.05, 1),
    )
    return Recipe(
        family="sd35",
        model=draw(st.sampled_from(["sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "laterna-mini-image", "own"])),
        prompt=draw(texts),
        negative_prompt=draw(texts),
        negative_range=Range() if negative else Range(start, end),
        width=16 * draw(st.integers(4, 128)),
        height=16 * draw(st.integers(4, 128)),
        steps=draw(st.integers(1, 200)),
        guidance=draw(st.floats(0, 30)),
        sampler=draw(st.sampled_from([named.id for named in SAMPLERS])),
        scheduler=draw(st.sampled_from([named.id for named in SCHEDULERS])),
        shift=draw(st.floats(0.01, 100)),
        seed=draw(st.integers(0, 2**63 - 1)),
        batch=draw(st.integers(1, 8)),
        max_sequence_length=draw(st.sampled_from([77, 256, 512])),
        use_t5=draw(st.booleans()),
        model_hashes=draw(st.sampled_from([{}, {"transformer": "cd" * 32}])),
        inputs=draw(st.just(()) | st.tuples(media)),
        skip_layer_guidance=draw(st.none() | skip),
        latents=draw(st.sampled_from(["fp32", "model"])),
        conditioning=said if said != Conditioning() else None,
        guidance_schedule=draw(curves()),
        text_encoding=draw(st.sampled_from(["diffusers", "comfyui"])),
        t5_mask=draw(st.booleans()),
    )


@st.composite
def cogvideox_recipes(draw: st.DrawFn) -> Recipe:
    return Recipe(
        family="cogvideox",
        model=draw(st.sampled_from(["cogvideox-2b", "cogvideox-5b", "cogvideox-1.5-5b"])),
        prompt=draw(texts),
        negative_prompt=draw(texts),
        width=16 * draw(st.integers(4, 60)),
        height=16 * draw(st.integers(4, 40)),
        frames=8 * draw(st.integers(0, 20)) + 1,
        fps=draw(st.integers(1, 120)),
        steps=draw(st.integers(1, 200)),
        guidance=draw(st.floats(0, 30)),
        dynamic_guidance=draw(st.booleans()),
        sampler=draw(st.sampled_from(list(FAMILIES["cogvideox"].samplers))),
        scheduler="trailing",
        shift=1.0,
        seed=draw(st.integers(0, 2**63 - 1)),
        batch=draw(st.integers(1, 4)),
        max_sequence_length=draw(st.sampled_from([226, 100])),
        latents=draw(st.sampled_from(["fp32", "model"])),
        text_encoding=draw(st.sampled_from(["diffusers", "comfyui"])),
    )
