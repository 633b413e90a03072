"""Lanczos resampling in bands, so that a cancel waits for one band and no more is held than source and result."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from engine.media.pixels import Pixels

BAND = 128
"""Rows of the source."""
_REACH = 8
"""Rows beside a band that its rows of the result depend on: the kernel has eight taps."""


def enlarge(frame: Pixels, scale: int, check: Callable[[], None]) -> Pixels:
    """``frame`` ([H, W, 3] uint8) as [H scale, W scale, 3], by OpenCV's ``INTER_LANCZOS4``."""
    height, width = frame.shape[:2]
    made = np.empty((height * scale, width * scale, 3), np.uint8)
    for top in range(0, height, BAND):
        check()
        bottom = min(height, top + BAND)
        first, last = max(0, top - _REACH), min(height, bottom + _REACH)
        band = np.ascontiguousarray(frame[first:last])
        size = (width * scale, (last - first) * scale)
        large = cv2.resize(band, size, interpolation=cv2.INTER_LANCZOS4)
        made[top * scale : bottom * scale] = large[(top - first) * scale : (bottom - first) * scale]
    return made
