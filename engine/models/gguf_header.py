"""The header of a GGUF file: its metadata and its tensors' names, shapes and types; no data is read.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian.
"""

from __future__ import annotations

import math
import os
import struct
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import msgspec

from engine.files import open_regular
from engine.protocol.errors import ModelDamaged, from_os_error

MAGIC = b"GGUF"
MAX_ENTRIES = 100_000
MAX_STRING = 16_000_000
MAX_HEADER_BYTES = 64_000_000
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
# ggml type: name, elements in a block, bytes of a block
TYPES: dict[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    20: ("IQ4_NL", 32, 18),
    23: ("IQ4_XS", 256, 136),
    30: ("BF16", 1, 2),
}
_UNREAD: dict[int, tuple[str, int, int]] = {
    9: ("Q8_1", 32, 40),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36),
    41: ("Q1_0", 128, 18),
}
"""Types whose sizes are known, so that a file can be told for what it is, and that nothing here widens."""
UNREAD = frozenset(name for name, _, _ in _UNREAD.values())


class GgufTensor(msgspec.Struct, frozen=True):
    """``shape`` in the order of PyTorch (the file has it reversed); ``offset`` from the start of the data."""

    type: str
    shape: tuple[int, ...]
    offset: int
    bytes: int


class GgufHeader(msgspec.Struct, frozen=True):
    """``data_start`` is where the tensors' data begins in the file."""

    metadata: dict[str, Any]
    tensors: dict[str, GgufTensor]
    data_start: int

    def type(self, prefix: str = "") -> str:
        """The type that holds most bytes of what is below ``prefix``."""
        totals: dict[str, int] = {}
        for name, tensor in self.tensors.items():
            if not name.startswith(prefix):
                continue
            totals[tensor.type] = totals.get(tensor.type, 0) + tensor.bytes
        return max(totals, key=lambda type: totals[type]) if totals else ""


def read_gguf(path: Path) -> GgufHeader:
    """Read and check the header of ``path``. Raises ``ModelDamaged`` with what is wrong."""
    try:
        with open_regular(path) as file:
            return _Reader(path, file).header()
    except OSError as error:
        raise from_os_error(error, "reading the model file", path) from error


class _Reader:
    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self._read = 0

    def header(self) -> GgufHeader:
        if self._take(4) != MAGIC:
            self._refuse("it does not begin as one")
        version = self._number("<I")
        if version not in (2, 3):
            self._refuse(f"its version is {version}; versions 2 and 3 are known")
        tensor_count, entry_count = self._number("<Q"), self._number("<Q")
        if tensor_count > MAX_ENTRIES or entry_count > MAX_ENTRIES:
            self._refuse(f"it claims {tensor_count:,} tensors and {entry_count:,} entries")
        metadata: dict[str, Any] = {}
        for _ in range(entry_count):
            key = self._string()
            metadata[key] = self._value(self._number("<I"))
        tensors: dict[str, GgufTensor] = {}
        for _ in range(tensor_count):
            name = self._string()
            if name in tensors:
                self._refuse(f"it names “{name[:80]}” twice")
            tensors[name] = self._tensor(name)
        return GgufHeader(metadata, tensors, self._check_extent(metadata, tensors))

    def _tensor(self, name: str) -> GgufTensor:
        dimensions = self._number("<I")
        if dimensions > 8:
            self._refuse(f"“{name[:80]}” has {dimensions} dimensions")
        shape = tuple(self._number("<Q") for _ in range(dimensions))
        type_id, offset = self._number("<I"), self._number("<Q")
        known = TYPES.get(type_id) or _UNREAD.get(type_id)
        if known is None:
            self._refuse(f"“{name[:80]}” has the unknown type {type_id}")
        type_name, block, block_bytes = known
        elements = math.prod(shape)
        if elements % block:
            self._refuse(f"“{name[:80]}” does not fill whole blocks of {type_name}")
        return GgufTensor(type_name, shape[::-1], offset, elements // block * block_bytes)

    def _check_extent(self, metadata: dict[str, Any], tensors: dict[str, GgufTensor]) -> int:
        """Where the data starts."""
        alignment = metadata.get("general.alignment", 32)
        if type(alignment) is not int or not 1 <= alignment <= 2**20:
            self._refuse("its alignment makes no sense")
        start = -(-self._read // alignment) * alignment
        there = self._size - start
        end = 0
        for name, tensor in sorted(tensors.items(), key=lambda item: item[1].offset):
            if tensor.offset < end:
                self._refuse(f"the data of “{name[:80]}” overlaps the one before it")
            end = tensor.offset + tensor.bytes
        if end > max(there, 0):
            self._refuse(f"its tensors need {end:,} bytes of data, but it holds {max(there, 0):,}; it was cut short")
        return start

    def _value(self, kind: int, depth: int = 0) -> Any:
        if kind in _SCALARS:
            return self._number(_SCALARS[kind])
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY and depth < 2:
            item, count = self._number("<I"), self._number("<Q")
            if count > 1_000_000:
                self._refuse(f"it has a list of {count:,} entries")
            return [self._value(item, depth + 1) for _ in range(count)]
        return self._refuse(f"it has a value of the unknown kind {kind}")

    def _string(self) -> str:
        length = self._number("<Q")
        if length > MAX_STRING:
            self._refuse(f"it has a text of {length:,} bytes")
        try:
            return self._take(length).decode("utf-8")
        except UnicodeDecodeError:
            self._refuse("it has a text that is not UTF-8")

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _take(self, count: int) -> bytes:
        self._read += count
        if self._read > MAX_HEADER_BYTES:
            self._refuse("its header does not end")
        data = self._file.read(count)
        if len(data) < count:
            self._refuse("it ends within its header")
        return data

    def _refuse(self, reason: str) -> NoReturn:
        raise ModelDamaged(f"{self._path.name} is no sound GGUF file: {reason}.", "Get the file again.")
