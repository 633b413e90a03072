"""Where the tensors of one component lie in a file: safetensors (fp8 with scales too) or GGUF. No data is read."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from engine.models.gguf_header import TYPES, read_gguf
from engine.models.safetensors_header import read_header
from engine.protocol.errors import ModelDamaged
from engine.worker.single_file.names import Piece

SCALES = (".scale_weight", ".weight_scale")
"""ComfyUI's fp8 files keep a factor beside each weight under one of these names."""

DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
FLOAT8 = {"F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2}
_NOT_WEIGHTS = ("scaled_fp8", ".scale_input", ".input_scale", ".comfy_quant", *SCALES)
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
            _, size, bytes_ = _ggml(self.type)
            return math.prod(self.shape) // size * bytes_
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def is_reduced(self) -> bool:
        """Whether its numbers have fewer bits than any arithmetic."""
        return self.dtype.itemsize == 1

    def raw(self) -> Stretch:
        """The bytes as they lie, row by row: int8, or uint8 [rows, bytes of a row] for ggml blocks."""
        if not self.type:
            return replace(self, dtype=torch.int8, factor=None)
        return replace(self, shape=(self.shape[0], self.bytes // self.shape[0]), type="")

    def piece(self, piece: Piece) -> Stretch:
        """The part that a ``Take`` wants."""
        if piece == "all":
            return self
        if piece == "matrix":
            return replace(self, shape=self.shape[:2])
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
        _, size, bytes_ = _ggml(self.type)
        if kind not in dequantize_functions:
            raise ModelDamaged(f"GGUF weights of the type {self.type} cannot be read.", "Get Q8_0 or Q4_K instead.")
        wide = dequantize_functions[kind](self.data.reshape(-1, bytes_), size, bytes_, dtype=torch.float32)
        return wide.reshape(self.data.shape[0], -1).to(dtype)


def _ggml(type: str) -> tuple[str, int, int]:
    """Name, numbers in a block, bytes of a block."""
    return next(entry for entry in TYPES.values() if entry[0] == type)


class TensorFile(Protocol):
    """``shapes`` by name, without the component's prefix, in PyTorch's order."""

    shapes: dict[str, tuple[int, ...]]

    @property
    def dtype(self) -> str:
        """What most of it is kept in: a safetensors or ggml name."""
        ...

    def stretch(self, name: str) -> Stretch | None:
        """Where it lies; None for what are no numbers with a point."""
        ...


def open_tensors(path: Path, format: str, prefix: str) -> TensorFile:
    """The component below ``prefix`` in ``path``. Raises ``ModelDamaged``."""
    return GgufTensors(path, prefix) if format == "gguf" else SafeTensors(path, prefix)


class SafeTensors:
    def __init__(self, path: Path, prefix: str) -> None:
        header = read_header(path)
        self._path, self._data_start = path, header.data_start
        self._tensors = {
            name.removeprefix(prefix): tensor for name, tensor in header.tensors.items() if name.startswith(prefix)
        }
        self._scales = {
            name.removesuffix(ending): name for name in self._tensors for ending in SCALES if name.endswith(ending)
        }
        self.shapes = {name: tensor.shape for name, tensor in self._tensors.items() if not name.endswith(_NOT_WEIGHTS)}
        self.dtype = header.dtype(prefix)

    def stretch(self, name: str) -> Stretch | None:
        tensor = self._tensors[name]
        dtype = (DTYPES | FLOAT8).get(tensor.dtype)
        if dtype is None:
            return None
        scale = self._scales.get(name.removesuffix(".weight")) if name.endswith(".weight") else None
        factor = self.stretch(scale) if scale is not None else None
        return Stretch(self._path, self._data_start + tensor.begin, dtype, tensor.shape, factor=factor)


class GgufTensors:
    def __init__(self, path: Path, prefix: str) -> None:
        self._path, self._prefix = path, prefix
        self._header = read_gguf(path)
        self.shapes = {
            name.removeprefix(prefix): self._original_shape(name)
            for name in self._header.tensors
            if name.startswith(prefix)
        }

    @property
    def dtype(self) -> str:
        return self._header.type()

    def stretch(self, name: str) -> Stretch:
        tensor, shape = self._header.tensors[self._prefix + name], self.shapes[name]
        is_plain = tensor.type in DTYPES
        dtype, offset = DTYPES.get(tensor.type, torch.uint8), self._header.data_start + tensor.offset
        return Stretch(self._path, offset, dtype, shape, type="" if is_plain else tensor.type)

    def _original_shape(self, name: str) -> tuple[int, ...]:
        """Converters that flatten a tensor note its shape in the metadata."""
        shape = self._header.tensors[name].shape
        noted = self._header.metadata.get(f"comfy.gguf.orig_shape.{name}")
        sound = isinstance(noted, list) and all(type(n) is int for n in noted) and math.prod(noted) == math.prod(shape)
        return tuple(noted) if sound else shape
