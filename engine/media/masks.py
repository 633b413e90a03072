"""Masks as they are painted: 255 where a picture is made anew, 0 where it stays. No Qt, no torch.

H, W are the picture's height and width. A change touches a ``Rect``; what it overwrote is kept, so that each stroke is
undone by itself. A stroke's step costs by the size of the brush, not by that of the picture.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.media import atomic, pictures
from engine.media.pixels import Pixels
from engine.protocol.errors import BadFile, from_os_error

Mask = NDArray[np.uint8]
"""[H, W]."""

MOST_RADIUS = 1024
_SPACING = 0.1
"""Of the radius, between two stamps of a stroke: its edge is round to within 0.2 % of the radius."""
_KEPT_BYTES = 256 * 2**20
_KEPT = 500


class Rect(NamedTuple):
    """A part of the picture, in pixels; ``right`` and ``bottom`` are the first behind it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def is_empty(self) -> bool:
        return self.right <= self.left or self.bottom <= self.top

    def joined(self, other: Rect) -> Rect:
        if self.is_empty or other.is_empty:
            return other if self.is_empty else self
        return Rect(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


NOTHING = Rect(0, 0, 0, 0)


class _Change(NamedTuple):
    rect: Rect
    before: bytes
    after: bytes


class PaintedMask:
    """``pixels`` [H, W] uint8 is the mask; whoever shows it reads it and writes nothing."""

    def __init__(self, width: int, height: int) -> None:
        self.pixels: Mask = np.zeros((height, width), np.uint8)
        self._kept = self.pixels.copy()  # as it was before the stroke in hand
        self._touched = NOTHING
        self._done: list[_Change] = []
        self._undone: list[_Change] = []

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def whole(self) -> Rect:
        return Rect(0, 0, self.width, self.height)

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    # --- a stroke: begun by its first stroke_to, ended by finish

    def stroke(
        self, begin: tuple[float, float], end: tuple[float, float], radius: float, hardness: float, erase: bool = False
    ) -> Rect:
        """Paint, or erase, from one point to another. ``hardness`` in 0 … 1: the part of the radius that is full."""
        radius = min(max(0.5, radius), MOST_RADIUS)
        stamp = _stamp(round(radius * 4) / 4, round(hardness, 2))
        length = math.dist(begin, end)
        steps = max(1, math.ceil(length / max(0.5, radius * _SPACING)))
        touched = NOTHING
        for number in range(steps + 1) if length else (0,):
            part = number / steps
            x, y = begin[0] + (end[0] - begin[0]) * part, begin[1] + (end[1] - begin[1]) * part
            touched = touched.joined(self._press(stamp, x, y, erase))
        return self._touch(touched)

    def _press(self, stamp: Mask, x: float, y: float, erase: bool) -> Rect:
        side = stamp.shape[0]
        left, top = round(x - side / 2), round(y - side / 2)
        rect = Rect(max(0, left), max(0, top), min(self.width, left + side), min(self.height, top + side))
        if rect.is_empty:
            return NOTHING
        under = self.pixels[rect.top : rect.bottom, rect.left : rect.right]
        over = stamp[rect.top - top : rect.bottom - top, rect.left - left : rect.right - left]
        if erase:
            np.minimum(under, 255 - over, out=under)
        else:
            np.maximum(under, over, out=under)
        return rect

    def lasso(self, points: Sequence[tuple[float, float]], erase: bool = False) -> Rect:
        """Fill the outline through ``points``."""
        if len(points) < 3:
            return NOTHING
        outline = np.round(np.asarray(points, np.float64)).astype(np.int32)
        left, top = np.clip(outline.min(0), 0, (self.width, self.height))
        right, bottom = np.clip(outline.max(0) + 1, 0, (self.width, self.height))
        cv2.fillPoly(self.pixels, [outline], 0 if erase else 255)
        return self._touch(Rect(int(left), int(top), int(right), int(bottom)))

    def rectangle(self, begin: tuple[float, float], end: tuple[float, float], erase: bool = False) -> Rect:
        (left, right), (top, bottom) = sorted((begin[0], end[0])), sorted((begin[1], end[1]))
        rect = Rect(
            max(0, round(left)), max(0, round(top)), min(self.width, round(right)), min(self.height, round(bottom))
        )
        if rect.is_empty:
            return NOTHING
        self.pixels[rect.top : rect.bottom, rect.left : rect.right] = 0 if erase else 255
        return self._touch(rect)

    def fill(self, x: float, y: float, erase: bool = False) -> Rect:
        """The area around the point that is as it is there, up to what was painted around it."""
        at = (int(x), int(y))
        if not (0 <= at[0] < self.width and 0 <= at[1] < self.height):
            return NOTHING
        _count, _image, _edge, (left, top, width, height) = cv2.floodFill(
            self.pixels, None, at, 0 if erase else 255, loDiff=127, upDiff=127
        )
        return self._touch(Rect(left, top, left + width, top + height))

    def set_pixels(self, pixels: Mask) -> Rect:
        """All of it, from ``pixels`` of the same size."""
        assert pixels.shape == self.pixels.shape
        self.pixels[...] = pixels
        return self._touch(self.whole)

    def clear(self, value: int = 0) -> Rect:
        self.pixels[...] = value
        return self._touch(self.whole)

    def invert(self) -> Rect:
        np.subtract(255, self.pixels, out=self.pixels)
        return self._touch(self.whole)

    def grow(self, by: int) -> Rect:
        """Wider by ``by`` pixels all around; narrower where it is negative."""
        if not by:
            return NOTHING
        side = 2 * abs(by) + 1
        element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        made = cv2.dilate(self.pixels, element) if by > 0 else cv2.erode(self.pixels, element)
        return self.set_pixels(made.astype(np.uint8))

    def feather(self, by: int) -> Rect:
        """Softer: its edge goes over ``by`` pixels on both sides."""
        if by <= 0:
            return NOTHING
        return self.set_pixels(cv2.GaussianBlur(self.pixels, (0, 0), by / 2).astype(np.uint8))

    def from_colour(self, picture: Pixels, x: float, y: float, tolerance: int) -> Rect:
        """Add all that has the colour of ``picture`` ([H, W, 3]) at the point, each channel to within ``tolerance``."""
        at = picture[min(max(0, int(y)), self.height - 1), min(max(0, int(x)), self.width - 1)].astype(int)
        low, high = np.clip(at - tolerance, 0, 255), np.clip(at + tolerance, 0, 255)
        found = cv2.inRange(picture, tuple(low.tolist()), tuple(high.tolist()))
        return self.set_pixels(np.maximum(self.pixels, found).astype(np.uint8))

    # --- undo

    def finish(self) -> bool:
        """End what is in hand: from here on it is one step of undo. False where nothing changed."""
        rect, self._touched = self._touched, NOTHING
        if rect.is_empty:
            return False
        part = np.s_[rect.top : rect.bottom, rect.left : rect.right]
        if np.array_equal(self.pixels[part], self._kept[part]):
            return False
        before, after = (zlib.compress(one[part].tobytes(), 1) for one in (self._kept, self.pixels))
        self._kept[part] = self.pixels[part]
        self._undone.clear()
        self._done.append(_Change(rect, before, after))
        while len(self._done) > _KEPT or sum(len(c.before) + len(c.after) for c in self._done) > _KEPT_BYTES:
            self._done.pop(0)
        return True

    def undo(self) -> Rect:
        return self._step(self._done, self._undone, is_back=True)

    def redo(self) -> Rect:
        return self._step(self._undone, self._done, is_back=False)

    def _step(self, source: list[_Change], target: list[_Change], is_back: bool) -> Rect:
        self.finish()
        if not source:
            return NOTHING
        change = source.pop()
        target.append(change)
        rect = change.rect
        shape = rect.bottom - rect.top, rect.right - rect.left
        raw = zlib.decompress(change.before if is_back else change.after)
        for pixels in (self.pixels, self._kept):
            pixels[rect.top : rect.bottom, rect.left : rect.right] = np.frombuffer(raw, np.uint8).reshape(shape)
        return rect

    def _touch(self, rect: Rect) -> Rect:
        self._touched = self._touched.joined(rect)
        return rect


@lru_cache(maxsize=8)
def _stamp(radius: float, hardness: float) -> Mask:
    """A disc, 255 within ``hardness`` of its radius, falling to 0 at the radius."""
    side = 2 * math.ceil(radius) + 1
    across = np.arange(side, dtype=np.float32) - side // 2
    distance = np.sqrt(across[:, None] ** 2 + across[None, :] ** 2)
    soft = max(1.0, radius * (1 - hardness))
    full = np.clip((radius + 0.5 - distance) / soft, 0, 1)
    return np.ascontiguousarray(np.round(full * 255).astype(np.uint8))


def read_mask(content: bytes, path: Path, size: tuple[int, int]) -> Mask:
    """White where the picture is made anew; of a picture with transparency what is opaque. ``size`` (W, H) is the
    picture's: a mask of another size with the same shape is scaled. Raises ``BadFile`` for another shape."""
    alpha = read_alpha(content, path)
    grey = alpha if alpha is not None else np.asarray(pictures.decode(content, path).convert("L"))
    width, height = size
    if abs(grey.shape[1] * height - grey.shape[0] * width) > 2 * max(width, height, *grey.shape):
        raise BadFile(
            f"{path.name} is {grey.shape[1]} × {grey.shape[0]}, but the picture {width} × {height}.",
            "Choose a mask of the picture's shape.",
            field="inputs",
        )
    if (grey.shape[1], grey.shape[0]) != size:
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    return np.ascontiguousarray(grey)


def read_alpha(content: bytes, path: Path) -> Mask | None:
    """How opaque each pixel is; None for a picture without transparency. Raises ``BadFile``."""
    over_white, over_black = (np.asarray(pictures.decode(content, path, back)) for back in (pictures.WHITE, (0, 0, 0)))
    if np.array_equal(over_white, over_black):
        return None
    return np.ascontiguousarray(255 - (over_white - over_black).max(-1))


def keep_mask(pixels: Mask, folder: Path) -> Path:
    """``pixels`` as a PNG that is called after its content, in ``folder``. Raises ``NoSpace`` or ``NotWritable``."""
    data = cv2.imencode(".png", pixels)[1].tobytes()
    path = folder / f"mask-{hashlib.sha256(data).hexdigest()[:16]}.png"
    try:
        if not path.exists():
            atomic.write_bytes(path, data)
    except OSError as error:
        raise from_os_error(error, "keeping the mask", path) from error
    return path
