"""Background painters: numpy arrays `[height, width, 3]`, float32 in 0..1, different at every call.

All geometry is given as a fraction of the side, so one painter serves the 128 px pictures and the 96 px clips.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .catalogue import BACKGROUNDS, SceneBackground

_Painter = Callable[[np.random.Generator, int], np.ndarray]
_PAINTERS: dict[str, _Painter] = {}


def _painter(function: _Painter) -> _Painter:
    _PAINTERS[function.__name__.removeprefix("_paint_")] = function
    return function


def _rgb(*values: int) -> np.ndarray:
    return np.array(values, np.float32) / 255


def _gradient(side: int, *stops: np.ndarray) -> np.ndarray:
    """Vertical gradient through evenly spaced colours, top first."""
    y = np.linspace(0, 1, side, dtype=np.float32)
    at = np.linspace(0, 1, len(stops), dtype=np.float32)
    column = np.stack([np.interp(y, at, [s[c] for s in stops]) for c in range(3)], -1).astype(np.float32)
    return np.repeat(column[:, None], side, 1)


def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    axis = (np.arange(side, dtype=np.float32) + 0.5) / side
    return axis[:, None], axis[None, :]


def _blend(image: np.ndarray, coverage: np.ndarray, colour: np.ndarray) -> None:
    coverage = np.clip(coverage, 0, 1)[..., None]
    image += coverage * (colour - image)


def _below(image: np.ndarray, edge: np.ndarray, colour: np.ndarray) -> None:
    """Fill everything below the line `edge` (fraction of the height for each column), antialiased."""
    side = image.shape[0]
    y, _ = _grid(side)
    _blend(image, (y - edge[None, :]) * side + 0.5, colour)


def _hill(rng: np.random.Generator, side: int, base: float, height: float) -> np.ndarray:
    x = np.linspace(0, 1, side, dtype=np.float32)
    phase = rng.uniform(0, 2 * np.pi, 2)
    wide = np.sin(2 * np.pi * x * rng.uniform(0.6, 1.2) + phase[0])
    narrow = np.sin(2 * np.pi * x * rng.uniform(1.5, 2.5) + phase[1])
    return (base + height * (0.6 * wide + 0.4 * narrow)).astype(np.float32)


def _clouds(image: np.ndarray, rng: np.random.Generator, count: int, lowest: float) -> None:
    side = image.shape[0]
    y, x = _grid(side)
    for _ in range(count):
        cx, cy, width = rng.uniform(0, 1), rng.uniform(0.06, lowest), rng.uniform(0.10, 0.2)
        for dx, dy, r in ((0, 0, 0.32), (-0.5, 0.1, 0.24), (0.5, 0.08, 0.26), (0.1, 0.14, 0.3)):
            distance = np.hypot((x - cx - dx * width) / 1.6, y - cy - dy * width) - r * width
            _blend(image, 0.5 - distance * side * 0.5, _rgb(255, 255, 255) * 0.97)


def _stars(image: np.ndarray, rng: np.random.Generator, count: int, lowest: float, colour: np.ndarray) -> None:
    side = image.shape[0]
    rows = rng.integers(0, max(1, int(side * lowest)), count)
    columns = rng.integers(0, side, count)
    image[rows, columns] = colour * rng.uniform(0.6, 1.0, (count, 1)).astype(np.float32)


@_painter
def _paint_sky(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(66, 146, 232), _rgb(150, 202, 250))
    _clouds(image, rng, int(rng.integers(1, 4)), 0.9)
    return image


@_painter
def _paint_forest(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(176, 214, 196), _rgb(208, 230, 206))
    y, x = _grid(side)
    for _ in range(14):
        cx, top, half = rng.uniform(0, 1), rng.uniform(0.05, 0.4), rng.uniform(0.05, 0.1)
        green = _rgb(22, 84, 48) * rng.uniform(0.8, 1.3)
        inside = np.minimum((y - top) * half / 0.5 - np.abs(x - cx), 0.8 - y)
        _blend(image, inside * side + 0.5, green)
    _below(image, np.full(side, 0.74, np.float32), _rgb(62, 82, 46))
    return image


@_painter
def _paint_night(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(10, 12, 44), _rgb(32, 40, 100))
    _stars(image, rng, side // 4, 0.8, _rgb(255, 255, 240))
    _below(image, _hill(rng, side, 0.88, 0.03), _rgb(12, 16, 24))
    return image


@_painter
def _paint_sea(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(120, 190, 250), _rgb(196, 228, 252))
    water = _gradient(side, _rgb(24, 110, 190), _rgb(24, 110, 190), _rgb(10, 66, 140))
    half = int(side * 0.42)
    image[half:] = water[half:]
    x = np.arange(side)
    for row in range(half + side // 24, side, max(4, side // 14)):
        wave = row + np.sin(x / side * 28 + rng.uniform(0, 6)) * side / 100
        inside = np.clip(1 - np.abs(np.arange(side)[:, None] - wave[None, :]), 0, 1) * 0.35
        _blend(image, inside, _rgb(150, 210, 245))
    return image


@_painter
def _paint_beach(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(130, 204, 246), _rgb(214, 238, 250))
    _below(image, np.full(side, 0.4, np.float32), _rgb(44, 170, 200))
    edge = _hill(rng, side, 0.62, 0.02)
    _below(image, edge - 0.02, _rgb(240, 248, 250))
    _below(image, edge, _rgb(232, 206, 150))
    return image


@_painter
def _paint_desert(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(132, 184, 222), _rgb(248, 226, 180))
    _below(image, _hill(rng, side, 0.56, 0.05), _rgb(226, 184, 114))
    _below(image, _hill(rng, side, 0.76, 0.05), _rgb(204, 156, 88))
    return image


@_painter
def _paint_snow(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(164, 176, 206), _rgb(206, 214, 232))
    _below(image, _hill(rng, side, 0.66, 0.04), _rgb(240, 244, 250))
    _stars(image, rng, side // 3, 0.95, _rgb(255, 255, 255))
    return image


@_painter
def _paint_sunset(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(92, 52, 124), _rgb(214, 92, 96), _rgb(252, 164, 72), _rgb(252, 200, 96))
    y, x = _grid(side)
    distance = np.hypot(x - rng.uniform(0.2, 0.8), y - 0.74) - 0.12
    _blend(image, 0.5 - distance * side, _rgb(255, 226, 130))
    _below(image, np.full(side, 0.74, np.float32), _rgb(52, 26, 50))
    return image


@_painter
def _paint_mountains(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(134, 188, 236), _rgb(210, 230, 246))
    y, x = _grid(side)
    for _ in range(4):
        cx, top = rng.uniform(0, 1), rng.uniform(0.15, 0.4)
        slope = rng.uniform(0.8, 1.2)
        ridge = top + np.abs(x - cx) * slope
        _blend(image, (y - ridge) * side + 0.5, _rgb(104, 110, 130) * rng.uniform(0.85, 1.1))
        snow = np.minimum(y - ridge, top + 0.13 + 0.02 * np.sin(x * 60) - y)
        _blend(image, snow * side + 0.5, _rgb(244, 248, 252))
    _below(image, np.full(side, 0.8, np.float32), _rgb(80, 124, 78))
    return image


@_painter
def _paint_meadow(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(112, 184, 246), _rgb(206, 232, 252))
    _clouds(image, rng, int(rng.integers(0, 3)), 0.3)
    _below(image, _hill(rng, side, 0.58, 0.03), _rgb(118, 196, 74))
    _below(image, _hill(rng, side, 0.78, 0.03), _rgb(82, 166, 58))
    return image


@_painter
def _paint_underwater(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(52, 176, 204), _rgb(8, 62, 124))
    y, x = _grid(side)
    for _ in range(int(rng.integers(4, 10))):
        cx, cy, r = rng.uniform(0, 1), rng.uniform(0, 0.8), rng.uniform(0.01, 0.03)
        ring = 1 - np.abs(np.hypot(x - cx, y - cy) - r) * side
        _blend(image, ring * 0.6, _rgb(190, 236, 248))
    _below(image, _hill(rng, side, 0.88, 0.03), _rgb(176, 158, 110))
    return image


@_painter
def _paint_space(rng: np.random.Generator, side: int) -> np.ndarray:
    """Violet all over: on black, with nebulae here and there, models drew neither and it was the black background."""
    image = _gradient(side, _rgb(20, 8, 44), _rgb(58, 18, 84), _rgb(24, 10, 52))
    y, x = _grid(side)
    for colour in (_rgb(96, 30, 110), _rgb(28, 50, 130)):
        distance = np.hypot(x - rng.uniform(0, 1), y - rng.uniform(0, 1)) / rng.uniform(0.3, 0.5)
        image += np.clip(1 - distance, 0, 1)[..., None] * colour * 0.6
    _stars(image, rng, side // 2, 1.0, _rgb(255, 255, 255))
    return image


def paint(background: SceneBackground, rng: np.random.Generator, side: int) -> np.ndarray:
    """One fresh picture of the background, `[side, side, 3]`, float32 in 0..1."""
    if background.scenic:
        return np.clip(_PAINTERS[background.kind](rng, side), 0, 1).astype(np.float32)
    colour = _rgb(*background.rgb) + rng.uniform(-0.03, 0.03, 3).astype(np.float32)
    return np.broadcast_to(np.clip(colour, 0, 1), (side, side, 3)).astype(np.float32).copy()


class BackgroundPool:
    """Ready pictures of every background. Painting every scene's own would cost more than training on it, and a fixed
    set would be memorised, so a training takes a new pool every few hundred steps."""

    def __init__(self, rng: np.random.Generator, side: int, indices: tuple[int, ...], each: int = 24) -> None:
        self._pictures = {i: [paint(BACKGROUNDS[i], rng, side) for _ in range(each)] for i in indices}

    def pick(self, index: int, rng: np.random.Generator) -> np.ndarray:
        """A shared array: copy before drawing on it."""
        pictures = self._pictures[index]
        return pictures[rng.integers(len(pictures))]


class BackgroundPools:
    """The pool of each step of a training: a new one every ``steps``, decided by the step and the seed alone, so that a
    resumed training sees the same."""

    def __init__(self, side: int, indices: tuple[int, ...], steps: int) -> None:
        self._side, self._indices, self._steps = side, indices, steps
        self._newest: tuple[tuple[int, int], BackgroundPool] | None = None

    def at(self, step: int, seed: int) -> BackgroundPool:
        key = (seed, step // self._steps)
        if self._newest is None or self._newest[0] != key:
            rng = np.random.default_rng((seed, 1, key[1]))
            self._newest = (key, BackgroundPool(rng, self._side, self._indices))
        return self._newest[1]
