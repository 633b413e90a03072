"""Does a picture show a composition? By drawing what could stand there instead, and comparing: no network.

A sprite counts when, in its square, no other thing in its colour and no other colour of it fits the picture better,
all drawn in the composition's style (where there is one, of the LOOKALIKES things most like it), and the pixels under
its mask differ from it by less than THRESHOLD (root mean square, colours 0..1). The background counts when it is the
nearest of all (of line art, which has none, it always does); nothing else counts when no further sprite-sized patch
is outside what that background can look like. A style counts when the composition drawn in it is nearer than drawn in
any other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np

from engine.world.looks import BACKGROUNDS, COLOURS, STYLES
from engine.world.things import OF_ONE_COLOUR, THINGS

from ..catalogue import PLACES
from ..scenes import IMAGE_SIDE, SIZE_PIXELS, offset
from .composition import Composition, Item, Pool, render, sprites
from .painters import paint_background
from .styles import styled
from .tint import drawn

THRESHOLD = 0.2
STRANGE = 0.1  # mean difference from the background of a patch that is something else
_CELL = 8  # px; backgrounds are compared as means of such squares
_PATCH = 3  # cells
LOOKALIKES = 24
_FEW = 1024  # px
_EXAMPLES = 8  # reference pictures of each background
_CANDIDATES = tuple(i for i, t in enumerate(THINGS) if t.name not in OF_ONE_COLOUR)
_SCENERY_LOST = frozenset(("line art",))


@dataclass(frozen=True)
class Verdict:
    """`things`: all of them there, in colour and place, as many as asked; `alone`: and nothing else."""

    things: bool
    alone: bool
    background: bool
    style: bool

    @property
    def all(self) -> bool:
        return self.things and self.alone and self.background and self.style


def judge(picture: np.ndarray, composition: Composition, background: bool = True, hasty: bool = False) -> Verdict:
    """`picture` `[128, 128, 3]` in 0..1; without `background` any will do. `hasty`: where the things are not there, the
    style is not looked at and counts as missed."""
    found = sprites(composition)
    free = _free(found, squares=True)
    if free.sum() < _FEW:
        free = _free(found, squares=False)
    nearest, strange = _background(picture, free, composition.style)
    behind = composition.background if background else nearest
    things = all(_right(picture, behind, composition.style, *one) for one in found)
    if hasty and not things:
        return Verdict(False, False, False, False)
    told = replace(composition, background=behind)
    right = not background or composition.style in _SCENERY_LOST or nearest == composition.background
    return Verdict(things, strange < STRANGE, right, nearest_style(picture, told) == composition.style)


def _free(found: list[tuple[Item, int, int, int]], squares: bool) -> np.ndarray:
    """`[128, 128]`: what is outside the sprites' squares, or outside their outlines."""
    free = np.ones((IMAGE_SIDE, IMAGE_SIDE), bool)
    for item, x, y, size in found:
        covered = drawn(item.thing, item.colour, size)[1][..., 0] > 0.02
        free[y : y + size, x : x + size] &= ~covered & (not squares)
    return free


def _small(picture: np.ndarray, by: int) -> np.ndarray:
    """Means of squares of `by` px, of the last three axes but one: `[..., H/by, W/by, C]`."""
    *first, height, width, channels = picture.shape
    split = picture.reshape(*first, height // by, by, width // by, by, channels)
    return split.mean((-4, -2))


@lru_cache(maxsize=16)
def _references(style: str) -> np.ndarray:
    """Cells `[K, E, 16, 16, 3]` of every background in a style."""
    rng = np.random.default_rng(7)
    nothing = np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.float32)
    rows = []
    for index in range(len(BACKGROUNDS)):
        drawings = [paint_background(index, rng, IMAGE_SIDE) for _ in range(_EXAMPLES)]
        rows.append([_small(styled(d, nothing, style, rng), _CELL) for d in drawings])
    return np.array(rows, np.float32)


@cache
def _drawings(index: int) -> np.ndarray:
    """`[E, 128, 128, 3]`: some drawings of a background, and their mean."""
    rng = np.random.default_rng(8)
    drawings = np.array([paint_background(index, rng, IMAGE_SIDE) for _ in range(_EXAMPLES)], np.float32)
    return np.concatenate([drawings, drawings.mean(0, keepdims=True)])


@lru_cache(maxsize=128)
def _drawings_in(index: int, style: str) -> np.ndarray:
    nothing = np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.float32)
    return np.stack([styled(d, nothing, style, np.random.default_rng(3)) for d in _drawings(index)])


def _behind(region: np.ndarray, background: int, style: str, square: tuple[slice, slice],
            mask: np.ndarray) -> np.ndarray:  # fmt: skip
    """The drawing `[128, 128, 3]` of the background that is nearest to the region where it is not covered."""
    differences = np.abs(_drawings_in(background, style)[:, *square] - region)[:, ~mask]
    return _drawings(background)[int(differences.mean((1, 2)).argmin())]


