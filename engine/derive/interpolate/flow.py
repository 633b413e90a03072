"""A frame between two, from where each pixel moves: dense optical flow both ways, and what is covered or uncovered is
taken from the frame that shows it.

The flow is OpenCV's DIS (Kroeger et al. 2016, "Fast Optical Flow using Dense Inverse Search"). The flow at the time
between is put together from both as in Jiang et al. 2018, "Super SloMo" (equation 4), without its networks. Where the
flow there and the flow back do not cancel, a pixel is seen in one of the frames only, and counts less in the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.media.pixels import Pixels

Field = NDArray[np.float32]
"""[H, W, 2]: how far each pixel moves, in pixels."""

FLOW_PIXELS = 1_500_000
"""Of larger frames the flow is found on a smaller copy."""
_LOST = 1.5
"""Pixels by which there and back may miss, beyond a part of the way, before a pixel counts as covered."""
_CUT = 0.4
"""What is left between two frames after the motion, as a part of their contrast, from which on they are of different
scenes."""
_NOISE = 4.0
_LEAST = 1e-3


@dataclass(frozen=True)
class Pair:
    """Two frames that follow one another. ``seen_first`` and ``seen_second`` [H, W] in 0 … 1: how sure it is that a
    pixel of the one is in the other, too. ``is_cut``: they show different scenes."""

    first: Pixels
    second: Pixels
    there: Field
    back: Field
    seen_first: NDArray[np.float32]
    seen_second: NDArray[np.float32]
    is_cut: bool

    @classmethod
    def of(cls, first: Pixels, second: Pixels) -> Pair:
        there, back = _flow(first, second), _flow(second, first)
        seen_first, seen_second = _seen(there, back), _seen(back, there)
        left = float(np.abs(first.astype(np.float32) - _moved(second, there)).mean())
        contrast = float(np.stack([first, second]).std())
        return cls(first, second, there, back, seen_first, seen_second, left > _CUT * contrast + _NOISE)

    def between(self, time: float) -> Pixels:
        """The frame at ``time`` in 0 … 1; of different scenes the nearer one."""
        if time <= 0 or time >= 1 or self.is_cut:
            return self.first if time < 0.5 else self.second
        to_first = -(1 - time) * time * self.there + time**2 * self.back
        to_second = (1 - time) ** 2 * self.there - time * (1 - time) * self.back
        from_first, from_second = _moved(self.first, to_first), _moved(self.second, to_second)
        one = (1 - time) * _moved(self.seen_first, to_first) + _LEAST
        two = time * _moved(self.seen_second, to_second) + _LEAST
        share = (one / (one + two))[..., None]
        mixed = from_second + (from_first.astype(np.float32) - from_second) * share
        return mixed.round().clip(0, 255).astype(np.uint8)


def _flow(first: Pixels, second: Pixels) -> Field:
    height, width = first.shape[:2]
    factor = min(1.0, (FLOW_PIXELS / (height * width)) ** 0.5)
    grey = [cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY) for frame in (first, second)]
    if factor < 1:
        size = max(16, round(width * factor)), max(16, round(height * factor))
        grey = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in grey]
    least = min(grey[0].shape)
    if least < 16:  # what DIS needs
        return np.zeros((height, width, 2), np.float32)
    nothing = np.zeros((*grey[0].shape, 2), np.float32)
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    found = np.asarray(flow.calc(grey[0], grey[1], nothing), np.float32)
    if factor < 1:
        scale = np.asarray([width / found.shape[1], height / found.shape[0]], np.float32)
        found = np.asarray(cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR) * scale, np.float32)
    return found


def _seen(there: Field, back: Field) -> NDArray[np.float32]:
    """How well the way there and back from each pixel ends where it began."""
    missed = np.linalg.norm(there + _moved(back, there), axis=-1)
    allowed = _LOST + 0.05 * np.linalg.norm(there, axis=-1)
    return np.asarray(np.exp(-((missed / allowed) ** 2)), np.float32)


def _moved(pixels: NDArray[np.generic], by: Field) -> NDArray[np.float32]:
    """At each place what ``pixels`` have at the place plus ``by``."""
    height, width = by.shape[:2]
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    found = cv2.remap(
        np.ascontiguousarray(pixels),
        columns + by[..., 0],
        rows + by[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(found)
