"""An imported recipe made to fit a family: what it does not offer is replaced by the nearest that it does, and said."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.interop.prompt_weights import parse, plain_text
from engine.interop.report import Notes, shown
from engine.protocol.conditioning import WHOLE, Entry, Mix
from engine.protocol.family_info import (
    MAX_SEED,
    MAX_SKIP_SCALE,
    FamilyInfo,
    nearest_frames,
    nearest_size,
    validate,
)
from engine.protocol.inputs import STARTING, Input
from engine.protocol.recipe import Recipe, SkipLayerGuidance

_MIN_STRENGTH = 0.001


def fit(recipe: Recipe, info: FamilyInfo, notes: Notes) -> Recipe:
    """``recipe`` with every setting inside ``info``'s rules; the result passes ``validate``."""
    for step in (_size, _numbers, _sampling, _texts, _guidance, _inputs):
        recipe = step(recipe, info, notes)
    validate(recipe, info)
    return recipe


def _size(recipe: Recipe, info: FamilyInfo, notes: Notes) -> Recipe:
    width, height = nearest_size(info, recipe.width), nearest_size(info, recipe.height)
    if width * height > info.max_pixels:
        scale = (info.max_pixels / (width * height)) ** 0.5
        multiple = info.size_multiple
        width, height = (max(info.min_size, int(side * scale) // multiple * multiple) for side in (width, height))
    if (width, height) != (recipe.width, recipe.height):
        notes.approximated(
            f"{info.name} makes {width} × {height} instead of {recipe.width} × {recipe.height}: sides are multiples of"
            f" {info.size_multiple} within its limits."
        )
    frames = nearest_frames(info, recipe.frames)
    if frames != recipe.frames:
        notes.approximated(f"{info.name} makes {frames} frames instead of {recipe.frames}.")
    return recipe.replace(width=width, height=height, frames=frames)


def _numbers(recipe: Recipe, info: FamilyInfo, notes: Notes) -> Recipe:
    limits: tuple[tuple[str, str, float, float], ...] = (
        ("steps", "steps", 1, info.max_steps),
        ("guidance", "guidance", 0.0, info.max_guidance),
        ("shift", "shift", 0.01, 100.0),
        ("batch", "results at once", 1, info.max_batch),
        ("fps", "frames per second", 1, 120),
        ("max_sequence_length", "tokens", 1, 512),
    )
    changes: dict[str, Any] = {}
    for field, name, low, high in limits:
        value = getattr(recipe, field)
        kept = type(value)(min(max(value, low), high))
        if kept != value:
            changes[field] = kept
            notes.approximated(f"{name.capitalize()}: {value:g} is outside {low:g} to {high:g}; {kept:g} is used.")
    if not 0 <= recipe.seed <= MAX_SEED:
        changes["seed"] = recipe.seed % (MAX_SEED + 1)
        notes.approximated(f"The seed {recipe.seed} is beyond Laterna's; {changes['seed']} gives another noise.")
    return recipe.replace(**changes)


def _sampling(recipe: Recipe, info: FamilyInfo, notes: Notes) -> Recipe:
    sampler, scheduler = recipe.sampler, recipe.scheduler
    if sampler == "dpmpp_2m" and sampler not in info.samplers and "dpmpp_2m_log_snr" in info.samplers:
        sampler = "dpmpp_2m_log_snr"  # the same where noise is not that of a rectified flow
    if sampler not in info.samplers:
        sampler = "euler" if "euler" in info.samplers else next(iter(info.samplers))
        notes.approximated(
            f"{info.name} has no sampler {recipe.sampler} in this Laterna; {sampler} makes another picture."
        )
    if scheduler not in info.samplers[sampler]:
        scheduler = info.samplers[sampler][0]
        notes.approximated(
            f"{info.name} has no scheduler {recipe.scheduler} for {sampler} in this Laterna; {scheduler} is used."
        )
    return recipe.replace(sampler=sampler, scheduler=scheduler)


def _texts(recipe: Recipe, info: FamilyInfo, notes: Notes) -> Recipe:
    if recipe.text_encoding not in info.text_encodings:
        if weighs(recipe):
            notes.approximated(f"{info.name} cannot weigh words in this Laterna; all words weigh the same.")
        else:
            notes.approximated("T5's text is padded to 256 tokens, where ComfyUI pads to 77: details differ.")
        recipe = recipe.replace(
            text_encoding="diffusers",
            max_sequence_length=max(recipe.max_sequence_length, 226 if info.kind == "video" else 256),
            prompt=plain_text(recipe.prompt),
            negative_prompt=plain_text(recipe.negative_prompt),
            conditioning=_plain(recipe.conditioning),
        )
    if recipe.negative_prompt and not info.takes("negative_prompt"):
        notes.approximated(f"{info.name} takes no negative prompt; it is left out.")
        recipe = recipe.replace(negative_prompt="")
    if recipe.t5_mask and not info.takes("t5_mask"):
        notes.approximated("T5's padding is not masked in this Laterna.")
        recipe = recipe.replace(t5_mask=False)
    if recipe.step_caching and not info.takes("step_caching"):
        recipe = recipe.replace(step_caching=0.0)  # only faster
    if recipe.conditioning is not None and not info.takes("conditioning"):
        for name, side in (("positive", recipe.conditioning.positive), ("negative", recipe.conditioning.negative)):
            if side:
                notes.approximated(f"Of the {name} prompts this Laterna uses the first alone, over the whole schedule.")
        recipe = recipe.replace(conditioning=None)
    window = recipe.negative_range
    if window != WHOLE and not info.takes("negative_range"):
        notes.approximated(f"{info.name} uses the negative prompt over the whole schedule.")
        recipe = recipe.replace(negative_range=WHOLE)
    return recipe


def _plain(conditioning: Any) -> Any:
    """All texts without their weights."""
    if conditioning is None:
        return None

    def texts(words: Any) -> dict[str, str]:
        said = {name: getattr(words, name) for name in ("text", "clip_l", "clip_g")}
        return {name: plain_text(text) for name, text in said.items() if text is not None}

    def entry(one: Entry) -> Entry:
        mix = tuple(Mix(msgspec.structs.replace(part.words, **texts(part.words)), part.keep) for part in one.mix)
        return msgspec.structs.replace(one, mix=mix, **texts(one))

    return msgspec.structs.replace(
        conditioning,
        positive=tuple(map(entry, conditioning.positive)),
        negative=tuple(map(entry, conditioning.negative)),
    )


def weighs(recipe: Recipe) -> bool:
    """Whether any of the texts gives a word a weight; escapes alone do not."""
    said = (*recipe.positive_entries(), *recipe.negative_entries())
    words = [one for entry in said for one in (entry, *(part.words for part in entry.mix))]
    texts = [text for one in words for text in (one.text, one.clip_l, one.clip_g) if text]
    return any(piece.weight != 1 for text in texts for piece in parse(text))


def unweighted(recipe: Recipe) -> Recipe:
    """A recipe whose texts carry escapes for ComfyUI's reading, as one whose parentheses are plain characters."""
    return recipe.replace(
        text_encoding="diffusers",
        prompt=plain_text(recipe.prompt),
        negative_prompt=plain_text(recipe.negative_prompt),
        conditioning=_plain(recipe.conditioning),
    )


def _guidance(recipe: Recipe, info: FamilyInfo, notes: Notes) -> Recipe:
    skip = recipe.skip_layer_guidance
    if skip is not None:
        if not info.takes("skip_layer_guidance"):
            notes.approximated(f"{info.name} has no skip-layer guidance; it is left out.")
            skip = None
        else:
            skip = _skip(skip, notes)
        recipe = recipe.replace(skip_layer_guidance=skip)
    points = recipe.guidance_schedule
    if not points:
        return recipe
    if not info.takes("guidance_schedule"):
        notes.approximated(
            f"Guidance that changes over the steps is not in this Laterna yet; {recipe.guidance:g} is used."
        )
        return recipe.replace(guidance_schedule=())
    kept = tuple(msgspec.structs.replace(p, scale=min(max(p.scale, 0.0), info.max_guidance)) for p in points)
    if kept != points:
        notes.approximated(f"Guidance stays within 0 and {info.max_guidance:g}.")
    return recipe.replace(guidance_schedule=kept)


def _skip(skip: SkipLayerGuidance, notes: Notes) -> SkipLayerGuidance:
    scale = min(max(skip.scale, 0.0), MAX_SKIP_SCALE)
    ends = sorted(min(max(end, 0.0), 1.0) for end in (skip.start, skip.end))
    kept = SkipLayerGuidance(scale, skip.layers, ends[0], ends[1], skip.window)
    if kept != skip:
        notes.approximated("Skip-layer guidance was brought within its limits.")
    return kept


def _inputs(recipe: Recipe, info: FamilyInfo, notes: Notes) -> Recipe:
    inputs: list[Input] = []
    for one in recipe.inputs:
        rule, role = info.rule_of(one.role), one.role.replace("_", " ")
        if rule is None and one.role in STARTING:
            notes.approximated(f"{info.name} cannot start from a picture in this Laterna; it starts from noise alone.")
        elif rule is None or sum(other.role == one.role for other in inputs) >= rule.most:
            notes.approximated(f"{info.name} takes no (further) {role} in this Laterna; {one.name} is left out.")
        else:
            strength = min(max(one.strength, _MIN_STRENGTH), 1.0)
            if strength != one.strength:
                notes.approximated(f"A denoise strength of {one.strength:g} makes no sense; {strength:g} is used.")
            inputs.append(one.replace(strength=strength))
    adapters = recipe.adapters
    if not info.takes("adapters"):
        for adapter in adapters:
            notes.ignored(f"The LoRA {shown(adapter.name)}: this Laterna cannot use LoRAs yet.")
        adapters = ()
    return recipe.replace(inputs=tuple(inputs), adapters=adapters)