def _range(examples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of `[E, 16, 16, 3]` the lowest and highest values at and around each cell: clouds drift from one to the next."""
    padded = np.pad(examples, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))
    return around.min((0, -2, -1)), around.max((0, -2, -1))


def _background(picture: np.ndarray, free: np.ndarray, style: str) -> tuple[int, float]:
    """The nearest background, by what is outside the sprites' squares, and by how much the strangest patch there
    differs from it."""
    references, cells = _references(style), _small(picture, _CELL)
    open_cells = _small(free[..., None].astype(np.float32), _CELL)[..., 0] > 0.99
    used = open_cells if open_cells.any() else np.ones_like(open_cells)
    distance = np.abs(references - cells).mean(-1)
    nearest = int(distance[:, :, used].mean(-1).min(1).argmin())
    low, high = _range(references[nearest])
    local = (np.maximum(cells - high, 0) + np.maximum(low - cells, 0)).mean(-1) * open_cells
    windows = np.lib.stride_tricks.sliding_window_view(local, (_PATCH, _PATCH)).mean((-1, -2))
    return nearest, float(windows.max())


@lru_cache(maxsize=64)
def _templates(colour: str, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Of all candidates in a colour: `[N, size, size, 3]` premultiplied and `[N, size, size, 1]`."""
    pairs = [drawn(thing, colour, size) for thing in _CANDIDATES]
    return np.stack([p[0] for p in pairs]), np.stack([p[1] for p in pairs])


def _right(picture: np.ndarray, background: int, style: str, item: Item, x: int, y: int, size: int) -> bool:
    square = (slice(y, y + size), slice(x, x + size))
    region, wanted = picture[square], drawn(item.thing, item.colour, size)
    mask = wanted[1][..., 0] > 0.5
    behind = _behind(region, background, style, square, wanted[1][..., 0] > 0.05)
    asked = _shown(*wanted, behind, square, style)
    if np.sqrt(np.square(asked - region)[mask].mean()) >= THRESHOLD:
        return False
    others = [drawn(item.thing, c, size) for c in ("", *COLOURS) if c != item.colour]
    others = [o for o in others if np.abs(o[0] - wanted[0]).max() > 0.1]
    rgb, alpha = _templates(item.colour, size)
    index = _CANDIDATES.index(item.thing) if item.thing in _CANDIDATES else -1
    if style:
        likeness = np.square(_small(rgb, 4) - _small(wanted[0], 4)).mean((1, 2, 3))
        near = np.argsort(likeness)[:LOOKALIKES]
        shown = np.stack([_shown(rgb[n], alpha[n], behind, square, style) for n in near])
        index = int(np.flatnonzero(near == index)[0]) if index >= 0 else -1
    else:
        shown = rgb + (1 - alpha) * behind[square]
    small = _small(region, 2)
    fits = np.square(_small(shown, 2) - small).mean((1, 2, 3))
    if index >= 0 and fits.argmin() != index:
        return False
    if style in ("line art", "neon") or not others:  # in the one there is no colour, in the other little
        return True
    told = [asked, *(_shown(*one, behind, square, style) for one in others)]
    fits = np.array([np.square(t - region)[mask].mean() for t in told])
    return int(fits.argmin()) == 0


def likely(picture: np.ndarray) -> list[Item]:
    """Of every size and place the thing in its own colours that fits best, best first."""
    found: list[tuple[float, Item]] = []
    for size, pixels in SIZE_PIXELS.items():
        rgb, alpha = _templates("", pixels)
        small, cover = _small(rgb, 4), _small(alpha, 4)
        for place in PLACES:
            x, y = offset(place, pixels)
            region = _small(picture[y : y + pixels, x : x + pixels], 4)
            away = (np.square(small - cover * region) * (cover > 0.5)).sum((1, 2, 3)) / (cover > 0.5).sum((1, 2, 3))
            best = int(away.argmin())
            found.append((float(away[best]), Item(_CANDIDATES[best], place, size)))
    return [item for _, item in sorted(found, key=lambda one: one[0])]


def _shown(rgb: np.ndarray, alpha: np.ndarray, behind: np.ndarray, square: tuple[slice, slice],
           style: str) -> np.ndarray:  # fmt: skip
    """A sprite before a background, in a style, as its square shows it."""
    if not style:
        return rgb + (1 - alpha) * behind[square]
    canvas, mask = behind.copy(), np.zeros(behind.shape[:2], np.float32)
    canvas[square] = canvas[square] * (1 - alpha) + rgb
    mask[square] = alpha[..., 0]
    return styled(canvas, mask, style, np.random.default_rng(3))[square]


def nearest_style(picture: np.ndarray, composition: Composition) -> str:
    """The style in which the composition, drawn twice, comes nearest to the picture, by colours and by edges."""
    pool = Pool(np.random.default_rng(5), (composition.background,), each=2)
    seen = _look(picture)
    best, nearest = np.inf, ""
    for style in STYLES:
        for seed in range(2):
            truth = render(replace(composition, style=style), np.random.default_rng(seed), pool).pixels
            distance = np.abs(_look(truth) - seen).mean()
            if distance < best:
                best, nearest = distance, style
    return nearest


def _look(picture: np.ndarray) -> np.ndarray:
    """`[32, 32, 6]`: colours, and how much they change from pixel to pixel and over 4 px."""
    change = np.abs(np.diff(picture, axis=1, append=picture[:, -1:])).mean(-1, keepdims=True)
    change_down = np.abs(np.diff(picture, axis=0, append=picture[-1:])).mean(-1, keepdims=True)
    spread = picture.mean(-1, keepdims=True)
    coarse = np.repeat(np.repeat(_small(spread, 4), 4, 0), 4, 1)
    return np.concatenate(
        [_small(picture, 4), 3 * _small(change, 4), 3 * _small(change_down, 4), 3 * _small(np.abs(spread - coarse), 4)],
        -1,
    )
