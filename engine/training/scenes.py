"""Scenes: what is where, how big, on which background; and their pixels.

A scene is a value; its pixels follow from it, a random generator (background details) and nothing else. Every sprite
stands on the transformer's token grid (VAE 8 px x patch 2 = 16 px), so the same object at the same size gives the same
tokens wherever it stands.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from .backgrounds import BackgroundPool
from .catalogue import BACKGROUNDS, MOTIONS, OBJECTS, PLACES, SIZES
from .sprites import sprite

GRID = 16  # px
IMAGE_SIDE = 128  # px
SIZE_PIXELS = {"small": 32, "normal": 64, "big": 96}


@dataclass(frozen=True)
class Placed:
    """An object at a place, by index into the catalogue and by name."""

    object: int
    place: str
    size: str


@dataclass(frozen=True)
class Scene:
    """One or two placed objects on a background; `motion` only in clips."""

    items: tuple[Placed, ...]
    background: int
    motion: str | None = None

    @property
    def key(self) -> str:
        """The composition in words: equal for equal compositions, whatever the wording of the caption."""
        items = ";".join(f"{OBJECTS[i.object].name}@{i.place}/{i.size}" for i in self.items)
        return f"{items}|{BACKGROUNDS[self.background].name}" + (f"|{self.motion}" if self.motion else "")

    @property
    def held_out(self) -> bool:
        """True for the tenth of all compositions that training never renders nor captions (a stable hash)."""
        return hashlib.sha256(self.key.encode()).digest()[0] < 26


@dataclass(frozen=True)
class Domain:
    """The part of the catalogue a run trains on. `focus` is drawn `emphasis` times as often as the other objects: what
    is new to a model that goes on with a wider domain."""

    objects: tuple[int, ...]
    backgrounds: tuple[int, ...] = tuple(range(len(BACKGROUNDS)))
    places: tuple[str, ...] = PLACES
    sizes: tuple[str, ...] = SIZES
    motions: tuple[str, ...] = MOTIONS
    focus: tuple[int, ...] = ()
    emphasis: float = 1.0

    def draw_objects(self, rng: np.random.Generator, count: int = 1) -> list[int]:
        """`count` different objects."""
        if not self.focus or self.emphasis == 1:
            return [int(o) for o in rng.choice(self.objects, count, replace=False)]
        weights = np.array([self.emphasis if o in self.focus else 1.0 for o in self.objects])
        return [int(o) for o in rng.choice(self.objects, count, replace=False, p=weights / weights.sum())]


def _choice(rng: np.random.Generator, options: tuple, weights: tuple[float, ...] | None = None):
    if weights is None:
        return options[rng.integers(len(options))]
    return options[rng.choice(len(options), p=np.array(weights) / sum(weights))]


# centre and the four sides are what people ask for; corners come along
_PLACE_WEIGHTS = (1.2, 1.0, 1.0, 1.0, 1.0, 0.35, 0.35, 0.35, 0.35)
_SIZE_WEIGHTS = (1.0, 1.0, 1.2)  # the biggest take longest to learn: most tokens of their own
_PAIR_PLACES = (("left", "right"), ("top", "bottom"))


def draw_scene(rng: np.random.Generator, domain: Domain, singles: float = 0.6, held_out: bool = False) -> Scene:
    """A random scene, from the training compositions or from the held-out ones."""
    while True:
        background = int(_choice(rng, domain.backgrounds))
        if rng.random() < singles:
            place = _choice(rng, domain.places, _PLACE_WEIGHTS if len(domain.places) == len(_PLACE_WEIGHTS) else None)
            items = (Placed(domain.draw_objects(rng)[0], place, _choice(rng, domain.sizes, _SIZE_WEIGHTS)),)
        else:
            pair = domain.draw_objects(rng, 2)
            places, size = _PAIR_PLACES[rng.integers(2)], "normal" if rng.random() < 0.65 else "small"
            items = tuple(Placed(o, p, size) for o, p in zip(pair, places, strict=True))
        scene = Scene(items, background)
        if scene.held_out == held_out:
            return scene


def draw_bare(rng: np.random.Generator, domain: Domain) -> Scene:
    """What a prompt of one word means: the object in the middle, of normal size, on any background."""
    while True:
        item = Placed(domain.draw_objects(rng)[0], "centre", "normal")
        scene = Scene((item,), int(_choice(rng, domain.backgrounds)))
        if not scene.held_out:
            return scene


def swapped(scene: Scene) -> Scene:
    """The pair with its objects exchanged; a single is returned as it is."""
    if len(scene.items) != 2:
        return scene
    first, second = scene.items
    items = (Placed(second.object, first.place, first.size), Placed(first.object, second.place, second.size))
    return Scene(items, scene.background, scene.motion)


def offset(place: str, size_pixels: int, side: int = IMAGE_SIDE) -> tuple[int, int]:
    """`(x, y)` in px of the sprite's upper left corner. Small sprites stand one token from the edge, others at it.

    There is one offset for each place and size: with two to choose from, each token chose for itself, and small
    objects came out doubled.
    """
    room = (side - size_pixels) // GRID
    near = 1 if room >= 6 else 0
    across = near if "left" in place else room - near if "right" in place else room // 2
    down = near if "top" in place else room - near if "bottom" in place else room // 2
    return across * GRID, down * GRID


def paste(canvas: np.ndarray, glyph: str, size_pixels: int, x: int, y: int) -> None:
    """Draw a sprite onto `canvas` `[side, side, 3]` in place; parts outside are cut."""
    rgb, alpha = sprite(glyph, size_pixels)
    side = canvas.shape[0]
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + size_pixels, side), min(y + size_pixels, side)
    if left >= right or top >= bottom:
        return
    part = (slice(top - y, bottom - y), slice(left - x, right - x))
    region = canvas[top:bottom, left:right]
    region *= 1 - alpha[part]
    region += rgb[part]


@dataclass
class RenderedScene:
    """`pixels` `[side, side, 3]` float32 in 0..1; `tokens` `[side/16, side/16]`: the object's index + 1, 0 for none."""

    pixels: np.ndarray
    tokens: np.ndarray


def render(scene: Scene, rng: np.random.Generator, pool: BackgroundPool, side: int = IMAGE_SIDE) -> RenderedScene:
    canvas = pool.pick(scene.background, rng).copy()
    tokens = np.zeros((side // GRID, side // GRID), np.int64)
    for item in scene.items:
        pixels = SIZE_PIXELS[item.size]
        x, y = offset(item.place, pixels, side)
        paste(canvas, OBJECTS[item.object].glyph, pixels, x, y)
        tokens[y // GRID : (y + pixels) // GRID, x // GRID : (x + pixels) // GRID] = item.object + 1
    return RenderedScene(canvas, tokens)
