"""Several jobs from one recipe: other seeds, or a grid over the values of one or two settings."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from itertools import product
from typing import Any

import msgspec

from engine.models.catalog import FAMILIES
from engine.prompt.templates import split_options
from engine.protocol.errors import BadRecipe
from engine.protocol.family_info import MAX_SEED
from engine.protocol.inputs import STARTING
from engine.protocol.recipe import Recipe

MAX_JOBS = 1000
MAX_AXES = 2

WHOLE = ("seed", "steps", "width", "height", "frames", "fps", "batch", "max_sequence_length")
FRACTIONS = ("guidance", "shift", "strength", "lora_strength")
TEXTS = ("prompt", "negative_prompt")
NAMES = ("sampler", "scheduler")
BOTH_TEXTS = "texts"
FIELDS = (*WHOLE, *FRACTIONS, *NAMES, *TEXTS, BOTH_TEXTS)
"""What can be varied. ``strength`` is that of the picture that the recipe starts from, ``lora_strength`` that of its
first LoRA; the values of ``texts`` are pairs of prompt and negative prompt."""

_RANGE = re.compile(
    r"^(?P<first>[-+\d.e]+)\s*(?:\.\.|…)\s*(?P<last>[-+\d.e]+)(?:\s*(?P<how>[+x×])\s*(?P<step>[\d.]+))?$"
)
_COUNT = re.compile(r"^[x×]\s*(\d+)$")


class Axis(msgspec.Struct, frozen=True):
    """One setting and the values that it takes, in order."""

    field: str
    values: tuple[Any, ...]


def parse_values(field: str, text: str, recipe: Recipe) -> tuple[Any, ...]:
    """The values that a person typed for ``field``: a list with commas (texts: with ``|`` outside of braces), ranges
    ``3..7``, ``3..7 +0.5`` (in steps) and ``3..7 x5`` (five of them), and for seeds ``x8``: eight, counted up from the
    recipe's.

    Raises ``BadRecipe`` with ``field`` set.
    """
    parts = [part.strip() for part in (split_options(text) if field in TEXTS else text.split(","))]
    parts = [part for part in parts if part or field == "negative_prompt"]
    if not parts:
        raise BadRecipe("There are no values.", "Write some, with commas between them.", field=field)
    if field in TEXTS or field in NAMES:
        return tuple(dict.fromkeys(parts))
    number: Callable[[str], Any] = _whole if field in WHOLE else _fraction
    found: list[Any] = []
    for part in parts:
        try:
            found.extend(_numbers(part, number, field, recipe))
        except ValueError as error:
            raise BadRecipe(
                f"“{part[:40]}” is no value here.", "Write numbers like 4, 5.5 or ranges like 3..7.", field=field
            ) from error
        if len(found) > MAX_JOBS:
            raise BadRecipe(f"These are more than {MAX_JOBS} values.", "Take fewer.", field=field)
    return tuple(dict.fromkeys(found))


def vary(recipe: Recipe, axes: tuple[Axis, ...]) -> tuple[tuple[Recipe, str], ...]:
    """Every combination with its label, the last axis running fastest. Raises ``BadRecipe``."""
    if not 1 <= len(axes) <= MAX_AXES or len({axis.field for axis in axes}) != len(axes):
        raise BadRecipe("A grid varies one or two different settings.", "Choose them.")
    count = math.prod(len(axis.values) for axis in axes)
    if not 1 <= count <= MAX_JOBS:
        raise BadRecipe(f"This would be {count} jobs; at most {MAX_JOBS} go at once.", "Take fewer values.")
    made = []
    for values in product(*(axis.values for axis in axes)):
        varied, labels = recipe, []
        for axis, value in zip(axes, values, strict=True):
            varied = _with(varied, axis.field, value)
            labels.append(_label(axis, value))
        made.append((varied, " · ".join(labels)))
    return tuple(made)


def _with(recipe: Recipe, field: str, value: Any) -> Recipe:
    if field not in FIELDS:
        raise BadRecipe(f"“{field}” cannot be varied.", f"Take one of: {', '.join(FIELDS)}.", field=field)
    if field == "strength":
        start = recipe.input_of(*STARTING)
        if start is None:
            raise BadRecipe("There is no picture to start from.", "Choose one first.", field=field)
        return recipe.with_input(start.role, input=start.replace(strength=value))
    if field == "lora_strength":
        if not recipe.adapters:
            raise BadRecipe("There is no LoRA.", "Choose one first.", field=field)
        first = msgspec.structs.replace(recipe.adapters[0], strength=value)
        return recipe.replace(adapters=(first, *recipe.adapters[1:]))
    if field == BOTH_TEXTS:
        return recipe.replace(prompt=value[0], negative_prompt=value[1])
    changed = recipe.replace(**{field: value})
    family = FAMILIES.get(recipe.family)
    if field == "sampler" and family is not None:
        schedulers = family.samplers.get(value, ())
        if schedulers and changed.scheduler not in schedulers:
            changed = changed.replace(scheduler=schedulers[0])
    return changed


def _numbers(part: str, number: Callable[[str], Any], field: str, recipe: Recipe) -> list[Any]:
    counted = _COUNT.match(part)
    if counted and field == "seed":
        count = int(counted.group(1))
        if not 1 <= count <= MAX_JOBS:
            raise ValueError(part)
        return [(recipe.seed + n) % (MAX_SEED + 1) for n in range(count)]
    found = _RANGE.match(part)
    if found is None:
        return [number(part)]
    first, last = number(found["first"]), number(found["last"])
    if found["how"] in ("x", "×"):
        count = int(found["step"])
        if not 2 <= count <= MAX_JOBS:
            raise ValueError(part)
        step = (last - first) / (count - 1)
    else:
        step = float(found["step"] or 1)
        if step <= 0:
            raise ValueError(part)
        count = min(int(abs(last - first) / step + 1e-9), MAX_JOBS) + 1
        step = math.copysign(step, last - first)
    values = [first + step * n for n in range(count)]
    return [round(value) for value in values] if number is _whole else [round(value, 6) for value in values]


def _whole(text: str) -> int:
    return int(text)


def _fraction(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _label(axis: Axis, value: Any) -> str:
    if axis.field != BOTH_TEXTS:
        return f"{axis.field.replace('_', ' ')} {_shown(value)}"
    side = 0 if len({prompt for prompt, _ in axis.values}) > 1 else 1
    first, last = min(pair[side] for pair in axis.values), max(pair[side] for pair in axis.values)
    alike = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    begin = value[side].rfind(" ", 0, alike) + 1  # texts that begin alike are told apart by their first other word
    return f"{TEXTS[side].replace('_', ' ')} {_shown(value[side][begin:])}"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value)
    return text if len(text) <= 24 else text[:23] + "…"
