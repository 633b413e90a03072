"""Sprites: emoji glyphs as premultiplied RGBA squares.

The artwork is Noto Color Emoji's (Apache-2.0; font OFL 1.1): the font's bitmaps at their native 109 px of every thing
in `engine/world/things.py`, kept pixel for pixel in `resources/world/sprites.zip` as WebP without loss, so that
training and judging need no font. `python -m engine.training.sprites FONT` makes the file anew when things are added.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engine.files import read_regular
from engine.world.things import THINGS
from resources import WORLD

_NATIVE_PIXELS = 109  # the only strike of the font's CBDT table
FILE = WORLD / "sprites.zip"
_LIMIT = 8 * 2**20


def from_font(font: Path, glyphs: tuple[str, ...] = tuple(thing.glyph for thing in THINGS)) -> dict[str, Image.Image]:
    """The glyphs' own pixels, cropped to what is visible, as RGBA. Raises `ValueError` where the font lacks one."""
    strike = ImageFont.truetype(str(font), _NATIVE_PIXELS)
    found = {}
    for glyph in glyphs:
        canvas = Image.new("RGBA", (192, 192), (0, 0, 0, 0))
        ImageDraw.Draw(canvas).text((20, 20), glyph, font=strike, embedded_color=True)
        box = canvas.getbbox()
        if box is None:
            raise ValueError(f"the font has no colour glyph for {glyph!r}")
        found[glyph] = canvas.crop(box)
    return found


def pack(images: Mapping[str, Image.Image], path: Path) -> None:
    """The same images make the same bytes."""
    with ZipFile(path, "w", ZIP_STORED) as file:
        for glyph, image in images.items():
            buffer = io.BytesIO()
            image.save(buffer, "webp", lossless=True, exact=True, quality=100, method=6)
            file.writestr(ZipInfo(_name(glyph)), buffer.getvalue())


def _name(glyph: str) -> str:
    return "-".join(f"{ord(c):x}" for c in glyph) + ".webp"


@cache
def _packed(path: Path) -> ZipFile:
    return ZipFile(io.BytesIO(read_regular(path, _LIMIT)))


def unpack(glyph: str, path: Path = FILE) -> Image.Image:
    """RGBA. Raises `KeyError` for a glyph that the file does not have."""
    return Image.open(io.BytesIO(_packed(path).read(_name(glyph)))).convert("RGBA")


@cache
def _glyph(glyph: str) -> Image.Image:
    """Premultiplied RGBA."""
    return unpack(glyph).convert("RGBa")


@cache
def sprite(glyph: str, size: int, margin: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """`(rgb, alpha)`: premultiplied colour `[size, size, 3]` and coverage `[size, size, 1]`, float32 in 0..1.

    The glyph fills the square up to `margin` px, centred, so that pasting at a multiple of 16 px puts the same
    pixels into the same transformer tokens every time.
    """
    image = _glyph(glyph)
    scale = (size - 2 * margin) / max(image.size)
    fitted = image.resize([max(1, round(side * scale)) for side in image.size], Image.Resampling.LANCZOS)
    canvas = Image.new("RGBa", (size, size))
    canvas.paste(fitted, ((size - fitted.width) // 2, (size - fitted.height) // 2))
    # Pillow shows RGBa pixels only through tobytes; LANCZOS may leave colour above coverage, hence the minimum
    pixels = np.frombuffer(canvas.tobytes(), np.uint8).reshape(size, size, 4).astype(np.float32) / 255
    alpha = pixels[..., 3:]
    return np.minimum(pixels[..., :3], alpha), alpha


if __name__ == "__main__":
    pack(from_font(Path(sys.argv[1])), FILE)
