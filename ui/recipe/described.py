"""A recipe as rows of name and value, and where two differ. What a recipe leaves at its default has no row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from engine.models.catalog import FAMILIES
from engine.protocol.derivation import Derivation
from engine.protocol.family_info import FamilyInfo
from engine.protocol.inpainting import Inpainting
from engine.protocol.inputs import Input
from engine.protocol.recipe import Recipe
from engine.protocol.sampling_names import SAMPLERS, SCHEDULERS, display_name
from engine.protocol.upscaling import Upscaling
from ui.formats import number
from ui.library.captions import derivation_title, grouped

T = QT_TRANSLATE_NOOP
PROMPT, NEGATIVE = "prompt", "negative_prompt"
DESCENT = "derivation"
# Field and name, in the order in which they are read.
FIELDS: tuple[tuple[str, str], ...] = (
    (PROMPT, T("Recipe", "Prompt")),
    (NEGATIVE, T("Recipe", "Negative prompt")),
    ("model", T("Recipe", "Model")),
    ("size", T("Recipe", "Size")),
    ("frames", T("Recipe", "Frames")),
    ("fps", T("Recipe", "Frames per second")),
    ("steps", T("Recipe", "Steps")),
    ("guidance", T("Recipe", "Guidance")),
    ("sampler", T("Recipe", "Sampler")),
    ("scheduler", T("Recipe", "Schedule")),
    ("shift", T("Recipe", "Shift")),
    ("seed", T("Recipe", "Seed")),
    ("batch", T("Recipe", "Pictures at once")),
    ("negative_range", T("Recipe", "Negative prompt's part")),
    ("dynamic_guidance", T("Recipe", "Dynamic guidance")),
    ("guidance_schedule", T("Recipe", "Guidance curve")),
    ("skip_layer_guidance", T("Recipe", "Skip-layer guidance")),
    ("inputs", T("Recipe", "Start from")),
    ("adapters", T("Recipe", "LoRAs")),
    ("conditioning", T("Recipe", "More prompts")),
    ("text_encoding", T("Recipe", "Reading of texts")),
    ("use_t5", T("Recipe", "Text encoder T5")),
    ("max_sequence_length", T("Recipe", "Longest prompt")),
    ("t5_mask", T("Recipe", "T5 without padding")),
    ("step_caching", T("Recipe", "Step caching")),
    ("latents", T("Recipe", "Latents kept as")),
    ("weights", T("Recipe", "Weights")),
    ("inpainting", T("Recipe", "Part made anew")),
    ("upscaling", T("Recipe", "Made larger")),
)
_ALWAYS = frozenset((PROMPT, "model", "size", "steps", "guidance", "sampler", "scheduler", "seed"))


class Line(NamedTuple):
    """``name`` is translated; ``value`` is what a person reads, ``other`` the value beside it where that differs."""

    field: str
    name: str
    value: str
    other: str | None = None


def describe(recipe: Recipe, beside: Recipe | None = None) -> list[Line]:
    """Every row of ``recipe`` that says something, and every one in which ``beside`` differs."""
    plain = Recipe(family=recipe.family, model=recipe.model)
    lines = []
    for field, name in FIELDS:
        value = shown(recipe, field)
        other = shown(beside, field) if beside is not None else value
        says = field in _ALWAYS or value != shown(plain, field)
        if says or other != value:
            title = QCoreApplication.translate("Recipe", name)
            lines.append(Line(field, title, value, other if other != value else None))
    return lines


def describe_words(prompt: str, negative_prompt: str) -> list[Line]:
    """What is known of a result whose model Laterna does not run."""
    said = ((PROMPT, prompt), (NEGATIVE, negative_prompt))
    return [Line(field, field_name(field), text) for field, text in said if text]


def describe_descent(derivation: Derivation | None) -> list[Line]:
    """A row for each thing that was done, the last first, with what it was done to."""
    name = QCoreApplication.translate("Recipe", "Made from")
    done = derivation.descent() if derivation is not None else ()
    return [Line(DESCENT, name, f"{one.source.name}  ·  {derivation_title(one)}") for one in done]


def differences(recipes: Iterable[Recipe]) -> list[str]:
    """The fields in which not all of ``recipes`` agree, in order."""
    every = list(recipes)
    return [field for field, _name in FIELDS if len({shown(recipe, field) for recipe in every}) > 1]


def field_name(field: str) -> str:
    return next(QCoreApplication.translate("Recipe", name) for key, name in FIELDS if key == field)


def shown(recipe: Recipe, field: str) -> str:
    """The value as a person reads it; "–" for none."""
    if field == "size":
        return f"{recipe.width} × {recipe.height}"
    value = getattr(recipe, field)
    if field in _SHOWN:
        return _SHOWN[field](recipe) if value not in (None, ()) else "–"
    if isinstance(value, bool):
        translate = QCoreApplication.translate
        return translate("Recipe", "on") if value else translate("Recipe", "off")
    return number(value) if isinstance(value, float) else str(value) or "–"


def _skip(recipe: Recipe) -> str:
    skip = recipe.skip_layer_guidance
    assert skip is not None
    layers = ", ".join(map(str, skip.layers))
    return f"{number(skip.scale)}  ·  {layers}  ·  {number(skip.start)}–{number(skip.end)}"


def _inputs(recipe: Recipe) -> str:
    return ", ".join(_input(one, FAMILIES.get(recipe.family)) for one in recipe.inputs) or "–"


def _input(one: Input, family: FamilyInfo | None) -> str:
    """Its name and, where it has one, its strength: a clip begins with the very picture."""
    rule = family.rule_of(one.role) if family is not None else None
    strength = "" if rule is not None and not rule.has_strength else f"  ·  {number(one.strength)}"
    return one.name + strength


def _inpainting(how: Inpainting | None) -> str:
    if how is None:
        return "–"
    translate = QCoreApplication.translate
    close = translate("Recipe", "the masked part, {0} px around").format(how.margin)
    parts = [close if how.only_masked else translate("Recipe", "the whole picture")]
    parts.append(translate("Recipe", "soft edge {0} px").format(how.feather))
    if how.grows:
        sides = f"{how.left}, {how.top}, {how.right}, {how.bottom}"
        parts.append(translate("Recipe", "grows by {0} ({1})").format(sides, how.fill))
    return "  ·  ".join(parts)


def _upscaling(how: Upscaling | None) -> str:
    return f"{how.scale} ×  ·  {how.by}" if how is not None else "–"


_WEIGHTS = {"native": "native", "int8": "8 bits", "fp8": "float8"}
_READINGS = {"diffusers": "diffusers", "comfyui": "ComfyUI"}
_SHOWN: dict[str, Callable[[Recipe], str]] = {
    "inpainting": lambda recipe: _inpainting(recipe.inpainting),
    "upscaling": lambda recipe: _upscaling(recipe.upscaling),
    "weights": lambda recipe: _WEIGHTS[recipe.weights],
    "text_encoding": lambda recipe: _READINGS[recipe.text_encoding],
    "sampler": lambda recipe: display_name(SAMPLERS, recipe.sampler),
    "scheduler": lambda recipe: display_name(SCHEDULERS, recipe.scheduler),
    "seed": lambda recipe: grouped(recipe.seed),
    "negative_range": lambda recipe: f"{number(recipe.negative_range.start)}–{number(recipe.negative_range.end)}",
    "guidance_schedule": lambda recipe: "; ".join(
        f"{number(p.at)}: {number(p.scale)}" for p in recipe.guidance_schedule
    ),
    "skip_layer_guidance": _skip,
    "inputs": _inputs,
    "adapters": lambda recipe: ", ".join(f"{one.name} × {number(one.strength)}" for one in recipe.adapters),
    "conditioning": lambda recipe: str(
        len(recipe.positive_entries()) + len(recipe.negative_entries()) - 2 if recipe.conditioning else 0
    ),
}
