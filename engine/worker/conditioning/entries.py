"""A recipe's entries as conditionings: zeros, averages, strengths, ranges.

Ranges are in noise levels and averages cut or padded to length, as ComfyUI's nodes have them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import torch
from torch import Tensor

from engine.protocol.conditioning import WHOLE, Entry, Range, Words
from engine.worker.guidance import PICTURE, Conditioning, Side, Told, repeat
from engine.worker.sampling.base import Point


def texts(words: Words) -> Words:
    """What has to be encoded for ``words``: the texts alone."""
    return Words(words.text, words.clip_l, words.clip_g)


def all_texts(entries: Iterable[Entry]) -> list[Words]:
    """Each combination of texts among ``entries``, once, in order."""
    return list(dict.fromkeys(texts(words) for entry in entries for words in (entry, *(m.words for m in entry.mix))))


def told(entries: Iterable[Entry], encoded: Callable[[Words], Conditioning], batch: int) -> Side:
    """The conditionings of one side for ``batch`` results; ``encoded`` gives those of the texts alone, [1, ...]."""
    return tuple(Told(repeat(_entry(entry, encoded), batch), entry.range, entry.strength) for entry in entries)


def with_picture(side: Side, picture: Tensor) -> Side:
    """``side`` with ``picture`` [B, ...] told in each of its entries."""
    return tuple(replace(one, conditioning=one.conditioning | {PICTURE: picture}) for one in side)


def _entry(entry: Entry, encoded: Callable[[Words], Conditioning]) -> Conditioning:
    found = _words(entry, encoded)
    for mix in entry.mix:
        other = _words(mix.words, encoded)
        found = {
            name: mix.keep * value + (1 - mix.keep) * _as_long_as(value, other[name]) for name, value in found.items()
        }
    return found


def _words(words: Words, encoded: Callable[[Words], Conditioning]) -> Conditioning:
    found = encoded(texts(words))
    return {name: torch.zeros_like(value) for name, value in found.items()} if words.zero else found


def _as_long_as(value: Tensor, other: Tensor) -> Tensor:
    """``other`` cut or zero-padded on its token axis [1, tokens, D] to the length of ``value``."""
    if value.ndim < 3:
        return other
    other = other[:, : value.shape[1]]
    return torch.nn.functional.pad(other, (0, 0, 0, value.shape[1] - other.shape[1]))


def flow_range(shift: float) -> Callable[[Range, Point], bool]:
    """Whether a point lies in a part of a rectified flow's schedule, by its sigma, both ends included.

    The fraction p has ``sigma(p) = shift (1 - p) / (1 + (shift - 1) (1 - p))``. Compared in float32, as ComfyUI does:
    a schedule's own sigma then lies on the border that has its fraction.
    """

    def sigma(fraction: float) -> float:
        if fraction <= 0 or fraction >= 1:
            return float(fraction <= 0)
        return shift * (1 - fraction) / (1 + (shift - 1) * (1 - fraction))

    def holds(range_: Range, point: Point) -> bool:
        if range_ == WHOLE:
            return True
        return bool(point.sigma <= sigma(range_.start)) and bool(point.sigma >= sigma(range_.end))

    return holds
