r"""Prompt weights as ComfyUI reads them: ``(words:1.2)``.

``(x)`` multiplies the weight by 1.1, and nesting multiplies again; ``(x:w)`` sets it to ``w`` whatever surrounds it;
``\(`` and ``\)`` are plain characters, and so are brackets of any other kind.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

import msgspec

MAX_DEPTH = 100
MAX_WORK = 100_000  # parentheses looked at, each once for each level around it
_PARENTHESIS = re.compile(r"\\[()]|[()]")


class Weighted(msgspec.Struct, frozen=True):
    """A piece of a prompt and its weight; 1 is neutral."""

    text: str
    weight: float = 1.0


def parse(prompt: str) -> list[Weighted]:
    """The pieces of ``prompt`` in order; neighbours of one weight are joined, empty ones left out.

    Parentheses without a partner are plain characters, and so are those nested deeper than any person nests them. A
    weight that is no finite number is part of the text.
    """
    return _joined(_pieces(prompt, 1.0, 0, [MAX_WORK]))


def has_weights(prompt: str) -> bool:
    """Whether reading weights and reading plain characters make a difference."""
    return parse(prompt) not in ([], [Weighted(prompt)])


def text_of(pieces: Iterable[Weighted]) -> str:
    """A prompt that ``parse`` reads as ``pieces``."""
    parts = []
    for piece in _joined(pieces):
        text = escape(piece.text)
        # a backslash at the end would escape the parenthesis that follows it
        plain = piece.weight == 1.0 and not piece.text.endswith("\\")
        parts.append(text if plain else f"({text}:{piece.weight!r})")
    return "".join(parts)


def escape(text: str) -> str:
    """A prompt that ``parse`` reads as ``text`` at weight 1, if ``text`` does not end in a backslash."""
    return text.replace("(", r"\(").replace(")", r"\)")


def plain_text(prompt: str) -> str:
    """``prompt`` without its weights."""
    return "".join(piece.text for piece in parse(prompt))


def _joined(pieces: Iterable[Weighted]) -> list[Weighted]:
    joined: list[Weighted] = []
    for piece in pieces:
        if joined and joined[-1].weight == piece.weight:
            joined[-1] = Weighted(joined[-1].text + piece.text, piece.weight)
        elif piece.text:
            joined.append(piece)
    return joined


def _pieces(prompt: str, weight: float, depth: int, work: list[int]) -> Iterator[Weighted]:
    work[0] -= prompt.count("(") + prompt.count(")")
    for part in _split(prompt):
        if not _is_group(part) or depth >= MAX_DEPTH or work[0] < 0:
            yield Weighted(part.replace(r"\(", "(").replace(r"\)", ")"), weight)
            continue
        inner, inner_weight = part[1:-1], weight * 1.1
        head, colon, tail = inner.rpartition(":")
        if colon and head:
            stated = _number(tail)
            if stated is not None:
                inner, inner_weight = head, stated
        yield from _pieces(inner, inner_weight, depth + 1, work)


def _is_group(part: str) -> bool:
    return len(part) >= 2 and part[0] == "(" and part[-1] == ")" and part[-2] != "\\"


def _split(prompt: str) -> Iterator[str]:
    """``prompt`` cut into groups in parentheses and what stands between them.

    As in ComfyUI a closing parenthesis too many shifts the count for the rest of the prompt, so what follows it stays
    one piece.
    """
    start, level = 0, 0
    for match in _PARENTHESIS.finditer(prompt):
        if match[0] == "(":
            if level == 0 and match.start() > start:
                yield prompt[start : match.start()]
                start = match.start()
            level += 1
        elif match[0] == ")":
            level -= 1
            if level == 0:
                yield prompt[start : match.end()]
                start = match.end()
    if start < len(prompt):
        yield prompt[start:]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
