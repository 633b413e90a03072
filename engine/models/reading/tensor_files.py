"""Where a component's tensors lie in a file: safetensors (fp8 with scales, ggml blocks) or GGUF. No data is read.

ggml blocks within safetensors are ComfyUI-CogVideoX-MZ's: ``<layer>.Q4_0_qweight`` uint8 [rows, bytes of a row] is
``<layer>.weight``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.models.gguf_header import TYPES, UNREAD, read_gguf
from engine.models.safetensors_header import Tensor, read_header

SCALES = (".scale_weight", ".weight_scale")
"""ComfyUI's fp8 files keep a factor beside each weight under one of these names."""

NUMBERS = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")
"""Safetensors names of numbers with a point."""

PLAIN = ("F64", "F32", "F16", "BF16")
_NOT_WEIGHTS = ("scaled_fp8", ".scale_input", ".input_scale", ".comfy_quant", *SCALES)
_BLOCKS = re.compile(r"\.(Q\d_\d|Q\d_K|IQ4_\w\w)_qweight$")


@dataclass(frozen=True)
class Place:
    """``shape`` numbers of ``dtype`` (a safetensors name, or a ggml one with ``is_blocks``) from byte ``offset`` of the
    file on, times those at ``scale`` if there is one."""

    offset: int
    dtype: str
    shape: tuple[int, ...]
    is_blocks: bool = False
    scale: Place | None = None


class TensorFile(Protocol):
    """``shapes`` by name, without the component's prefix, in PyTorch's order; ``bytes`` of all of them."""

    shapes: dict[str, tuple[int, ...]]
    bytes: int

    @property
    def dtype(self) -> str:
        """What most of it is kept in: a safetensors or ggml name."""
        ...

    def place(self, name: str) -> Place | None:
        """Where it lies; None for what are no numbers with a point."""
        ...


def open_tensors(path: Path, format: str, prefix: str = "") -> TensorFile:
    """The component below ``prefix`` in ``path``. Raises ``ModelDamaged``."""
    return GgufTensors(path, prefix) if format == "gguf" else SafeTensors(path, prefix)


def block_size(type: str) -> tuple[int, int]:
    """Numbers in a block of a ggml type, and its bytes."""
    return next((numbers, size) for name, numbers, size in TYPES.values() if name == type)


class SafeTensors:
    def __init__(self, path: Path, prefix: str = "") -> None:
        header = read_header(path)
        self._data_start = header.data_start
        self._tensors: dict[str, Tensor] = {}
        self._blocks: dict[str, str] = {}
        for name, tensor in header.tensors.items():
            if name.startswith(prefix):
                own = name.removeprefix(prefix)
                match = _BLOCKS.search(own)
                if match and len(tensor.shape) == 2 and _fills(tensor.shape[1], match[1]):
                    own = f"{own[: match.start()]}.weight"
                    self._blocks[own] = match[1]
                self._tensors[own] = tensor
        self._scales = {
            name.removesuffix(ending): name for name in self._tensors for ending in SCALES if name.endswith(ending)
        }
        self.shapes = {name: self._shape(name) for name in self._tensors if not name.endswith(_NOT_WEIGHTS)}
        self.bytes = sum(tensor.bytes for tensor in self._tensors.values())

    @property
    def dtype(self) -> str:
        totals: dict[str, int] = {}
        for name, tensor in self._tensors.items():
            kind = self._blocks.get(name, tensor.dtype)
            totals[kind] = totals.get(kind, 0) + tensor.bytes
        return max(totals, key=lambda kind: totals[kind]) if totals else ""

    def place(self, name: str) -> Place | None:
        tensor = self._tensors[name]
        kind = self._blocks.get(name)
        offset = self._data_start + tensor.begin
        if kind is not None:
            return Place(offset, kind, self.shapes[name], is_blocks=True)
        if tensor.dtype not in NUMBERS:
            return None
        scale = self._scales.get(name.removesuffix(".weight")) if name.endswith(".weight") else None
        return Place(offset, tensor.dtype, tensor.shape, scale=self.place(scale) if scale is not None else None)

    def _shape(self, name: str) -> tuple[int, ...]:
        shape = self._tensors[name].shape
        if name not in self._blocks:
            return shape
        numbers, size = block_size(self._blocks[name])
        return (shape[0], shape[1] // size * numbers)


class GgufTensors:
    def __init__(self, path: Path, prefix: str = "") -> None:
        self._prefix = prefix
        self._header = read_gguf(path)
        self._tensors = {name: one for name, one in self._header.tensors.items() if name.startswith(prefix)}
        self.unread = sorted({one.type for one in self._tensors.values()} & UNREAD)
        """Types of its tensors that nothing here widens."""
        self.shapes = {name.removeprefix(prefix): self._original_shape(name) for name in self._tensors}
        self.bytes = sum(tensor.bytes for tensor in self._tensors.values())

    @property
    def dtype(self) -> str:
        return self._header.type(self._prefix)

    def place(self, name: str) -> Place:
        tensor = self._tensors[self._prefix + name]
        offset = self._header.data_start + tensor.offset
        return Place(offset, tensor.type, self.shapes[name], is_blocks=tensor.type not in PLAIN)

    def _original_shape(self, name: str) -> tuple[int, ...]:
        """Converters that flatten a tensor note its shape in the metadata."""
        shape = self._tensors[name].shape
        noted = self._header.metadata.get(f"comfy.gguf.orig_shape.{name}")
        sound = isinstance(noted, list) and all(type(n) is int for n in noted) and math.prod(noted) == math.prod(shape)
        return tuple(noted) if sound and isinstance(noted, list) else shape


def _fills(bytes_: int, type: str) -> bool:
    return any(name == type and bytes_ % size == 0 for name, _, size in TYPES.values())
