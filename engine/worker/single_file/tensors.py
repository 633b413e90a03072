"""Weights as stretches of a file, with the dtypes of torch; where they lie is ``engine.models.reading``'s to say."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from engine.families.takes import Piece, with_first
from engine.models.reading.tensor_files import Place, block_size
from engine.protocol.errors import ModelDamaged

DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
FLOAT8 = {"F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2}
_THIRDS = {"first": 0, "second": 1, "third": 2}


@dataclass(frozen=True)
class Stretch:
    """One weight: ``shape`` numbers of ``dtype`` from byte ``offset`` of ``file`` on, times ``factor`` if there is one.

    ``type``: blocks of that ggml type instead, whose bytes ``dtype`` (uint8) are. ``swapped``: its two halves of rows
    are the other way round in the file.
    """

    file: Path
    offset: int
    dtype: torch.dtype
    shape: tuple[int, ...]
    swapped: bool = False
    type: str = ""
    factor: Stretch | None = None

    @property
    def bytes(self) -> int:
        if self.type:
            size, bytes_ = block_size(self.type)
            return math.prod(self.shape) // size * bytes_
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def is_reduced(self) -> bool:
        """Whether its numbers have fewer bits than any arithmetic."""
        return self.dtype.itemsize == 1

    def raw(self) -> Stretch:
        """The bytes as they lie, row by row: int8, [rows, bytes of a row] for ggml blocks."""
        if not self.type:
            return replace(self, dtype=torch.int8, factor=None)
        return replace(self, dtype=torch.int8, shape=(self.shape[0], self.bytes // self.shape[0]), type="")

    def piece(self, piece: Piece) -> Stretch:
        """The part that a ``Take`` wants."""
        if piece == "all":
            return self
        if piece == "matrix":
            return replace(self, shape=self.shape[:2])
        if piece == "positions":
            return replace(self, shape=with_first(self.shape))
        factor = self.factor.piece(piece) if self.factor and self.factor.shape[:1] == self.shape[:1] else self.factor
        if piece == "swapped":
            return replace(self, swapped=True, factor=factor)
        third = replace(self, shape=(self.shape[0] // 3, *self.shape[1:]), factor=factor)
        return replace(third, offset=self.offset + _THIRDS[piece] * third.bytes)


@dataclass(frozen=True)
class Blocks:
    """A quantised matrix as GGUF has it: ``data`` uint8 [rows, bytes of a row], of the ggml type ``type``."""

    data: Tensor
    type: str

    def widened(self, dtype: torch.dtype) -> Tensor:
        """The matrix [rows, columns]. Raises ``ModelDamaged`` for a type that cannot be read."""
        import gguf
        from diffusers.quantizers.gguf.utils import dequantize_functions

        kind = gguf.GGMLQuantizationType[self.type]
        size, bytes_ = block_size(self.type)
        if kind not in dequantize_functions:
            raise ModelDamaged(f"GGUF weights of the type {self.type} cannot be read.", "Get Q8_0 or Q4_K instead.")
        wide = dequantize_functions[kind](self.data.reshape(-1, bytes_), size, bytes_, dtype=torch.float32)
        return wide.reshape(self.data.shape[0], -1).to(dtype)


def stretch_of(file: Path, place: Place) -> Stretch:
    """The weight at ``place`` of ``file``."""
    if place.is_blocks:
        return Stretch(file, place.offset, torch.uint8, place.shape, type=place.dtype)
    factor = stretch_of(file, place.scale) if place.scale is not None else None
    return Stretch(file, place.offset, (DTYPES | FLOAT8)[place.dtype], place.shape, factor=factor)
