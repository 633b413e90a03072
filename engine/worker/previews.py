"""Live previews: a linear map from latents to RGB, as a small JPEG.

They may cost at most ``SHARE`` of the time that denoising takes; where they would cost more, they are left out.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from engine.media.pixels import Pixels
from engine.protocol.family_info import LatentRGB

SHARE = 0.02
EXPECTED_COST = 0.002
"""Seconds, until one has been measured."""

LARGEST_SIDE = 256
"""Pixels of a picture's longer side: latents hold no more detail, and the window scales."""

LARGEST_SCALE = 8
QUALITY = 85


@dataclass(frozen=True)
class Preview:
    """A JPEG with ``frames`` pictures, each ``width`` × ``height`` pixels, side by side."""

    jpeg: bytes
    width: int
    height: int
    frames: int


def render(latents: Tensor, rgb: LatentRGB, largest_side: int = LARGEST_SIDE) -> Preview:
    """``latents`` [frames, C, h, w] in the model's own scale."""
    frames, channels, height, width = latents.shape
    factors = torch.tensor(rgb.factors, dtype=torch.float32, device=latents.device)
    bias = torch.tensor(rgb.bias, dtype=torch.float32, device=latents.device)
    if len(factors) != channels:
        raise ValueError(f"{len(factors)} rows of latent factors for {channels} channels")
    # [frames, C, h, w] -> [h, frames * w, C]: one row of pictures
    row = latents.float().permute(2, 0, 3, 1).reshape(height, frames * width, channels)
    colours = row @ factors + bias
    if rgb.stretched:
        low, high = colours.amin(), colours.amax()
        colours = (colours - low) / (high - low).clamp_min(1e-6)
    pixels = (colours.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
    longest = max(width, height)
    scale = max(1, min(LARGEST_SCALE, min(largest_side, LARGEST_SIDE) // longest))
    pictures = [Image.fromarray(pixels[:, i * width : (i + 1) * width]) for i in range(frames)]
    size = (width * scale, height * scale)
    if longest > largest_side:
        size = (max(1, width * largest_side // longest), max(1, height * largest_side // longest))
    joined = Image.new("RGB", (size[0] * frames, size[1]))
    for index, picture in enumerate(pictures):  # scaled one by one, so that neighbours do not bleed into each other
        joined.paste(picture.resize(size, Image.Resampling.BICUBIC), (index * size[0], 0))
    buffer = io.BytesIO()
    joined.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return Preview(buffer.getvalue(), *size, frames)


def small(frame: Pixels, largest_side: int = LARGEST_SIDE) -> Preview:
    """``frame`` ([H, W, 3] uint8) as a preview."""
    longest = max(frame.shape[:2])
    step = max(1, longest // (2 * largest_side))
    picture = Image.fromarray(np.ascontiguousarray(frame[::step, ::step]))
    picture.thumbnail((largest_side, largest_side))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY)
    return Preview(buffer.getvalue(), *picture.size, 1)


class PreviewBudget:
    """Says when the next preview is due: at most one in ``interval`` seconds, and ``SHARE`` of the time so far."""

    def __init__(self, interval: float, expected_cost: float = EXPECTED_COST) -> None:
        self._interval = interval
        self._cost = expected_cost
        self._started = time.monotonic()
        self._last = float("-inf")
        self.spent = 0.0

    @property
    def expected_cost(self) -> float:
        """Seconds that one preview takes."""
        return self._cost

    def is_due(self) -> bool:
        now = time.monotonic()
        if self._interval < 0 or now - self._last < self._interval:
            return False
        return self.spent + self._cost <= SHARE * (now - self._started)

    @contextmanager
    def paying(self) -> Iterator[None]:
        """Around the making and sending of one preview.

        Counts this thread's processor time: on a busy machine a preview waits for its turn, as everything does, and
        waiting for a GPU's result is time that the next step needs as well.
        """
        began = time.thread_time()
        yield
        cost = time.thread_time() - began
        self._cost = 0.5 * self._cost + 0.5 * cost
        self.spent += cost
        self._last = time.monotonic()
