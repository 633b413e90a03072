"""Compositions: which things, in what colours, how many, where, on which background, in which style; and their pixels.

A composition is a value; what the first generation could compose too has that generation's key, so that what was held
out there is held out here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from engine.world.looks import BACKGROUNDS, COLOURS, STYLES
from engine.world.things import COLOURABLE, IN_COLOUR, OF_ONE_COLOUR, THINGS

from ..catalogue import PLACES
from ..scenes import GRID, IMAGE_SIDE, SIZE_PIXELS, offset
from .painters import paint_background
from .styles import styled
from .tint import drawn

_COLOURS = tuple(COLOURS)
_HELD_OUT = 26  # of 256


@dataclass(frozen=True)
class Item:
    """`count` of a thing: alone they fill the picture, beside another thing they stand in a column. `colour` "" is the
    thing's own."""

    thing: int
    place: str = "centre"
    size: str = "normal"
    colour: str = ""
    count: int = 1

    @property
    def key(self) -> str:
        name = IN_COLOUR.get((THINGS[self.thing].name, self.colour))
        words = name or " ".join(filter(None, (self.colour, THINGS[self.thing].name)))
        return f"{f'{self.count} ' if self.count > 1 else ''}{words}@{self.place}/{self.size}"


@dataclass(frozen=True)
class Composition:
    """One to three items: alone anywhere, two at the left and right or at the top and bottom, three in a row."""

    items: tuple[Item, ...]
    background: int
    style: str = ""

    @property
    def key(self) -> str:
        style = f"|{self.style}" if self.style else ""
        return f"{';'.join(i.key for i in self.items)}|{BACKGROUNDS[self.background]}{style}"

    @property
    def held_out(self) -> bool:
        return hashlib.sha256(self.key.encode()).digest()[0] < _HELD_OUT


@dataclass(frozen=True)
class World:
    """What a training draws from, and how often. `focus` things come `emphasis` times as often as the others."""

    things: tuple[int, ...]
    backgrounds: tuple[int, ...] = tuple(range(len(BACKGROUNDS)))
    coloured: float = 0.35
    styled: float = 0.15
    focus: tuple[int, ...] = ()
    emphasis: float = 1.0

    def pick_things(self, rng: np.random.Generator, count: int) -> list[int]:
        weights = np.array([self.emphasis if t in self.focus else 1.0 for t in self.things])
        return [int(t) for t in rng.choice(self.things, count, replace=False, p=weights / weights.sum())]


_ALONE = {  # offsets in px and size, by count
    2: (64, ((0, 32), (64, 32))),
    3: (64, ((32, 0), (0, 64), (64, 64))),
    4: (64, ((0, 0), (64, 0), (0, 64), (64, 64))),
    5: (32, ((16, 16), (80, 16), (48, 48), (16, 80), (80, 80))),
    6: (32, ((0, 16), (48, 16), (96, 16), (0, 80), (48, 80), (96, 80))),
}
_COLUMN = {1: (48,), 2: (32, 64), 3: (16, 48, 80)}  # rows in px of small sprites


def placed(item: Item, alone: bool) -> list[tuple[int, int, int]]:
    """`(x, y, size)` in px of each sprite of the item."""
    if item.count == 1:
        size = SIZE_PIXELS[item.size]
        return [(*offset(item.place, size), size)]
    if alone:
        size, offsets = _ALONE[item.count]
        return [(x, y, size) for x, y in offsets]
    x = 16 if item.place == "left" else 80
    return [(x, y, 32) for y in _COLUMN[item.count]]


def sprites(composition: Composition) -> list[tuple[Item, int, int, int]]:
    alone = len(composition.items) == 1
    return [(item, *square) for item in composition.items for square in placed(item, alone)]


def _colour(rng: np.random.Generator, world: World, thing: int) -> str:
    return _COLOURS[rng.integers(len(_COLOURS))] if thing in _CAN and rng.random() < world.coloured else ""


_CAN = frozenset(COLOURABLE)
_PLACE_WEIGHTS = np.array((1.2, 1.0, 1.0, 1.0, 1.0, 0.35, 0.35, 0.35, 0.35)) / 6.6


def single(rng: np.random.Generator, world: World) -> tuple[Item, ...]:
    thing = world.pick_things(rng, 1)[0]
    place, size = PLACES[rng.choice(len(PLACES), p=_PLACE_WEIGHTS)], ("small", "normal", "big")[rng.integers(3)]
    return (Item(thing, place, size, _colour(rng, world, thing)),)


