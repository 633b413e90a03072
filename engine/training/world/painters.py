"""The sixteen backgrounds that the second generation adds, by the tools of `backgrounds.py`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.world.looks import BACKGROUNDS

from ..backgrounds import _below, _blend, _clouds, _gradient, _grid, _hill, _rgb, paint
from ..catalogue import BACKGROUNDS as FIRST

_FLAT = {"beige": (232, 214, 178), "light blue": (164, 212, 248)}
Painter = Callable[[np.random.Generator, int], np.ndarray]


def _flat(level: float, side: int) -> np.ndarray:
    return np.full(side, level, np.float32)


def _box(image: np.ndarray, left: float, top: float, right: float, bottom: float, colour: np.ndarray) -> None:
    side = image.shape[0]
    y, x = _grid(side)
    inside = np.minimum(np.minimum(x - left, right - x), np.minimum(y - top, bottom - y))
    _blend(image, inside * side + 0.5, colour)


def _houses(image: np.ndarray, rng: np.random.Generator, base: float, count: int) -> None:
    for n in range(count):
        left, width, top = n / count, 1 / count, rng.uniform(0.12, 0.42)
        shade = rng.uniform(0.75, 1.1)
        _box(image, left, top, left + width * 0.96, base, _rgb(112, 120, 148) * shade)
        for row in np.arange(top + 0.05, base - 0.06, 0.1):
            for column in (0.2, 0.58):
                _box(image, left + width * column, row, left + width * (column + 0.22), row + 0.045,
                     _rgb(246, 226, 140))  # fmt: skip


def city(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(150, 186, 222), _rgb(222, 228, 232))
    _houses(image, rng, 0.84, 6)
    _below(image, _flat(0.84, side), _rgb(92, 94, 100))
    return image


def street(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(150, 206, 246), _rgb(220, 238, 250))
    _below(image, _hill(rng, side, 0.48, 0.02), _rgb(128, 184, 96))
    _below(image, _flat(0.62, side), _rgb(96, 98, 104))
    for left in np.arange(rng.uniform(-0.1, 0.0), 1, 0.25):
        _box(image, left, 0.79, left + 0.13, 0.82, _rgb(244, 240, 220))
    return image


def room(rng: np.random.Generator, side: int) -> np.ndarray:
    image = np.broadcast_to(_rgb(240, 218, 190), (side, side, 3)).copy()
    left = rng.uniform(0.08, 0.6)
    _box(image, left, 0.1, left + 0.3, 0.42, _rgb(255, 252, 244))
    _box(image, left + 0.02, 0.12, left + 0.28, 0.4, _rgb(150, 208, 246))
    _below(image, _flat(0.72, side), _rgb(166, 112, 70))
    _below(image, _flat(0.75, side), _rgb(190, 134, 86))
    return image


def garden(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(150, 210, 248), _rgb(214, 238, 250))
    _below(image, _hill(rng, side, 0.42, 0.05), _rgb(54, 126, 62))
    _below(image, _hill(rng, side, 0.56, 0.02), _rgb(122, 190, 84))
    y, x = _grid(side)
    for _ in range(26):
        colour = (_rgb(236, 72, 92), _rgb(250, 216, 70), _rgb(246, 146, 200), _rgb(255, 255, 255))[rng.integers(4)]
        distance = np.hypot(x - rng.uniform(0, 1), y - rng.uniform(0.62, 0.98)) - 0.018
        _blend(image, 0.5 - distance * side, colour)
    return image


def jungle(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(70, 130, 60), _rgb(24, 74, 36))
    y, x = _grid(side)
    for _ in range(26):
        cx, cy, turn = rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0, np.pi)
        along = (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)
        across = -(x - cx) * np.sin(turn) + (y - cy) * np.cos(turn)
        leaf = 1 - np.hypot(along / 0.2, across / 0.06)
        _blend(image, leaf * side * 0.1, _rgb(46, 150, 56) * rng.uniform(0.6, 1.25))
    return image


def lake(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(160, 210, 244), _rgb(220, 238, 248))
    _below(image, _hill(rng, side, 0.36, 0.05), _rgb(64, 120, 82))
    _below(image, _flat(0.46, side), _rgb(86, 166, 206))
    _below(image, _hill(rng, side, 0.88, 0.03), _rgb(110, 176, 80))
    return image


def river(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(150, 206, 246), _rgb(212, 234, 250))
    _below(image, _hill(rng, side, 0.34, 0.03), _rgb(112, 182, 84))
    y, x = _grid(side)
    middle = 0.5 + 0.16 * np.sin(5 * y + rng.uniform(0, 6))
    _blend(image, np.where(y > 0.36, (0.06 + 0.34 * (y - 0.36)) - np.abs(x - middle), -1) * side, _rgb(60, 140, 214))
    return image


def volcano(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(74, 40, 52), _rgb(196, 92, 64))
    y, x = _grid(side)
    cx = rng.uniform(0.3, 0.7)
    ridge = np.maximum(0.24 + np.abs(x - cx) * 0.9, 0.32)
    _blend(image, (y - ridge) * side, _rgb(66, 48, 50))
    for shift in (-0.1, 0.0, 0.11):
        flow = 0.022 + 0.03 * (y - 0.3) - np.abs(x - cx - shift * (y - 0.3) * 3)
        _blend(image, np.where(y > 0.32, flow, -1) * side, _rgb(255, 120, 30))
    _below(image, _hill(rng, side, 0.9, 0.02), _rgb(40, 28, 32))
    return image


def _veiled(image: np.ndarray, colour: np.ndarray, share: float) -> np.ndarray:
    return image * (1 - share) + colour * share


def rain(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(96, 110, 130), _rgb(150, 162, 176))
    _below(image, _hill(rng, side, 0.84, 0.02), _rgb(76, 92, 92))
    y, x = _grid(side)
    for _ in range(44):
        cx, cy = rng.uniform(0, 1.1), rng.uniform(0, 1)
        drop = np.minimum(0.007 - np.abs(x - cx + (y - cy) * 0.3), 0.06 - np.abs(y - cy))
        _blend(image, drop * side * 1.2, _rgb(206, 224, 244))
    return image


def fog(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(206, 212, 214), _rgb(226, 228, 226))
    for level, tone in ((0.5, 190), (0.66, 176), (0.82, 164)):
        _below(image, _hill(rng, side, level, 0.05), _rgb(tone, tone + 6, tone + 8))
    return image


def storm(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(30, 34, 50), _rgb(84, 90, 108))
    y, x = _grid(side)
    for _ in range(2):
        cx = rng.uniform(0.1, 0.9)
        bolt = cx + 0.05 * np.abs(((y * 7 + rng.uniform(0, 2)) % 2) - 1)
        _blend(image, np.where(y < 0.8, 0.014 - np.abs(x - bolt), -1) * side, _rgb(255, 246, 150))
    _below(image, _hill(rng, side, 0.86, 0.02), _rgb(28, 32, 36))
    return image


def clouds(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(172, 182, 194), _rgb(206, 212, 220))
    _clouds(image, rng, 9, 0.95)
    return _veiled(image, _rgb(190, 196, 206), 0.25)


def sunrise(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(126, 184, 236), _rgb(250, 214, 196), _rgb(255, 232, 170))
    y, x = _grid(side)
    distance = np.hypot(x - rng.uniform(0.2, 0.8), y - 0.7) - 0.14
    _blend(image, 0.5 - distance * side, _rgb(255, 250, 220))
    _below(image, _hill(rng, side, 0.72, 0.02), _rgb(120, 168, 112))
    return image


def autumn(rng: np.random.Generator, side: int) -> np.ndarray:
    image = _gradient(side, _rgb(214, 226, 236), _rgb(244, 230, 206))
    y, x = _grid(side)
    for _ in range(12):
        cx, cy, r = rng.uniform(0, 1), rng.uniform(0.22, 0.52), rng.uniform(0.09, 0.15)
        colour = (_rgb(226, 120, 36), _rgb(204, 72, 36), _rgb(236, 178, 56))[rng.integers(3)]
        _blend(image, np.minimum(0.012 - np.abs(x - cx), np.minimum(y - cy, 0.8 - y)) * side, _rgb(92, 62, 44))
        _blend(image, 0.5 - (np.hypot(x - cx, y - cy) - r) * side, colour)
    _below(image, _hill(rng, side, 0.76, 0.02), _rgb(190, 132, 62))
    return image


PAINTERS: dict[str, Painter] = {
    painter.__name__: painter
    for painter in (city, street, room, garden, jungle, lake, river, volcano, rain, fog, storm, clouds, sunrise, autumn)
}


def paint_background(index: int, rng: np.random.Generator, side: int) -> np.ndarray:
    """One fresh picture `[side, side, 3]`, float32 in 0..1."""
    name = BACKGROUNDS[index]
    if index < len(FIRST):
        return paint(FIRST[index], rng, side)
    if name in _FLAT:
        colour = _rgb(*_FLAT[name]) + rng.uniform(-0.03, 0.03, 3).astype(np.float32)
        return np.broadcast_to(np.clip(colour, 0, 1), (side, side, 3)).astype(np.float32).copy()
    return np.clip(PAINTERS[name](rng, side), 0, 1).astype(np.float32)
