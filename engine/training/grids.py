"""Many pictures as one, to look at."""

from __future__ import annotations

import numpy as np


def grid(pictures: np.ndarray, columns: int = 8) -> np.ndarray:
    """Pictures `[B, H, W, 3]` in 0..1 (clips `[B, T, H, W, 3]`: their first, middle and last frame side by side) as one
    uint8 picture."""
    if pictures.ndim == 5:
        picked = pictures[:, [0, pictures.shape[1] // 2, -1]]
        pictures = np.concatenate(list(picked.transpose(1, 0, 2, 3, 4)), axis=2)
    blank = np.ones_like(pictures[:1])
    pictures = np.concatenate([pictures, *[blank] * (-len(pictures) % columns)])
    rows = [np.concatenate(list(pictures[i : i + columns]), 1) for i in range(0, len(pictures), columns)]
    return (np.concatenate(rows) * 255).round().astype(np.uint8)
