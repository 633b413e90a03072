"""Clips whose every frame says its own number, in blocks large enough to outlive H.264."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtGui import QImage

from engine.library.item import Item
from engine.media.environment import Environment
from engine.media.save import save_video
from engine.protocol.recipe import Recipe

BITS = 8
BLOCK = 16


def numbered_frames(count: int, width: int = BITS * BLOCK, height: int = 64) -> np.ndarray:
    """[count, height, width, 3] uint8: the number in black and white blocks at the top, a moving colour below."""
    frames = np.zeros((count, height, width, 3), np.uint8)
    for index in range(count):
        for bit in range(BITS):
            if index >> bit & 1:
                frames[index, :BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 255
        frames[index, BLOCK:] = ((index * 37) % 256, (index * 91) % 256, (index * 53) % 256)
    return frames


def number_of(image: QImage) -> int:
    """The number that a shown frame carries."""
    return sum(
        1 << bit for bit in range(BITS) if image.pixelColor(bit * BLOCK + BLOCK // 2, BLOCK // 2).lightness() > 127
    )


def write_clip(path: Path, count: int = 40, fps: float = 8.0, width: int = BITS * BLOCK, height: int = 64) -> Item:
    recipe = Recipe(
        family="cogvideox", model="mini", prompt="A numbered clip, blocks", width=width, frames=count, seed=7
    )
    save_video(numbered_frames(count, width, height), path, fps, recipe, Environment())
    return Item(
        id=1,
        path=path,
        kind="video",
        width=width,
        height=height,
        frames=count,
        fps=fps,
        created=0.0,
        size=path.stat().st_size,
        recipe=recipe,
    )
