"""Which layers of a network the names in LoRA files mean, as data: nothing here touches a weight."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """``layer`` takes piece ``index`` of ``pieces`` of a change's rows; ``swapped``: their halves are the other way
    round (shift and scale)."""

    layer: str
    index: int = 0
    pieces: int = 1
    swapped: bool = False


Names = Iterator[tuple[str, tuple[Target, ...]]]
LayerNames = Callable[[Set[str]], Names]
"""Names, with dots, that layers of a network have in LoRA files besides their own, from the layers that it has."""


def no_names(layers: Set[str]) -> Names:
    yield from ()


def split(theirs: str, ours: list[str], swapped: bool = False) -> tuple[str, tuple[Target, ...]]:
    """One matrix of a file that is several layers here, one below the other."""
    return theirs, tuple(Target(layer, n, len(ours), swapped) for n, layer in enumerate(ours))
