"""Weights by key: ``(words:1.2)`` around the selection, stepped up and down."""

from __future__ import annotations

import re
from typing import NamedTuple

STEP = 0.05
LOWEST, HIGHEST = 0.0, 10.0
_GROUP = re.compile(r"\((?P<text>[^()]*):(?P<weight>-?\d+(?:\.\d+)?)\)")
_WORD = re.compile(r"[^\s,.;:(){}|]+")


class Edit(NamedTuple):
    """Replace ``start`` … ``end`` by ``text``, and select ``selected`` characters of it from ``select_from`` on."""

    start: int
    end: int
    text: str
    select_from: int
    selected: int


def step_weight(text: str, start: int, end: int, up: bool) -> Edit | None:
    """The weight of what is selected (``start`` … ``end``), or of the word or weighted group at the cursor, stepped.

    At 1 the parentheses go. None where there is nothing to weigh, or the weight is at its end.
    """
    group = _group_at(text, start, end)
    if group is not None:
        begin, finish = group.span()
        words, weight = group["text"], float(group["weight"])
    else:
        if start == end:
            word = next((match for match in _WORD.finditer(text) if match.start() <= start <= match.end()), None)
            if word is None:
                return None
            start, end = word.span()
        stripped = text[start:end].strip()
        if not stripped or stripped.count("(") != stripped.count(")"):
            return None
        start = text.index(stripped, start)
        begin, finish, words, weight = start, start + len(stripped), stripped, 1.0
    new = round(min(HIGHEST, max(LOWEST, weight + (STEP if up else -STEP))), 2)
    if new == weight:
        return None
    if new == 1.0:
        return Edit(begin, finish, words, begin, len(words))
    return Edit(begin, finish, f"({words}:{new:g})", begin + 1, len(words))


def _group_at(text: str, start: int, end: int) -> re.Match[str] | None:
    """The weighted group that the selection lies in, parentheses included or not."""
    return next((match for match in _GROUP.finditer(text) if match.start() <= start and end <= match.end()), None)
