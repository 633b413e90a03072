"""Where a component's weights lie in its files, and reading single ones without mapping the rest.

Reads go through the system's file cache into the caller's memory: a mapped file would count as this process' memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from engine.models.safetensors_header import read_header
from engine.protocol.errors import ModelDamaged
from engine.worker.component import GET_AGAIN, Part
from engine.worker.single_file.names import LAYOUTS, Piece

DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
_THIRDS = {"first": 0, "second": 1, "third": 2}


@dataclass(frozen=True)
class Stretch:
    """One weight: ``shape`` numbers of ``dtype`` from byte ``offset`` of ``file`` on. ``swapped``: its two halves of
    rows are the other way round in the file."""

    file: Path
    offset: int
    dtype: torch.dtype
    shape: tuple[int, ...]
    swapped: bool = False

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def find_stretches(part: Part) -> dict[str, Stretch] | None:
    """Every weight of ``part`` by its name in the network; None where it cannot be read piece by piece (quantised or
    scaled weights). Raises ``ModelDamaged``."""
    if part.format == "gguf":
        return None
    found: dict[str, Stretch] = {}
    for file in part.weights:
        header = read_header(file)
        below = {n.removeprefix(part.prefix): t for n, t in header.tensors.items() if n.startswith(part.prefix)}
        names = [(take.target, take.source, take.piece) for take in LAYOUTS[part.name](below)]
        if part.format == "diffusers":
            names = [(name, name, "all") for name in below]
        for target, source, piece in names:
            tensor = below[source]
            if tensor.dtype not in DTYPES:
                return None
            whole = Stretch(file, header.data_start + tensor.begin, DTYPES[tensor.dtype], tensor.shape)
            found[target] = _piece(whole, piece)
    return found


def _piece(whole: Stretch, piece: Piece) -> Stretch:
    if piece in _THIRDS:
        shape = (whole.shape[0] // 3, *whole.shape[1:])
        own = Stretch(whole.file, whole.offset, whole.dtype, shape)
        return Stretch(own.file, own.offset + _THIRDS[piece] * own.bytes, own.dtype, shape)
    if piece == "matrix":
        return Stretch(whole.file, whole.offset, whole.dtype, whole.shape[:2])
    return Stretch(whole.file, whole.offset, whole.dtype, whole.shape, piece == "swapped")


class Reader:
    """Reads stretches; keeps their files open until ``close``. For one thread at a time."""

    def __init__(self) -> None:
        self._files: dict[Path, BinaryIO] = {}

    def read_into(self, stretch: Stretch, target: Tensor) -> None:
        """``target`` is contiguous on the CPU, of the stretch's shape, and may have another dtype: then the numbers
        are converted. Raises ``ModelDamaged`` where the file has become shorter, or ``OSError``."""
        if target.dtype == stretch.dtype and not stretch.swapped:
            self._fill(stretch, target)
            return
        raw = torch.empty(stretch.shape, dtype=stretch.dtype)
        self._fill(stretch, raw)
        target.copy_(torch.cat(raw.chunk(2)[::-1]) if stretch.swapped else raw)

    def _fill(self, stretch: Stretch, target: Tensor) -> None:
        file = self._files.get(stretch.file)
        if file is None:
            file = self._files[stretch.file] = stretch.file.open("rb", buffering=0)
        file.seek(stretch.offset)
        left = memoryview(target.detach().reshape(-1).view(torch.uint8).numpy())
        while left:
            count = file.readinto(left)  # type: ignore[attr-defined]
            if not count:
                raise ModelDamaged(f"{stretch.file} has become shorter.", GET_AGAIN)
            left = left[count:]

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()


@contextmanager
def reading() -> Iterator[Reader]:
    reader = Reader()
    try:
        yield reader
    finally:
        reader.close()
