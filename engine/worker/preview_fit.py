"""The linear preview of a VAE, fitted by least squares where its latents and pixels lie side by side.

B = batch, T = latent frames, C = latent channels, F = frames; a causal VAE makes the first frame of the first latent
frame, and (F - 1) / (T - 1) frames of each other. A cell is one latent pixel and the mean colour of its pixels.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
from torch import Tensor

from engine.protocol.family_info import LatentRGB

CELLS = 4096
"""Cells of one result that are looked at, spread over it: many times as many as there are unknowns."""

RIDGE = 1e-5
"""Of the channels' mean variance, added to each: directions in which nothing varied keep a factor of 0."""

LARGEST = 1e12
"""Of a sum: what is beyond it was not made here."""

_COLOURS = 3

Cells = np.ndarray[Any, np.dtype[np.float64]]


class Moments(msgspec.Struct, frozen=True):
    """What a fit needs of all ``cells`` of ``results`` results: ``sums`` [C + 4, C + 4] of the products of (latents, 1,
    red, green, blue), colours in 0 … 1."""

    results: int
    cells: int
    sums: tuple[tuple[float, ...], ...]

    @property
    def channels(self) -> int:
        return len(self.sums) - 1 - _COLOURS

    def is_sound(self) -> bool:
        """Whether such sums can come of cells."""
        size = len(self.sums)
        finite = all(math.isfinite(value) and abs(value) < LARGEST for row in self.sums for value in row)
        shaped = size > 1 + _COLOURS and all(len(row) == size for row in self.sums)
        return shaped and finite and self.results > 0 and self.cells > 0 and self.sums[-4][-4] == self.cells


class Fit(msgspec.Struct, frozen=True):
    """``residual``: the root of the mean square of what the map leaves of the colours (0 … 1)."""

    rgb: LatentRGB
    residual: float


def moments_of(latents: Tensor, frames: Tensor) -> Moments:
    """``latents`` [B, T, C, h, w] in the model's scale, ``frames`` [B, F, H, W, 3] uint8 that the VAE made of them."""
    seen, colours = cells_of(latents, frames)
    joined = np.concatenate([seen, np.ones_like(seen[:, :1]), colours], axis=1)
    return Moments(len(frames), len(joined), _rows(joined.T @ joined))


def cells_of(latents: Tensor, frames: Tensor, most: int = CELLS) -> tuple[Cells, Cells]:
    """Latents [cells, C] and colours [cells, 3] in 0 … 1; about ``most``. By NumPy: so little work is not worth the
    waking of PyTorch's threads."""
    batch, count, channels, height, width = latents.shape
    tall, wide = frames.shape[2] // height, frames.shape[3] // width
    places = _spread(batch * count, max(1, most // (height * width)))
    rows = _spread(height, max(1, most // (width * len(places))))
    pixels = frames.numpy()[:, :, : height * tall, : width * wide]
    pixels = pixels.reshape(*pixels.shape[:2], height, tall, -1)
    seen, colours = [], []
    for place in places:
        result, number = divmod(place, count)
        own = pixels[result, _frames_of(number, count, frames.shape[1])][:, rows]
        # rows first, whole ones: many times as fast as all at once
        lines = own.sum(2, dtype=np.uint16 if tall < 256 else np.uint32).sum(0, dtype=np.uint32)
        blocks = lines.reshape(len(rows), width, wide, _COLOURS).sum(2).reshape(-1, _COLOURS)
        colours.append(blocks / (255 * len(own) * tall * wide))
        values = latents[result, number].float().cpu().numpy()[:, rows].astype(np.float64)
        seen.append(values.reshape(channels, -1).T)
    return np.concatenate(seen), np.concatenate(colours)


def added(one: Moments, other: Moments) -> Moments:
    """Of the cells of both."""
    sums = np.array(one.sums) + np.array(other.sums)
    return Moments(one.results + other.results, one.cells + other.cells, _rows(sums))


def fitted(moments: Moments) -> Fit:
    """The map with the least squares. Raises ``ValueError`` where there is none."""
    means = np.array(moments.sums) / moments.cells
    size = moments.channels
    middle = means[size]  # of latents, 1 and colours
    spread = means - np.outer(middle, middle)
    latents, both, colours = spread[:size, :size], spread[:size, -_COLOURS:], spread[-_COLOURS:, -_COLOURS:]
    ridge = max(RIDGE * float(latents.diagonal().mean()), 1e-12)
    try:
        factors = np.linalg.solve(latents + ridge * np.eye(size), both)
    except np.linalg.LinAlgError as error:
        raise ValueError("these cells determine no map") from error
    bias = middle[-_COLOURS:] - middle[:size] @ factors
    if not (np.isfinite(factors).all() and np.isfinite(bias).all()):
        raise ValueError("these cells determine no map")
    left = colours - factors.T @ both - both.T @ factors + factors.T @ latents @ factors
    residual = math.sqrt(max(0.0, float(left.diagonal().mean())))
    return Fit(LatentRGB(_rows(factors), tuple(bias.tolist())), residual)


def _rows(matrix: Cells) -> Any:
    return tuple(tuple(row) for row in matrix.tolist())


def _spread(count: int, most: int) -> list[int]:
    """At most ``most`` of ``count`` places, evenly."""
    taken = min(count, most)
    return [(2 * index + 1) * count // (2 * taken) for index in range(taken)]


def _frames_of(number: int, count: int, frames: int) -> slice:
    """Those that latent frame ``number`` of ``count`` becomes."""
    each = (frames - 1) // (count - 1) if count > 1 else frames
    return slice(0, 1) if number == 0 and count > 1 else slice(1 + (number - 1) * each, 1 + number * each)
