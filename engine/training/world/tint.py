"""Sprites in another colour: the sprite's own lights and darks, stretched over a ramp through the colour."""

from __future__ import annotations

from functools import cache

import numpy as np

from engine.world.looks import COLOURS
from engine.world.things import IN_COLOUR, THING_INDEX, THINGS

from ..sprites import sprite

_COLOURS = tuple(COLOURS)
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@cache
def drawn(thing: int, colour: str, size: int) -> tuple[np.ndarray, np.ndarray]:
    """As `sprite`: premultiplied colour `[size, size, 3]` and coverage `[size, size, 1]`; `colour` "" is its own."""
    special = IN_COLOUR.get((THINGS[thing].name, colour))
    if special:
        return sprite(THINGS[THING_INDEX[special]].glyph, size)
    rgb, alpha = sprite(THINGS[thing].glyph, size)
    return (tinted(rgb, alpha, colour), alpha) if colour else (rgb, alpha)


def tinted(rgb: np.ndarray, alpha: np.ndarray, colour: str) -> np.ndarray:
    """`rgb` premultiplied by `alpha`, likewise the result."""
    light = (rgb / np.maximum(alpha, 1e-3)) @ _LUMA
    inside = light[alpha[..., 0] > 0.6]
    low, high = np.percentile(inside, (4, 96)) if inside.size else (0.0, 1.0)
    spread = max(float(high - low), 0.12)  # what is all of one tone stays so
    middle = (high + low) / 2
    tone = np.clip((light - middle) / spread + 0.5, 0, 1)[..., None].astype(np.float32)
    base = np.array(COLOURS[colour], np.float32) / 255
    dark, bright = base * 0.35, base + (1 - base) * 0.5
    ramp = np.where(tone < 0.55, dark + (base - dark) * (tone / 0.55), base + (bright - base) * ((tone - 0.55) / 0.45))
    return (ramp * alpha).astype(np.float32)
