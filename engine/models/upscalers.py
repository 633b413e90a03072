"""The networks that make pictures larger: those that ship, and those that a person imported into a folder.

Each is ``NAME.safetensors``, known by its SHA-256, with ``NAME.json`` beside it, which says what was found out about it
when it came in. Torch-free.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from engine.files import TEXT_LIMIT, read_regular
from engine.protocol.errors import BadArguments, ModelMissing
from engine.protocol.upscaling import LANCZOS, Upscaling
from resources import UPSCALERS

MIB = 2**20
FILE_LIMIT = 1024 * MIB
"""Of an upscaler's file; the largest that are published have about 200 MiB."""
_TILE_BYTES = 512 * MIB
_TILES = (64, 512)
_STEP = 16
DEFAULT = "realesr-animevideov3-x4"
_RGB_BYTES = 3 * (4 + 4 + 1)
"""Of a pixel of a tile's result: in float32 twice, and in 8 bits."""


class ConvertedUpscaler(msgspec.Struct, frozen=True):
    """What was found out about a network as it came in; as in ``UpscalerFacts``."""

    architecture: str
    scale: int
    overlap: int
    memory: int
    seconds: float


class UpscalerFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """``scale`` is the network's own. ``overlap`` in pixels of the source: from there on a tile's result is the whole's
    to within half of 1/255. ``memory``: bytes for each pixel of a tile; ``seconds`` for a megapixel of the source, on
    the processor of the machine on which it came in. ``licence`` is "" where nothing says it."""

    sha256: str
    architecture: str
    scale: int
    overlap: int
    memory: int
    seconds: float
    licence: str = ""

    @property
    def tile(self) -> int:
        """The side of a tile: by ``memory`` alone, so that it is the same on every machine."""
        side = math.isqrt(_TILE_BYTES // max(1, self.memory)) // _STEP * _STEP
        return max(2 * self.overlap + _STEP, min(max(side, _TILES[0]), _TILES[1]))

    @property
    def tile_memory(self) -> int:
        """Bytes, at most, for one tile."""
        return self.tile**2 * (self.memory + self.scale**2 * _RGB_BYTES)


class Upscaler(msgspec.Struct, frozen=True):
    """One that is here. ``ships``: it is part of Laterna, and cannot be removed."""

    name: str
    path: Path
    facts: UpscalerFacts
    ships: bool = False

    def upscaling(self, scale: int) -> Upscaling:
        facts = self.facts
        return Upscaling(scale, facts.sha256, self.name, facts.tile, facts.overlap)


class Upscalers:
    """``folder`` holds the imported ones; None: only those that ship."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    @property
    def folder(self) -> Path:
        assert self._folder is not None, "only those that ship are asked for"
        return self._folder

    def all(self) -> tuple[Upscaler, ...]:
        """Those that ship first, then the person's by name. What cannot be read is left out."""
        mine = _in(self._folder, ships=False) if self._folder is not None else ()
        return (*_in(UPSCALERS, ships=True), *mine)

    def find(self, sha256: str) -> Upscaler | None:
        return next((one for one in self.all() if one.facts.sha256 == sha256), None)

    def required(self, how: Upscaling) -> Upscaler:
        """The network that ``how`` names. Raises ``ModelMissing`` where it is not here."""
        found = self.find(how.network)
        if found is None:
            raise ModelMissing(
                f"The upscaler {how.by} is not on this machine.",
                "Import its file, or choose another one.",
                field="upscaling",
            )
        return found

    def named(self, name: str, scale: int) -> Upscaling:
        """For a name that a person gives: of an upscaler, or ``lanczos``. Raises ``BadArguments``."""
        if name.lower() == LANCZOS.lower():
            return Upscaling(scale)
        there = self.all()
        for one in there:
            if name.lower() in (one.name.lower(), one.facts.sha256):
                return one.upscaling(scale)
        names = ", ".join([LANCZOS.lower(), *(one.name for one in there)])
        raise BadArguments(f"There is no upscaler “{name}” on this machine.", f"There are: {names}.")


def facts_path(path: Path) -> Path:
    return path.with_suffix(".json")


def _in(folder: Path, ships: bool) -> Iterator[Upscaler]:
    for path in sorted(folder.glob("*.safetensors")) if folder.is_dir() else ():
        with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
            facts = msgspec.json.decode(read_regular(facts_path(path), TEXT_LIMIT), type=UpscalerFacts)
            yield Upscaler(path.stem, path, facts, ships)
