"""From what stands in the form to the texts of one job: the style around it, then alternatives and wildcards drawn."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from engine.prompt.combinations import MOST, count, every
from engine.prompt.styles import Style
from engine.prompt.templates import Lines, is_template, no_wildcards, refused, resolve


class Texts(NamedTuple):
    """``offset``: where the person's own prompt begins in ``prompt``; None where it does not stand there as typed."""

    prompt: str
    negative: str
    offset: int | None = 0


def expand(prompt: str, negative: str, style: Style | None, seed: int, lines: Lines = no_wildcards) -> Texts:
    """The texts of the job with ``seed``. Raises ``BadRecipe`` as ``resolve`` does."""
    offset: int | None = 0
    if style is not None:
        own = prompt
        prompt, negative = style.apply(prompt, negative)
        found = prompt.find(own.strip().rstrip(","))
        leading = len(own) - len(own.lstrip())
        offset = found - leading if found >= 0 else None
    if is_template(prompt):
        prompt, offset = resolve(prompt, seed, lines), None
    return Texts(prompt, resolve(negative, seed, lines), offset)


def combinations(prompt: str, negative: str, style: Style | None, lines: Lines = no_wildcards) -> list[tuple[str, str]]:
    """Every prompt with every negative prompt that can be drawn. Raises ``BadRecipe`` where they are too many."""
    number = count_combinations(prompt, negative, style, lines)
    if style is not None:
        prompt, negative = style.apply(prompt, negative)
    if number > MOST:
        raise refused(
            f"These are {number:,} combinations; at most {MOST:,} go at once.",
            "Take out some alternatives, or let each job draw one.",
        )
    return list(product(every(prompt, lines), every(negative, lines)))


def count_combinations(prompt: str, negative: str, style: Style | None, lines: Lines = no_wildcards) -> int:
    """How many they are, equal ones counted apart. Raises ``BadRecipe`` as ``resolve`` does."""
    if style is not None:
        prompt, negative = style.apply(prompt, negative)
    return count(prompt, lines) * count(negative, lines)


def varies(prompt: str, negative: str, style: Style | None) -> bool:
    """Whether the jobs' texts are not simply the form's."""
    return style is not None or is_template(prompt) or is_template(negative)
