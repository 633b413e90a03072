"""The things that can be drawn, from `resources/world/things.tsv`: a glyph, and its names in three languages.

A thing's index is its class in every checkpoint: the table only grows at its end. The first 94 are those of the first
generation (`engine/training/catalogue.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.files import read_regular
from resources import WORLD

LANGUAGES = ("en", "pt", "es")


@dataclass(frozen=True)
class Noun:
    """`names[0]` is the usual one. `gender` is "m", "f" or, of what is always plural, "mp" or "fp"; "" in English."""

    names: tuple[str, ...]
    gender: str = ""


@dataclass(frozen=True)
class Thing:
    """One drawable thing; `nouns` by language."""

    glyph: str
    nouns: dict[str, Noun]

    @property
    def name(self) -> str:
        return self.nouns["en"].names[0]


def _thing(line: str) -> Thing:
    glyph, english, *others = line.split("\t")
    nouns = {"en": Noun(tuple(english.split("/")))}
    for code, text in zip(LANGUAGES[1:], others, strict=True):
        gender, names = text.split(" ", 1)
        nouns[code] = Noun(tuple(names.split("/")), gender)
    return Thing(glyph, nouns)


THINGS: tuple[Thing, ...] = tuple(
    _thing(line) for line in read_regular(WORLD / "things.tsv", 2**20).decode().splitlines() if line
)
THING_INDEX = {thing.name: index for index, thing in enumerate(THINGS)}

# "red apple" is the apple as it is; "green apple" a thing of its own, though it is an apple in a colour.
IN_COLOUR: dict[tuple[str, str], str] = {
    ("red apple", "red"): "red apple", ("red apple", "green"): "green apple", ("red car", "red"): "red car",
    ("red car", "blue"): "blue car", ("red heart", "red"): "red heart", ("red heart", "blue"): "blue heart",
    ("red heart", "green"): "green heart", ("red heart", "purple"): "purple heart", ("balloon", "red"): "balloon",
    ("rose", "red"): "rose",
}  # fmt: skip
OF_ONE_COLOUR = frozenset(("green apple", "blue car", "blue heart", "green heart", "purple heart"))
COLOURABLE: tuple[int, ...] = tuple(i for i, t in enumerate(THINGS) if t.name not in OF_ONE_COLOUR | {"rainbow"})


def plainly(thing: int) -> tuple[str, ...]:
    """The English names of a thing without a colour of its own: what a colour can be put before."""
    names = THINGS[thing].nouns["en"].names
    return tuple(n for n in names if n.split()[0] not in ("red", "green", "blue", "purple", "brown", "golden")) or names
