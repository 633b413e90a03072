"""From the one recipe that the arguments ask for to that of each job: counted seeds, a grid, alternatives."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from app.cli.parser import Namespace
from engine.jobs.submission import check
from engine.jobs.variations import BOTH_TEXTS, FIELDS, Axis, parse_values, vary
from engine.prompt.adapt import Adapted, adapt_recipe
from engine.prompt.expand import combinations, expand
from engine.prompt.templates import Lines, escape
from engine.protocol.errors import BadArguments
from engine.protocol.family_info import MAX_SEED, ModelInfo
from engine.protocol.recipe import Recipe

_SHORT = {"negative": "negative_prompt"}


def recipes_of(first: Recipe, arguments: Namespace, lines: Lines) -> tuple[Recipe, ...]:
    """Texts given as arguments may hold alternatives and wildcards, ``lines`` of which; those of a recipe's file were
    drawn when it was made. Raises ``BadArguments`` or ``BadRecipe``."""
    template = first.replace(
        prompt=first.prompt if arguments.prompt is not None else escape(first.prompt),
        negative_prompt=first.negative_prompt if arguments.negative is not None else escape(first.negative_prompt),
    )
    axes = tuple(_axis(text, template) for text in arguments.vary)
    if arguments.combinations:
        made = combinations(template.prompt, template.negative_prompt, None, lines)
        axes = (Axis(BOTH_TEXTS, tuple(made)), *axes)
    if not axes:
        seeds = ((template.seed + number) % (MAX_SEED + 1) for number in range(arguments.count))
        return tuple(_drawn(template.replace(seed=seed), lines) for seed in seeds)
    if arguments.count > 1:
        raise BadArguments(
            "--count does not go with --vary and --combinations.", f"Vary the seed: --vary seed=x{arguments.count}."
        )
    varied = [recipe for recipe, _label in vary(template, axes)]
    recipes = varied if arguments.combinations else [_drawn(recipe, lines) for recipe in varied]
    for recipe in recipes:
        check(recipe)
    return tuple(recipes)


def in_known_words(recipes: Sequence[Recipe], info: ModelInfo) -> tuple[Recipe, ...]:
    """As the model understands them; what is drawn otherwise than it was written is said on stderr."""
    adapted = [adapt_recipe(recipe, info) for recipe in recipes]
    pairs = zip(recipes, adapted, strict=True)
    for told in dict.fromkeys(told for recipe, (_, told) in pairs if told.text != recipe.prompt):
        print(f"laterna: {info.name} {_said(told)}", file=sys.stderr)
    return tuple(recipe for recipe, _told in adapted)


def _said(adapted: Adapted) -> str:
    if adapted.surprise:
        return f"draws a surprise: {adapted.text}"
    instead = [f"{one.word} as {one.instead}" for one in adapted.changes if one.instead]
    left_out = [one.word for one in adapted.changes if not one.instead]
    parts = [f"draws {', '.join(instead)}"] * bool(instead) + [f"leaves out {', '.join(left_out)}"] * bool(left_out)
    return f"{' and '.join(parts)}: {adapted.text}"


def _axis(text: str, recipe: Recipe) -> Axis:
    name, equals, values = text.partition("=")
    field = name.strip().replace("-", "_")
    field = _SHORT.get(field, field)
    if not equals or field not in FIELDS or field == BOTH_TEXTS:
        known = ", ".join(one for one in FIELDS if one != BOTH_TEXTS)
        raise BadArguments(f"--vary {text} names no setting.", f"Write NAME=VALUES, NAME one of: {known}.")
    return Axis(field, parse_values(field, values, recipe))


def _drawn(recipe: Recipe, lines: Lines) -> Recipe:
    texts = expand(recipe.prompt, recipe.negative_prompt, None, recipe.seed, lines)
    return recipe.replace(prompt=texts.prompt, negative_prompt=texts.negative)
