"""A line plot as a PNG, drawn with Pillow: enough to look at a loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from engine.media import atomic

Points = Sequence[tuple[float, float]]
COLOURS = ("#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2")
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 36, 40


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten) within `low` … `high`."""
    if not high > low:
        return [low]
    raw = (high - low) / count
    power = 10 ** math.floor(math.log10(raw))
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def draw(lines: Mapping[str, Points], title: str, size: tuple[int, int] = (900, 480), log: bool = False) -> Image.Image:
    """`lines` by name, each `(x, y)`; with `log` the y axis is logarithmic and values up to 0 are left out."""
    shown = {name: [(x, math.log10(y) if log else y) for x, y in points if math.isfinite(y) and (y > 0 or not log)]
             for name, points in lines.items()}  # fmt: skip
    picture = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(13)
    pen.text((_LEFT, 10), title, "black", font)
    everything = [point for points in shown.values() for point in points]
    if not everything:
        pen.text((_LEFT, size[1] // 2), "nothing to show yet", "#666666", font)
        return picture
    (x0, x1), (y0, y1) = (_range([p[axis] for p in everything]) for axis in (0, 1))
    width, height = size[0] - _LEFT - _RIGHT, size[1] - _TOP - _BOTTOM

    def at(x: float, y: float) -> tuple[float, float]:
        return _LEFT + (x - x0) / (x1 - x0) * width, _TOP + (y1 - y) / (y1 - y0) * height

    for y in ticks(y0, y1):
        pen.line([at(x0, y), at(x1, y)], "#e5e7eb")
        text = f"{10**y:.3g}" if log else f"{y:.4g}"
        pen.text((_LEFT - 6, at(x0, y)[1]), text, "#444444", font, anchor="rm")
    for x in ticks(x0, x1, 8):
        pen.text((at(x, y0)[0], size[1] - _BOTTOM + 6), f"{x:g}", "#444444", font, anchor="ma")
    pen.rectangle([at(x0, y1), at(x1, y0)], outline="#9ca3af")
    for number, (name, points) in enumerate(shown.items()):
        colour = COLOURS[number % len(COLOURS)]
        if len(points) > 1:
            pen.line([at(*p) for p in points], colour, 2, joint="curve")
        pen.text((size[0] - _RIGHT - 8, _TOP + 6 + 18 * number), name, colour, font, anchor="ra")
    return picture


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def save(picture: Image.Image, path: Path) -> None:
    """Whole or not at all. Raises `OSError`."""
    with atomic.replacing(path) as temporary:
        picture.save(temporary, "PNG")
