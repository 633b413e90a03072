"""The components of a model as a plan sees them: what they are, how much they weigh, how they are stored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from engine.memory.footprint import Footprint

SMALL_MODEL = 2**30
"""Bytes of a whole model in float32 below which nothing is saved by less precision."""


class PlannedComponent(msgspec.Struct, frozen=True):
    """``stored`` is the bytes of its weights on the disk, ``precision`` the dtype of most of them as safetensors name
    it (``F16``, ``BF16``, ``F32``, ``F8_E4M3``) or GGUF does (``Q8_0``)."""

    name: str
    footprint: Footprint
    stored: int
    precision: str

    @property
    def stored_itemsize(self) -> float:
        return self.stored / max(1, self.footprint.parameters)

    @property
    def is_float8(self) -> bool:
        return self.precision.startswith("F8")

    @property
    def is_reduced(self) -> bool:
        """Whether its large weights stay as they are stored on every machine: float8 or quantised."""
        return self.is_float8 or self.precision.startswith(("Q", "IQ"))

    def weights(self, itemsize: float) -> int:
        """Bytes with ``itemsize`` for each parameter."""
        return int(self.footprint.parameters * itemsize)

    def outside_blocks(self, itemsize: float) -> int:
        """Bytes that stay where blocks are streamed."""
        return int((self.footprint.parameters - self.footprint.in_blocks) * itemsize)


class PlannedModel(msgspec.Struct, frozen=True):
    """A whole model; ``denoiser_config`` and ``vae_config`` say how a recipe becomes tokens and pixels."""

    model: str
    family: str
    parts: tuple[PlannedComponent, ...]
    denoiser_config: dict[str, Any]
    vae_config: dict[str, Any]

    def of(self, kind: str) -> tuple[PlannedComponent, ...]:
        return tuple(part for part in self.parts if part.footprint.kind == kind)

    def without(self, names: Iterable[str]) -> PlannedModel:
        """The same model with parts left out (a T5 that a recipe does not use)."""
        out = set(names)
        left = tuple(part for part in self.parts if part.name not in out)
        return msgspec.structs.replace(self, parts=left)

    @property
    def stored(self) -> int:
        return sum(part.stored for part in self.parts)

    @property
    def is_small(self) -> bool:
        return 4 * sum(part.footprint.parameters for part in self.parts) < SMALL_MODEL
