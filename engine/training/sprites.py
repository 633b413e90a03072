"""Sprites: emoji glyphs as premultiplied RGBA squares.

The artwork is Noto Color Emoji's (Apache-2.0; font OFL 1.1), drawn from the CBDT bitmaps at their native 109 px.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_NATIVE_PIXELS = 109  # the only strike of the CBDT table
_FONT_PLACES = (
    "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf",
    "/usr/share/fonts/noto/NotoColorEmoji.ttf",
    "/usr/share/fonts/google-noto-emoji/NotoColorEmoji.ttf",
    "/usr/share/fonts/google-noto-color-emoji-fonts/NotoColorEmoji.ttf",
    "/usr/local/share/fonts/NotoColorEmoji.ttf",
    "~/.local/share/fonts/NotoColorEmoji.ttf",
    "~/.fonts/NotoColorEmoji.ttf",
    "/Library/Fonts/NotoColorEmoji.ttf",
    "~/Library/Fonts/NotoColorEmoji.ttf",
    "C:/Windows/Fonts/NotoColorEmoji.ttf",
)


def find_font() -> Path | None:
    """The emoji font: `LATERNA_EMOJI_FONT` if set, else the usual places; None if there is none."""
    places = [os.environ["LATERNA_EMOJI_FONT"]] if os.environ.get("LATERNA_EMOJI_FONT") else _FONT_PLACES
    return next((p for p in (Path(place).expanduser() for place in places) if p.is_file()), None)


@cache
def _font() -> ImageFont.FreeTypeFont:
    path = find_font()
    if path is None:
        raise FileNotFoundError(
            "Noto Color Emoji not found: install it (Debian: fonts-noto-color-emoji) or set LATERNA_EMOJI_FONT"
        )
    return ImageFont.truetype(str(path), _NATIVE_PIXELS)


@cache
def _glyph(glyph: str) -> Image.Image:
    """The glyph's own pixels, cropped to what is visible, as premultiplied RGBA."""
    canvas = Image.new("RGBA", (192, 192), (0, 0, 0, 0))
    ImageDraw.Draw(canvas).text((20, 20), glyph, font=_font(), embedded_color=True)
    box = canvas.getbbox()
    if box is None:
        raise ValueError(f"the font has no colour glyph for {glyph!r}")
    return canvas.crop(box).convert("RGBa")


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
