"""Does a picture show what its prompt says? Template matching: no network that could be fooled or be wrong.

An object counts when, at the place that its prompt names, the pixels under the sprite's mask differ from the sprite by
less than THRESHOLD (root mean square, colours 0..1) and no other object of the whole catalogue fits the square better.
A background counts when it is the nearest of all backgrounds outside the objects' squares. A clip's flicker is the
standard deviation over time, in shares of the range, of the pixels where nothing moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from .backgrounds import paint
from .catalogue import BACKGROUNDS, OBJECTS
from .clips import CLIP_SIDE, SPRITE, positions
from .scenes import SIZE_PIXELS, Scene, offset
from .sprites import sprite

THRESHOLD = 0.2
FLICKER = 0.02  # what still areas of a good clip may have at most
_CELL = 8  # px, backgrounds are compared as means of such squares
_EXAMPLES = 12  # reference pictures of each background


@cache
def _templates(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Premultiplied `[N, size, size, 3]` and coverage `[N, size, size, 1]` of the whole catalogue."""
    pairs = [sprite(o.glyph, size) for o in OBJECTS]
    return np.stack([p[0] for p in pairs]), np.stack([p[1] for p in pairs])


@cache
def _references(side: int) -> tuple[np.ndarray, np.ndarray]:
    """`(cells [K, E, side/8, side/8, 3], means [K, side, side, 3])` of every background."""
    rng = np.random.default_rng(7)
    pictures = np.stack([[paint(b, rng, side) for _ in range(_EXAMPLES)] for b in BACKGROUNDS])
    return np.stack([[_cells(p) for p in row] for row in pictures]), pictures.mean(1)


def _cells(picture: np.ndarray) -> np.ndarray:
    n = picture.shape[0] // _CELL
    return picture.reshape(n, _CELL, n, _CELL, 3).mean((1, 3))


def nearest_background(picture: np.ndarray, squares: list[tuple[int, int, int]]) -> int:
    """Index of the background nearest outside the `squares` `(x, y, size)`; picture `[H, W, 3]` in 0..1."""
    side = picture.shape[0]
    free = np.ones((side, side), bool)
    for x, y, size in squares:
        free[y : y + size, x : x + size] = False
    free = _cells(np.repeat(free[..., None], 3, -1).astype(np.float32))[..., 0] > 0.99
    if not free.any():
        free[:] = True
    cells, _ = _references(side)
    distance = np.abs(cells - _cells(picture))[:, :, free].mean((2, 3))
    return int(distance.min(1).argmin())


def match(picture: np.ndarray, background: int, x: int, y: int, size: int, wanted: int) -> tuple[float, int]:
    """`(error of the wanted object under its mask, index of the object that fits the square best)`."""
    region = picture[y : y + size, x : x + size]
    rgb, alpha = _templates(size)
    behind = _references(picture.shape[0])[1][background, y : y + size, x : x + size]
    fits = np.square(rgb + (1 - alpha) * behind - region).mean((1, 2, 3))
    mask = alpha[wanted][..., 0] > 0.5
    shown = rgb[wanted] + (1 - alpha[wanted]) * behind
    return float(np.sqrt(np.square(shown - region)[mask].mean())), int(fits.argmin())


@dataclass(frozen=True)
class Score:
    """`objects`: every object of the prompt recognised at its place (in clips: on its path); `errors` under the
    masks; `flicker` of what should be still (clips only)."""

    objects: tuple[bool, ...]
    background: bool
    errors: tuple[float, ...]
    flicker: float = 0.0

    @property
    def all(self) -> bool:
        return all(self.objects) and self.background


def score_picture(picture: np.ndarray, scene: Scene) -> Score:
    """`picture` `[H, W, 3]` in 0..1."""
    sizes = [SIZE_PIXELS[i.size] for i in scene.items]
    squares = [(*offset(i.place, size, picture.shape[0]), size) for i, size in zip(scene.items, sizes, strict=True)]
    background = nearest_background(picture, squares)
    found = [match(picture, background, *s, i.object) for s, i in zip(squares, scene.items, strict=True)]
    objects = [e < THRESHOLD and best == i.object for (e, best), i in zip(found, scene.items, strict=True)]
    return Score(tuple(objects), background == scene.background, tuple(e for e, _ in found))


def score_clip(clip: np.ndarray, scene: Scene) -> Score:
    """`clip` `[T, H, W, 3]` in 0..1. The object must be recognised in the first, middle and last frame at the places
    where the motion puts it, so a still object, a wrong direction and a wrong speed all fail."""
    item = scene.items[0]
    path = positions(scene, len(clip))
    background = nearest_background(clip[0], [(*path[0], SPRITE)])
    found = [match(clip[f], background, *path[f], SPRITE, item.object) for f in (0, len(clip) // 2, len(clip) - 1)]
    right = all(error < THRESHOLD and best == item.object for error, best in found)
    error = float(np.mean([error for error, _ in found]))
    return Score((right,), background == scene.background, (error,), flicker(clip, path))


def flicker(clip: np.ndarray, path: list[tuple[int, int]]) -> float:
    """How much the still part of `clip` `[T, H, W, 3]` (0..1) changes: the root mean square of each value's deviation
    from its mean over time, over everything outside the squares of `path` (if that stands still, over the whole
    clip). 0 in rendered truth."""
    still = np.ones(clip.shape[1:3], bool)
    for x, y in path if len(set(path)) > 1 else ():
        still[y : y + SPRITE, x : x + SPRITE] = False
    return float(np.sqrt(clip[:, still].astype(np.float64).var(0).mean()))


__all__ = ["CLIP_SIDE", "THRESHOLD", "Score", "flicker", "match", "nearest_background", "score_clip", "score_picture"]
