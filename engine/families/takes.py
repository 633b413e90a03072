"""Which tensor of a file becomes which weight of a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

Piece = Literal["all", "first", "second", "third", "swapped", "matrix", "positions"]


@dataclass(frozen=True)
class Take:
    """Which tensor becomes ``target``, and how much of it.

    ``first`` … ``third``: that third of its rows (query, key, value in one). ``swapped``: its two halves of rows the
    other way round (shift and scale). ``matrix``: a 1 × 1 convolution as a matrix. ``positions``: those
    whose first dimension (1) GGUF files leave out.
    """

    target: str
    source: str
    piece: Piece = "all"

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The target's shape from the source's."""
        if self.piece in ("first", "second", "third"):
            return (shape[0] // 3, *shape[1:])
        if self.piece == "positions":
            return with_first(shape)
        return shape[:2] if self.piece == "matrix" else shape


Naming = Callable[[Iterable[str]], list[Take]]
THIRDS: tuple[Piece, ...] = ("first", "second", "third")


def with_first(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Positions [positions, width] as [1, positions, width]."""
    return (1, *shape) if len(shape) == 2 else shape


def as_they_are(names: Iterable[str]) -> list[Take]:
    return [Take(name, name) for name in names]
