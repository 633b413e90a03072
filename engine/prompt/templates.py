r"""Prompts with alternatives and wildcards: ``a {red|blue} __animal__`` is a different text for each job.

    {a|b|c}         one of them
    {2::a|b}        a twice as often as b
    {2$$a|b|c}      two of them, in random order, joined by ", "
    {1-2$$ and $$a|b|c}   one or two of them, joined by " and "
    __animal__      a line of the wildcard file ``animal``; ``__places/city__`` of a file in a folder

They nest. Braces without ``|`` or ``$$`` are plain characters, and ``\{ \} \|`` always are. Which one is drawn depends
on the seed alone: the same template with the same seed is the same text.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.protocol.errors import BadRecipe

MAX_DEPTH = 20
MAX_CHARS = 100_000
MAX_CHOICES = 200_000  # drawn for one text
WILDCARD = re.compile(r"__([A-Za-z0-9][\w\-./]{0,99}?)__")
_PICK = re.compile(r"\s*(\d{1,3})?(?:(-)(\d{1,3})?)?\$\$(?:([^$|{}]*)\$\$)?")
WEIGHT = re.compile(r"\s*(\d{1,6}(?:\.\d{1,6})?)::")
_ESCAPED = re.compile(r"\\([{}|])")

Lines = Callable[[str], Sequence[str]]
"""``lines(name)`` are those of a wildcard; an empty sequence where there is none of that name."""


def no_wildcards(_name: str) -> Sequence[str]:
    return ()


def is_template(text: str) -> bool:
    """Whether ``resolve`` would change ``text``."""
    return bool(WILDCARD.search(text) or _ESCAPED.search(text) or first_group(text))


def escape(text: str) -> str:
    """A template that ``resolve`` makes ``text`` of; a wildcard's name is left as it is."""
    if not (first_group(text) or _ESCAPED.search(text)):
        return text
    return re.sub(r"([{}|])", r"\\\1", text)


def wildcard_names(text: str) -> list[str]:
    return list(dict.fromkeys(WILDCARD.findall(text)))


def resolve(template: str, seed: int, lines: Lines = no_wildcards) -> str:
    """The text of the job with ``seed``. Raises ``BadRecipe`` for an unknown wildcard, or too deep a nesting."""
    if not is_template(template):
        return template
    drawer = _Drawer(random.Random(f"laterna-prompt-{seed}"), lines)
    return unescape(drawer.draw(template, 0))


def unescape(text: str) -> str:
    r"""``\{``, ``\}`` and ``\|`` as the characters that they stand for."""
    return _ESCAPED.sub(r"\1", text)


@dataclass
class _Drawer:
    random: random.Random
    lines: Lines
    drawn: int = 0

    def draw(self, text: str, depth: int) -> str:
        if depth > MAX_DEPTH:
            raise too_deep()
        parts: list[str] = []
        place = 0
        while (group := first_group(text, place)) is not None:
            start, end = group
            parts.append(self._wildcards(text[place:start], depth))
            parts.append(self._alternatives(text[start + 1 : end - 1], depth))
            place = end
        parts.append(self._wildcards(text[place:], depth))
        made = "".join(parts)
        if len(made) > MAX_CHARS:
            raise refused(f"This prompt grows beyond {MAX_CHARS:,} characters.")
        return made

    def _wildcards(self, text: str, depth: int) -> str:
        def line(match: re.Match[str]) -> str:
            choices = lines_of(match[1], self.lines)
            self._count()
            return self.draw(self.random.choice(choices), depth + 1)

        return WILDCARD.sub(line, text)

    def _alternatives(self, inside: str, depth: int) -> str:
        low, high, between, inside = amount(inside)
        options = split_options(inside)
        weights = [float(match[1]) if (match := WEIGHT.match(option)) else 1.0 for option in options]
        texts = [WEIGHT.sub("", option, count=1) if WEIGHT.match(option) else option for option in options]
        low, high = min(low, len(texts)), min(max(low, high), len(texts))
        count = self.random.randint(low, high)
        chosen: list[str] = []
        remaining = list(range(len(texts)))
        for _ in range(count):
            self._count()
            total = sum(weights[index] for index in remaining)
            index = self.random.choices(remaining, [weights[i] if total else 1.0 for i in remaining])[0]
            remaining.remove(index)
            chosen.append(self.draw(texts[index], depth + 1))
        return between.join(chosen)

    def _count(self) -> None:
        self.drawn += 1
        if self.drawn > MAX_CHOICES:
            raise refused("This prompt has too many alternatives.")


def lines_of(name: str, lines: Lines) -> Sequence[str]:
    """The choices of a wildcard. Raises ``BadRecipe`` where there are none."""
    choices = lines(name)
    if not choices:
        raise refused(
            f"There is no wildcard “{name}”, or its file is empty.",
            f"Put a text file {name}.txt into the wildcards folder, or take __{name}__ out.",
        )
    return choices


def refused(message: str, remedy: str = "Simplify it.") -> BadRecipe:
    return BadRecipe(message, remedy, field="prompt")


def too_deep() -> BadRecipe:
    return refused("The alternatives in this prompt are nested too deep, or a wildcard contains itself.")


def amount(inside: str) -> tuple[int, int, str, str]:
    """How many are drawn (from, to), what joins them, and the alternatives themselves."""
    match = _PICK.match(inside)
    if match is None:
        return 1, 1, "", inside
    first, dash, second, between = match.groups()
    low = int(first) if first else 1
    high = (int(second) if second else 999) if dash else low
    return low, high, ", " if between is None else between, inside[match.end() :]


def first_group(text: str, place: int = 0) -> tuple[int, int] | None:
    """The first outermost ``{…}`` from ``place`` on that holds alternatives, as start and end; None without one."""
    opened: list[int] = []
    marks: list[bool] = []  # whether the group of that depth holds | or $$ itself
    found: tuple[int, int] | None = None
    index = place
    while index < len(text):
        character = text[index]
        if character == "\\" and text[index + 1 : index + 2] in ("{", "}", "|"):
            index += 2
            continue
        if character == "{":
            opened.append(index)
            marks.append(False)
        elif opened and (character == "|" or text.startswith("$$", index)):
            marks[-1] = True
        elif character == "}" and opened:
            start, is_choice = opened.pop(), marks.pop()
            if is_choice and (found is None or start < found[0]):
                found = (start, index + 1)
            if not opened and found is not None:
                return found
        index += 1
    return found


def split_options(inside: str) -> list[str]:
    """The alternatives between the ``|`` of this group, not those of groups within."""
    parts, depth, begin, index = [], 0, 0, 0
    while index < len(inside):
        character = inside[index]
        if character == "\\" and inside[index + 1 : index + 2] in ("{", "}", "|"):
            index += 2
            continue
        if character == "{":
            depth += 1
        elif character == "}":
            depth = max(0, depth - 1)
        elif character == "|" and depth == 0:
            parts.append(inside[begin:index])
            begin = index + 1
        index += 1
    parts.append(inside[begin:])
    return parts
