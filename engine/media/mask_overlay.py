"""A mask as a tint over a picture that is shown scaled, of which only what changed is made anew."""

from __future__ import annotations

import numpy as np

from engine.media.masks import PaintedMask, Rect

STRENGTH = 0.55


class Overlay:
    """``buffer`` has ``height`` rows of ``width`` premultiplied ARGB pixels of 32 bits, as QImage reads them."""

    def __init__(self, mask: PaintedMask, colour: tuple[int, int, int]) -> None:
        self._mask = mask
        self.look(0.0, 0.0, 1.0, 0, 0)
        self.set_colour(colour)

    def set_colour(self, colour: tuple[int, int, int]) -> None:
        """Red, green and blue in 0 … 255, of the tint where the mask is full."""
        alpha = np.arange(256) / 255 * STRENGTH
        red, green, blue = (np.round(alpha * channel).astype(np.uint32) for channel in colour)
        self._table = np.round(alpha * 255).astype(np.uint32) << 24 | red << 16 | green << 8 | blue
        self.refresh(self._mask.whole)

    def look(self, left: float, top: float, scale: float, width: int, height: int) -> None:
        """Show the picture with its corner at ``left``, ``top`` of ``width`` × ``height`` pixels, ``scale`` of them for
        each of its own."""
        self.width, self.height, self._left, self._top, self._scale = width, height, left, top, scale
        self._columns = np.floor((np.arange(width) + 0.5 - left) / scale).astype(int)
        self._rows = np.floor((np.arange(height) + 0.5 - top) / scale).astype(int)
        self.buffer = np.zeros((height, width), np.uint32)
        if hasattr(self, "_table"):
            self.refresh(self._mask.whole)

    def refresh(self, rect: Rect) -> Rect:
        """Make ``rect`` of the mask anew; which pixels of the overlay that are."""
        columns = _covered(self._columns, rect.left, rect.right, self._mask.width)
        rows = _covered(self._rows, rect.top, rect.bottom, self._mask.height)
        found = Rect(columns.start, rows.start, columns.stop, rows.stop)
        if not found.is_empty:
            part = self._mask.pixels[self._rows[rows][:, None], self._columns[columns]]
            self.buffer[rows, columns] = self._table[part]
        return found


def _covered(places: np.ndarray[tuple[int], np.dtype[np.int_]], begin: int, end: int, most: int) -> slice:
    """Of rising ``places``, those from ``begin`` to before ``end`` that are in the picture."""
    begin, end = max(0, begin), min(most, end)
    return slice(int(np.searchsorted(places, begin)), max(0, int(np.searchsorted(places, end))))
