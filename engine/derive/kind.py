"""What a kind of derivation has to answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, Protocol

import msgspec

from engine.media.pixels import Pixels
from engine.protocol.derivation import Derivation

Read = Callable[[int], Iterator[Pixels]]
"""The frames of the source, [H, W, 3] uint8 RGB, from the one of this number on."""


class Medium(msgspec.Struct, frozen=True):
    """A picture (one frame, ``fps`` 0) or a clip, in pixels and frames per second."""

    kind: Literal["image", "video"]
    width: int
    height: int
    frames: int
    fps: float

    @property
    def pixels(self) -> int:
        """Of one frame."""
        return self.width * self.height


class Forecast(msgspec.Struct, frozen=True):
    """``memory`` in bytes above the bare engine, ``seconds`` on the machine that the kind's figures were measured on,
    ``disk`` in bytes at most."""

    memory: int
    seconds: float
    disk: int


class Kind(Protocol):
    """One kind, torch-free."""

    id: str

    def result(self, derivation: Derivation, source: Medium) -> Medium:
        """What comes of ``source``. Raises ``BadRecipe`` for settings that make no sense, and ``BadFile`` with a
        sentence for a source that cannot be used."""
        ...

    def forecast(self, derivation: Derivation, source: Medium) -> Forecast: ...

    def stem(self, derivation: Derivation) -> str:
        """What the file is called, without its ending."""
        ...

    def frames(self, derivation: Derivation, read: Read, start: int, check: Callable[[], None]) -> Iterator[Pixels]:
        """The frames of the result from the one of number ``start`` on, in the engine's process. ``check`` is to be
        called often, at least between tiles: it raises where the job was cancelled. The same settings and source give
        the same pixels, whatever ``start`` is."""
        ...