def several(rng: np.random.Generator, world: World) -> tuple[Item, ...]:
    thing = world.pick_things(rng, 1)[0]
    count = int(rng.integers(2, 7))
    return (Item(thing, "centre", "small" if count > 4 else "normal", _colour(rng, world, thing), count),)


def pair(rng: np.random.Generator, world: World) -> tuple[Item, ...]:
    things = world.pick_things(rng, 2)
    colours = [_colour(rng, world, t) for t in things]
    if all(colours) and rng.random() < 0.15 and colours[0] != colours[1]:
        things[1] = things[0]  # "a red bus and a blue bus"
        colours = [c if IN_COLOUR.get((THINGS[things[0]].name, c)) not in OF_ONE_COLOUR else "" for c in colours]
    if rng.random() < 0.2:
        counts = ((2, 1), (1, 2), (2, 2), (3, 1), (1, 3))[rng.integers(5)]
        return tuple(
            Item(t, p, "small", c, n) for t, p, c, n in zip(things, ("left", "right"), colours, counts, strict=True)
        )
    places = (("left", "right"), ("top", "bottom"))[rng.integers(2)]
    size = "normal" if rng.random() < 0.65 else "small"
    return tuple(Item(t, p, size, c) for t, p, c in zip(things, places, colours, strict=True))


def triple(rng: np.random.Generator, world: World) -> tuple[Item, ...]:
    places = ("left", "centre", "right")
    return tuple(
        Item(t, p, "small", _colour(rng, world, t)) for t, p in zip(world.pick_things(rng, 3), places, strict=True)
    )


KINDS = {"single": single, "several": several, "pair": pair, "triple": triple}


def draw(rng: np.random.Generator, world: World, kind: str, held_out: bool = False) -> Composition:
    """A random composition of a kind, from those for training or from those held out."""
    while True:
        items = KINDS[kind](rng, world)
        background = int(world.backgrounds[rng.integers(len(world.backgrounds))])
        style = STYLES[rng.integers(1, len(STYLES))] if rng.random() < world.styled else ""
        composition = Composition(items, background, style)
        if composition.held_out == held_out:
            return composition


def draw_bare(rng: np.random.Generator, world: World) -> Composition:
    """What one word means: the thing in the middle, of normal size, on any background."""
    while True:
        item = Item(world.pick_things(rng, 1)[0])
        composition = Composition((item,), int(world.backgrounds[rng.integers(len(world.backgrounds))]))
        if not composition.held_out:
            return composition


def exchanged(composition: Composition) -> Composition:
    """The first and the last item in each other's place, with their colours and counts."""
    items = list(composition.items)
    first, last = items[0], items[-1]
    items[0], items[-1] = replace(last, place=first.place), replace(first, place=last.place)
    return replace(composition, items=tuple(items))


class Pool:
    """Ready backgrounds, as `backgrounds.BackgroundPool`."""

    def __init__(self, rng: np.random.Generator, indices: tuple[int, ...], each: int = 16) -> None:
        self._pictures = {i: [paint_background(i, rng, IMAGE_SIDE) for _ in range(each)] for i in indices}

    def pick(self, index: int, rng: np.random.Generator) -> np.ndarray:
        """A shared array: copy before drawing on it."""
        pictures = self._pictures[index]
        return pictures[rng.integers(len(pictures))]


@dataclass
class Rendered:
    """`pixels` `[128, 128, 3]` float32 in 0..1; `things` and `colours` `[8, 8]`: index + 1 where a sprite stands."""

    pixels: np.ndarray
    things: np.ndarray
    colours: np.ndarray


def render(composition: Composition, rng: np.random.Generator, pool: Pool) -> Rendered:
    canvas = pool.pick(composition.background, rng).copy()
    mask = np.zeros(canvas.shape[:2], np.float32)
    cells = IMAGE_SIDE // GRID
    things, colours = np.zeros((cells, cells), np.int64), np.zeros((cells, cells), np.int64)
    for item, x, y, size in sprites(composition):
        rgb, alpha = drawn(item.thing, item.colour, size)
        square = (slice(y, y + size), slice(x, x + size))
        canvas[square] = canvas[square] * (1 - alpha) + rgb
        mask[square] = np.maximum(mask[square], alpha[..., 0])
        tokens = (slice(y // GRID, (y + size) // GRID), slice(x // GRID, (x + size) // GRID))
        things[tokens] = item.thing + 1
        colours[tokens] = _COLOURS.index(item.colour) + 1 if item.colour else 0
    return Rendered(styled(canvas, mask, composition.style, rng), things, colours)
