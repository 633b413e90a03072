"""What a kind of derivation has to answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, Protocol

import msgspec

from engine.media.pixels import Pixels
from engine.models.upscalers import UpscalerFacts
from engine.protocol.derivation import Derivation
from engine.protocol.upscaling import Upscaling

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


class DerivationForecast(msgspec.Struct, frozen=True):
    """``memory`` in bytes above the bare engine, ``seconds`` on the machine that the kind's figures were measured on,
    ``disk`` in bytes at most."""

    memory: int
    seconds: float
    disk: int


class Workplace(Protocol):
    """What the engine's process has for the work."""

    def check(self) -> None:
        """To be called often, at least between tiles: raises where the job was cancelled."""
        ...

    def enlarged(self, frame: Pixels, how: Upscaling) -> Pixels:
        """``frame`` ([H, W, 3] uint8) as [H scale, W scale, 3] by the network of the job."""
        ...


class Kind(Protocol):
    """One kind, torch-free."""

    id: str

    def result(self, derivation: Derivation, source: Medium) -> Medium:
        """What comes of ``source``. Raises ``BadRecipe`` for settings that make no sense, and ``BadFile`` with a
        sentence for a source that cannot be used."""
        ...

    def network(self, derivation: Derivation) -> Upscaling | None:
        """The network that it needs, as far as it needs one. Raises ``BadRecipe``."""
        ...

    def forecast(
        self, derivation: Derivation, source: Medium, network: UpscalerFacts | None = None
    ) -> DerivationForecast:
        """``network``: what is known of the network that it needs."""
        ...

    def stem(self, derivation: Derivation) -> str:
        """What the file is called, without its ending."""
        ...

    def frames(
        self, derivation: Derivation, source: Medium, read: Read, start: int, work: Workplace
    ) -> Iterator[Pixels]:
        """The frames of the result from the one of number ``start`` on, in the engine's process. The same settings and
        source give the same pixels, whatever ``start`` is."""
        ...
