"""The tensors of one component in a file: safetensors (fp8 with scales too) or GGUF, read one by one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from engine.models.gguf_header import TYPES, read_gguf
from engine.models.safetensors_header import read_header
from engine.protocol.errors import ModelDamaged

SCALES = (".scale_weight", ".weight_scale")
"""ComfyUI's fp8 files keep a factor beside each weight under one of these names."""

_NOT_WEIGHTS = ("scaled_fp8", ".scale_input", ".input_scale", ".comfy_quant", *SCALES)
_PLAIN = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


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
        _, size, bytes_ = next(entry for entry in TYPES.values() if entry[0] == self.type)
        if kind not in dequantize_functions:
            raise ModelDamaged(f"GGUF weights of the type {self.type} cannot be read.", "Get Q8_0 or Q4_K instead.")
        wide = dequantize_functions[kind](self.data.reshape(-1, bytes_), size, bytes_, dtype=torch.float32)
        return wide.reshape(self.data.shape[0], -1).to(dtype)


class TensorFile(Protocol):
    """``shapes`` by name, without the component's prefix, in PyTorch's order."""

    shapes: dict[str, tuple[int, ...]]

    @property
    def dtype(self) -> str:
        """What most of it is kept in: a safetensors or ggml name."""
        ...

    def read(self, name: str) -> Tensor | Blocks: ...


def open_tensors(path: Path, format: str, prefix: str) -> TensorFile:
    """The component below ``prefix`` in ``path``. Raises ``ModelDamaged``."""
    return GgufTensors(path, prefix) if format == "gguf" else SafeTensors(path, prefix)


class SafeTensors:
    def __init__(self, path: Path, prefix: str) -> None:
        header = read_header(path)
        self._path, self._prefix = path, prefix
        below = {
            name.removeprefix(prefix): tensor for name, tensor in header.tensors.items() if name.startswith(prefix)
        }
        self._scales = {name.removesuffix(ending): name for name in below for ending in SCALES if name.endswith(ending)}
        self.shapes = {name: tensor.shape for name, tensor in below.items() if not name.endswith(_NOT_WEIGHTS)}
        self._stored = header.dtype(prefix)
        self._open: Any = None

    @property
    def dtype(self) -> str:
        """fp8 with scales counts as bfloat16: the products need that much."""
        return "BF16" if self._scales and self._stored.startswith("F8") else self._stored

    def read(self, name: str) -> Tensor:
        tensor = self._get(name)
        scale = self._scales.get(name.removesuffix(".weight")) if name.endswith(".weight") else None
        return tensor.float() * self._get(scale).float() if scale is not None else tensor

    def _get(self, name: str) -> Tensor:
        if self._open is None:
            from safetensors import safe_open

            self._open = safe_open(str(self._path), framework="pt")
        found: Tensor = self._open.get_tensor(self._prefix + name)
        return found


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

    def read(self, name: str) -> Tensor | Blocks:
        tensor, shape = self._header.tensors[self._prefix + name], self.shapes[name]
        raw = torch.empty(tensor.bytes, dtype=torch.uint8)
        with self._path.open("rb") as file:
            file.seek(self._header.data_start + tensor.offset)
            if file.readinto(memoryview(raw.numpy())) != tensor.bytes:
                raise ModelDamaged(f"{self._path.name} was cut short.", "Get the file again.")
        if tensor.type in _PLAIN:
            return raw.view(_PLAIN[tensor.type]).reshape(shape)
        blocks = Blocks(raw.reshape(math.prod(tensor.shape[:-1]), -1), tensor.type)
        return blocks if len(shape) == 2 else blocks.widened(torch.float32).reshape(shape)

    def _original_shape(self, name: str) -> tuple[int, ...]:
        """Converters that flatten a tensor note its shape in the metadata."""
        shape = self._header.tensors[name].shape
        noted = self._header.metadata.get(f"comfy.gguf.orig_shape.{name}")
        sound = isinstance(noted, list) and all(type(n) is int for n in noted) and math.prod(noted) == math.prod(shape)
        return tuple(noted) if sound else shape
