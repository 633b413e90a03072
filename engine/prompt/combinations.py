"""Every text that a template can become, where ``templates.resolve`` draws one of them.

Of ``{2$$a|b|c}`` each choice of two counts once, in the order in which it is written; an alternative of weight 0 is
left out, as it is never drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations, islice, product

from engine.prompt.templates import (
    MAX_DEPTH,
    WEIGHT,
    WILDCARD,
    Lines,
    amount,
    first_group,
    is_template,
    lines_of,
    no_wildcards,
    split_options,
    too_deep,
    unescape,
)

MOST = 1000


def count(template: str, lines: Lines = no_wildcards) -> int:
    """How many there are, equal texts counted apart. Raises ``BadRecipe`` as ``resolve`` does."""
    return _Counter(lines).count(template, 0)


def every(template: str, lines: Lines = no_wildcards, most: int = MOST) -> list[str]:
    """The first ``most`` of them, the last alternatives changing fastest, each text once."""
    if not is_template(template):
        return [template]
    return list(dict.fromkeys(unescape(text) for text in islice(_texts(template, lines, 0, most), most)))


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """``text`` in order as plain texts, wildcards' names and the insides of groups."""
    place = 0
    while True:
        group = first_group(text, place)
        plain = text[place : group[0] if group else len(text)]
        end = 0
        for match in WILDCARD.finditer(plain):
            yield "text", plain[end : match.start()]
            yield "wildcard", match[1]
            end = match.end()
        yield "text", plain[end:]
        if group is None:
            return
        yield "group", text[group[0] + 1 : group[1] - 1]
        place = group[1]


def _options(inside: str) -> tuple[int, int, str, list[str]]:
    """How many of a group are taken (from, to), what joins them, and its alternatives."""
    low, high, between, inside = amount(inside)
    options = [(WEIGHT.match(option), option) for option in split_options(inside)]
    weighed = [option for match, option in options if match is None or float(match[1]) > 0]
    texts = [WEIGHT.sub("", option, count=1) for option in weighed or [option for _, option in options]]
    return min(low, len(texts)), min(max(low, high), len(texts)), between, texts


@dataclass
class _Counter:
    """Counts each wildcard once, however often it stands in others."""

    lines: Lines
    known: dict[str, int] = field(default_factory=dict)

    def count(self, text: str, depth: int) -> int:
        if depth > MAX_DEPTH:
            raise too_deep()
        total = 1
        for kind, piece in _pieces(text):
            if kind == "wildcard":
                if piece not in self.known:
                    self.known[piece] = sum(self.count(line, depth + 1) for line in lines_of(piece, self.lines))
                total *= self.known[piece]
            elif kind == "group":
                low, high, _between, options = _options(piece)
                counts = [self.count(option, depth + 1) for option in options]
                total *= sum(_choices(counts, taken) for taken in range(low, high + 1))
        return total


def _choices(counts: list[int], taken: int) -> int:
    """The elementary symmetric polynomial: over every choice of ``taken`` of them, their product."""
    sums = [1] + [0] * taken
    for number in counts:
        for index in range(taken, 0, -1):
            sums[index] += sums[index - 1] * number
    return sums[taken]


def _texts(text: str, lines: Lines, depth: int, most: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        raise too_deep()
    parts: list[list[str]] = []
    for kind, piece in _pieces(text):
        if kind == "text":
            parts.append([piece])
        elif kind == "wildcard":
            found = (one for line in lines_of(piece, lines) for one in _texts(line, lines, depth + 1, most))
            parts.append(list(islice(found, most)))
        else:
            parts.append(list(islice(_of_group(piece, lines, depth, most), most)))
    for chosen in product(*parts):
        yield "".join(chosen)


def _of_group(inside: str, lines: Lines, depth: int, most: int) -> Iterator[str]:
    low, high, between, options = _options(inside)
    made = [list(islice(_texts(option, lines, depth + 1, most), most)) for option in options]
    for taken in range(low, high + 1):
        for chosen in combinations(made, taken):
            for texts in product(*chosen):
                yield between.join(texts)
