"""Styles as things done to a rendered picture: what a model is to learn as "watercolour" or "pixel art"."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

# picture [H, W, 3] in 0..1, coverage of the things [H, W] in 0..1, random numbers -> picture
Styler = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


def _filtered(picture: np.ndarray, kernel: ImageFilter.Filter) -> np.ndarray:
    image = Image.fromarray((picture * 255 + 0.5).astype(np.uint8)).filter(kernel)
    return np.asarray(image, np.float32) / 255


def _edges(picture: np.ndarray) -> np.ndarray:
    """`[H, W]` how much the picture changes there."""
    across = np.abs(np.diff(picture, axis=1, append=picture[:, -1:])).max(-1)
    down = np.abs(np.diff(picture, axis=0, append=picture[-1:])).max(-1)
    return np.maximum(across, down)


def flat(picture: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Few tones, no gradients."""
    smooth = _filtered(picture, ImageFilter.MedianFilter(5))
    return np.clip(np.round(smooth * 4) / 4 * 0.92 + 0.06, 0, 1)


def line_art(picture: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Dark lines on white paper."""
    strength = _edges(_filtered(picture, ImageFilter.GaussianBlur(0.8)))
    outline = _edges(np.repeat(mask[..., None], 3, -1))
    lines = np.clip(strength * 4.5 - 0.25, 0, 1) * (0.35 + 0.65 * mask) + outline
    return np.repeat((1 - 0.9 * np.clip(lines, 0, 1))[..., None], 3, -1)


def pixel_art(picture: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Squares of 4 px in few tones."""
    side = picture.shape[0] // 4
    small = picture.reshape(side, 4, side, 4, 3).mean((1, 3))
    return np.repeat(np.repeat(np.round(small * 6) / 6, 4, 0), 4, 1)


def watercolour(picture: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pale washes with darker rims on paper that shows through at the borders."""
    wash = _filtered(_filtered(picture, ImageFilter.MedianFilter(5)), ImageFilter.GaussianBlur(1.2))
    cells = rng.uniform(0, 1, (9, 9)).astype(np.float32)
    water = np.asarray(Image.fromarray(cells).resize(picture.shape[:2], Image.Resampling.BICUBIC))
    paper = np.clip(0.28 + 0.3 * water, 0, 1)[..., None]
    pale = wash * (1 - paper) + paper
    rims = np.clip(_edges(wash) * 2.2, 0, 0.35)[..., None]
    axis = np.minimum(np.arange(len(mask)), np.arange(len(mask))[::-1])
    border = np.minimum(axis[:, None], axis[None]) + (water - 0.5) * 8
    shown = np.clip((border - 3) / 4, 0, 1)[..., None]
    return np.clip(pale * (1 - rims) * shown + (1 - shown) * 0.97, 0, 1)


def oil_painting(picture: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Thick strokes: the commonest tone near each place, lit from one side, in stronger colours."""
    strokes = _filtered(_filtered(picture, ImageFilter.ModeFilter(7)), ImageFilter.GaussianBlur(0.5))
    grey = strokes.mean(-1, keepdims=True)
    rich = grey + (strokes - grey) * 1.25 - 0.04
    y, x = np.mgrid[: len(mask), : len(mask)]
    bristles = 0.05 * np.sin((x * 0.8 + y * 1.3) + 2 * np.sin(y * 0.21 + rng.uniform(0, 6)))
    return np.clip(rich + bristles[..., None], 0, 1)


def solid(picture: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """3-D: things bulge, are lit from the upper left and throw a shadow."""
    height = _filtered(np.repeat(mask[..., None], 3, -1), ImageFilter.GaussianBlur(5))[..., 0]
    slope = np.gradient(height)
    light = np.clip((slope[1] + slope[0]) * 4.5, -0.5, 0.42)
    fallen = np.roll(height, (8, 8), (0, 1))
    shadow = np.clip(fallen, 0, 1) * (1 - mask) * 0.55
    lit = picture * (1 - shadow[..., None]) + (light * mask)[..., None]
    return np.clip(lit, 0, 1)


def neon(picture: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Glowing outlines on a dark ground."""
    outline = _edges(np.repeat(mask[..., None], 3, -1))
    strength = np.clip(_edges(picture) * 2.4 * (0.3 + 0.7 * mask) + outline, 0, 1)[..., None]
    vivid = picture - picture.min(-1, keepdims=True) * 0.8
    vivid = vivid / np.maximum(vivid.max(-1, keepdims=True), 0.15)
    tubes = strength * vivid
    glow = _filtered(np.clip(tubes, 0, 1), ImageFilter.GaussianBlur(3)) * 1.4
    ground = np.array([0.05, 0.03, 0.12], np.float32) + picture * 0.1
    return np.clip(ground + tubes + glow, 0, 1)


STYLERS: dict[str, Styler] = {
    "flat": flat, "line art": line_art, "pixel art": pixel_art, "watercolour": watercolour,
    "oil painting": oil_painting, "3d": solid, "neon": neon,
}  # fmt: skip


def styled(picture: np.ndarray, mask: np.ndarray, style: str, rng: np.random.Generator) -> np.ndarray:
    """`picture` in the style, float32; "" leaves it."""
    return STYLERS[style](picture, mask, rng).astype(np.float32) if style else picture
