"""Free prompts: what strangers type, and whether a picture shows it, by the rule that `free_prompts.tsv` states.

A prompt leaves most of a composition open: where a thing stands, how big it is, what is behind it. So a picture is
right when it is right for one of the compositions that the prompt leaves open, among those that this world has.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from engine.files import read_regular
from engine.world.looks import BACKGROUNDS, COLOURS, STYLES
from engine.world.things import THINGS
from resources import WORLD

from ..catalogue import PLACES
from .composition import Composition, Item
from .judge import judge, likely

FILE = WORLD / "free_prompts.tsv"
_PAIRS = (("left", "right"), ("right", "left"), ("top", "bottom"), ("bottom", "top"))


@dataclass(frozen=True)
class Thing:
    """`count` of a thing in a colour ("" its own) at a place ("" anywhere)."""

    thing: int
    colour: str = ""
    count: int = 1
    place: str = ""


@dataclass(frozen=True)
class Wanted:
    """`things`: for each thing that is named, what would do; `backgrounds` and `style`: none where none is named.
    `anything`: some known thing, `or_background`: or, instead of the things, one of these."""

    things: tuple[tuple[Thing, ...], ...] = ()
    backgrounds: tuple[int, ...] = ()
    style: str = ""
    anything: bool = False
    or_background: tuple[int, ...] = ()


@dataclass(frozen=True)
class FreePrompt:
    language: str
    text: str
    wanted: Wanted


@cache
def _names() -> dict[str, int]:
    """The first thing of that name: what has colours of its own has plain names too."""
    found: dict[str, int] = {}
    for index, thing in enumerate(THINGS):
        for name in thing.nouns["en"].names:
            found.setdefault(name, index)
    return found


def _thing(text: str) -> Thing | None:
    """None for what is no thing of this world."""
    name, _, place = text.partition("@")
    count, _, rest = name.partition(" ")
    if not count.isdigit():
        count, rest = "1", name
    colour = ""
    if rest not in _names():
        colour, _, rest = rest.partition(" ")
    if rest not in _names() or (colour and colour not in COLOURS):
        return None
    return Thing(_names()[rest], colour, int(count), place)


def wanted(text: str) -> Wanted:
    """What the third column says. Raises `ValueError`."""
    things: list[tuple[Thing, ...]] = []
    backgrounds: tuple[int, ...] = ()
    instead: tuple[int, ...] = ()
    style = ""
    for part in filter(None, text.split(";")):
        if part == "any":
            return Wanted(anything=True)
        if part.startswith("style:"):
            style = STYLES[STYLES.index(part.removeprefix("style:"))]
        elif part.startswith("bg:"):
            known = (b for b in part.removeprefix("bg:").split("|") if b in BACKGROUNDS)
            backgrounds = tuple(BACKGROUNDS.index(b) for b in known)
        else:
            options = part.split("|")
            instead = tuple(BACKGROUNDS.index(o.removeprefix("bg:")) for o in options if o.startswith("bg:"))
            things.append(tuple(t for t in map(_thing, options) if t is not None))
    if any(not options for options in things):
        raise ValueError(f"{text!r} names nothing that this world has")
    return Wanted(tuple(things), backgrounds, style, or_background=instead)


@cache
def free_prompts() -> tuple[FreePrompt, ...]:
    lines = read_regular(FILE, 2**20).decode().splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return tuple(FreePrompt(language, text, wanted(told)) for language, text, told in rows)


def _alone(thing: Thing) -> Iterator[tuple[Item, ...]]:
    if thing.count > 1:
        yield (Item(thing.thing, "centre", "small" if thing.count > 4 else "normal", thing.colour, thing.count),)
        return
    for place in [thing.place] if thing.place else PLACES:
        for size in ("normal", "big", "small"):
            yield (Item(thing.thing, place, size, thing.colour),)


def _two(one: Thing, other: Thing) -> Iterator[tuple[Item, ...]]:
    counted = max(one.count, other.count) > 1
    for places in _PAIRS[:2] if counted else _PAIRS:
        if all(t.place in ("", p) for t, p in zip((one, other), places, strict=True)):
            for sizes in itertools.product(("small",) if counted else ("normal", "small"), repeat=2):
                yield tuple(
                    Item(t.thing, p, s, t.colour, t.count) for t, p, s in zip((one, other), places, sizes, strict=True)
                )


def _three(things: tuple[Thing, ...]) -> Iterator[tuple[Item, ...]]:
    for places in itertools.permutations(("left", "centre", "right")):
        if all(t.place in ("", p) for t, p in zip(things, places, strict=True)):
            yield tuple(Item(t.thing, p, "small", t.colour, t.count) for t, p in zip(things, places, strict=True))


def arrangements(asked: Wanted) -> Iterator[tuple[Item, ...]]:
    """All that would do, of what this world can arrange."""
    for things in itertools.product(*asked.things):
        if len(things) == 1:
            yield from _alone(things[0])
        elif len(things) == 2:
            yield from _two(*things)
        elif len(things) == 3:
            yield from _three(things)


def right(picture: np.ndarray, asked: Wanted) -> bool:
    """By the stated rule; `picture` as of `judge`."""
    if asked.anything:
        if judge(picture, Composition((), 0), background=False).alone:
            return False  # a background alone, in which a cloud or a drop may be seen
        return any(_shows(picture, (item,), asked, alone=False) for item in likely(picture))
    if asked.or_background and any(_shows(picture, (), Wanted(backgrounds=(b,))) for b in asked.or_background):
        return True
    if not asked.things:
        return _shows(picture, (), asked)
    return any(_shows(picture, items, asked) for items in arrangements(asked))


def _shows(picture: np.ndarray, items: tuple[Item, ...], asked: Wanted, alone: bool = True) -> bool:
    backgrounds = asked.backgrounds or (0,)
    for background in backgrounds:
        verdict = judge(picture, Composition(items, background, asked.style), bool(asked.backgrounds), hasty=True)
        if not verdict.things:
            return False
        styled = verdict.style or not asked.style
        if styled and verdict.background and (verdict.alone or not alone):
            return True
    return False
