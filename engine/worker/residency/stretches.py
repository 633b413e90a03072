"""Where a component's weights lie in its files, and reading single ones without mapping the rest.

Reads go through the system's file cache into the caller's memory: a mapped file would count as this process' memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from engine.families.registry import FILE_KINDS
from engine.families.takes import as_they_are
from engine.files import open_regular
from engine.models.reading.component import GET_AGAIN, Component
from engine.models.reading.tensor_files import open_tensors
from engine.protocol.errors import ModelDamaged
from engine.worker.single_file.tensors import Blocks, Stretch, stretch_of


def find_stretches(part: Component) -> dict[str, Stretch]:
    """Every weight of ``part`` by its name in the network. Raises ``ModelDamaged``."""
    found: dict[str, Stretch] = {}
    for file in part.weights:
        tensors = open_tensors(file, "gguf" if part.format == "gguf" else "safetensors", part.prefix)
        naming = FILE_KINDS[part.kind].naming if part.kind else as_they_are
        for take in naming(tensors.shapes):
            place = tensors.place(take.source)
            if place is not None:
                found[take.target] = stretch_of(file, place).piece(take.piece)
    embedding = found.pop("encoder.embed_tokens.weight", None)  # T5's two names of one matrix
    if embedding is not None:
        found.setdefault("shared.weight", embedding)
    return found


class StretchReader:
    """Reads stretches; keeps their files open until ``close``. For one thread at a time."""

    def __init__(self) -> None:
        self._files: dict[Path, BinaryIO] = {}

    def read(self, stretch: Stretch, dtype: torch.dtype) -> Tensor:
        """Its numbers in ``dtype``. Raises ``ModelDamaged`` where the file has become shorter, or ``OSError``."""
        if stretch.type:
            raw = torch.empty(stretch.bytes, dtype=torch.uint8)
            self._fill(stretch, raw)
            wide = Blocks(raw[None], stretch.type).widened(dtype).reshape(stretch.shape)
        else:
            wide = torch.empty(stretch.shape, dtype=stretch.dtype)
            self._fill(stretch, wide)
            if stretch.factor is not None:
                factor = self.read(stretch.factor, torch.float32)
                return (_in_order(wide, stretch).float() * factor).to(dtype)
        return _in_order(wide, stretch).to(dtype)

    def read_into(self, stretch: Stretch, target: Tensor) -> None:
        """``target`` is contiguous on the CPU, of the stretch's shape, and may have another dtype: then the numbers
        are converted. Raises as ``read`` does."""
        is_plain = not (stretch.swapped or stretch.type or stretch.factor)
        if is_plain and target.dtype == stretch.dtype:
            self._fill(stretch, target)
        else:
            target.copy_(self.read(stretch, target.dtype))

    def read_start(self, stretch: Stretch, target: Tensor) -> None:
        """The first bytes of ``stretch`` as they lie, as many as ``target`` (uint8) has. Raises as ``read`` does."""
        self._fill(stretch, target)

    def _fill(self, stretch: Stretch, target: Tensor) -> None:
        file = self._files.get(stretch.file)
        if file is None:
            file = self._files[stretch.file] = open_regular(stretch.file, buffering=0)
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


def _in_order(tensor: Tensor, stretch: Stretch) -> Tensor:
    return torch.cat(tensor.chunk(2)[::-1]) if stretch.swapped else tensor


@contextmanager
def reading() -> Iterator[StretchReader]:
    reader = StretchReader()
    try:
        yield reader
    finally:
        reader.close()
