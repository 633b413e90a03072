"""Clips: one object on a still background, moving 2 px a frame, which is one latent pixel (8 px) a latent frame.

So a moving sprite gives the same latents in every latent frame, one pixel further on. (At 4 px a frame, or with
smaller sprites, 16 channels hold visibly less of the sprite: 0.16 to 0.2 root mean square error under its mask
through the PCA, against 0.14.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from .backgrounds import BackgroundPool
from .catalogue import MOTIONS, OBJECTS
from .scenes import GRID, Domain, Placed, Scene, offset, paste

CLIP_SIDE = 96  # px
CLIP_FPS = 8
SPRITE = 48  # px
SPEED = 2  # px a frame
FRAMES = (9, 17)
_STEP = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1), "still": (0, 0)}


def draw_clip(rng: np.random.Generator, domain: Domain, held_out: bool = False) -> Scene:
    """A random clip. What moves sideways may be at the top, centre or bottom; what moves up or down at the left,
    centre or right; what stands still anywhere."""
    while True:
        motion = domain.motions[rng.integers(len(domain.motions))]
        places = {"left": ("centre", "top", "bottom"), "up": ("centre", "left", "right")}
        places |= {"right": places["left"], "down": places["up"], "still": domain.places}
        options = places[motion]
        place = "centre" if rng.random() < 0.4 else options[rng.integers(len(options))]
        item = Placed(domain.draw_objects(rng)[0], place, "normal")
        scene = Scene((item,), int(domain.backgrounds[rng.integers(len(domain.backgrounds))]), motion)
        if scene.held_out == held_out:
            return scene


def start(scene: Scene, frames: int) -> tuple[int, int]:
    """The first offset `(x, y)` in px, on the token grid, such that the object stays inside to the end. Like a place,
    it is one for each motion and length: a choice of two gives doubled objects."""
    x, y = offset(scene.items[0].place, SPRITE, CLIP_SIDE)
    dx, dy = _STEP[scene.motion or "still"]
    room, travel = CLIP_SIDE - SPRITE, SPEED * (frames - 1)
    before = (room - travel) // 2 // GRID * GRID  # px behind the object when it starts
    along = before if dx + dy > 0 else room - before
    return (along if dx else x, along if dy else y)


def positions(scene: Scene, frames: int) -> list[tuple[int, int]]:
    """The offset in every frame."""
    dx, dy = _STEP[scene.motion or "still"]
    x, y = start(scene, frames)
    return [(x + dx * SPEED * f, y + dy * SPEED * f) for f in range(frames)]


@dataclass
class RenderedClip:
    """`frames` `[T, side, side, 3]` float32 in 0..1; `tokens` `[1 + (T-1)/4, side/16, side/16]`: object + 1 wherever
    the sprite is at any time of that latent frame, 0 elsewhere."""

    frames: np.ndarray
    tokens: np.ndarray


def render_clip(scene: Scene, rng: np.random.Generator, pool: BackgroundPool, frames: int) -> RenderedClip:
    background = pool.pick(scene.background, rng)
    path = positions(scene, frames)
    item = scene.items[0]
    pictures = np.repeat(background[None], frames, 0)
    tokens = np.zeros((1 + (frames - 1) // 4, CLIP_SIDE // GRID, CLIP_SIDE // GRID), np.int64)
    for frame, (x, y) in enumerate(path):
        paste(pictures[frame], OBJECTS[item.object].glyph, SPRITE, x, y)
        rows = slice(y // GRID, -(-(y + SPRITE) // GRID))
        columns = slice(x // GRID, -(-(x + SPRITE) // GRID))
        tokens[-(-frame // 4), rows, columns] = item.object + 1
    return RenderedClip(pictures, tokens)


def to_frames(rendered: list[RenderedClip]) -> torch.Tensor:
    """`[B, T, 3, H, W]` in -1..1."""
    return torch.from_numpy(np.stack([r.frames for r in rendered])).permute(0, 1, 4, 2, 3).contiguous() * 2 - 1


__all__ = ["CLIP_FPS", "CLIP_SIDE", "FRAMES", "MOTIONS", "draw_clip", "positions", "render_clip", "start", "to_frames"]
