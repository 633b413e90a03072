"""The header of a safetensors file, read strictly before anything of it is mapped.

The format (https://github.com/huggingface/safetensors#format): eight bytes little-endian length N, N bytes of JSON
``{"name": {"dtype", "shape", "data_offsets": [begin, end]}, "__metadata__": {str: str}}``, then the data, which the
tensors fill without gaps or overlaps. Whatever breaks a rule is refused with a sentence that names it.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from engine.files import open_regular
from engine.protocol.errors import ModelDamaged, from_os_error

MAX_HEADER_BYTES = 25_000_000  # the largest published headers are a few MB
MAX_DIMENSIONS = 16
COMPONENT_NAMES = ("diffusion_pytorch_model", "pytorch_model", "model.", "model-")
"""How diffusers and transformers name the weights of each component, whatever it is."""
DTYPE_BITS = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 16),
    **dict.fromkeys(("U32", "I32", "F32"), 32),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 64),
    **dict.fromkeys(("F4",), 4),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
}


class Tensor(msgspec.Struct, frozen=True):
    """``begin`` and ``end`` are byte offsets within the data, which starts at ``Header.data_start`` of the file."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def bytes(self) -> int:
        return self.end - self.begin


class Header(msgspec.Struct, frozen=True):
    tensors: dict[str, Tensor]
    metadata: dict[str, str]
    data_start: int

    def dtype(self, prefix: str = "") -> str:
        """The dtype that holds most bytes among the tensors below ``prefix``; "" where there are none."""
        totals: dict[str, int] = {}
        for name, tensor in self.tensors.items():
            if name.startswith(prefix):
                totals[tensor.dtype] = totals.get(tensor.dtype, 0) + tensor.bytes
        return max(totals, key=lambda dtype: totals[dtype]) if totals else ""


def read_header(path: Path) -> Header:
    """Read and check the header of ``path``. Raises ``ModelDamaged`` with what is wrong; reads no tensor."""
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            prefix = file.read(8)
            if len(prefix) < 8:
                _refuse(path, f"it is {size} bytes long, shorter than any safetensors file")
            length = int.from_bytes(prefix, "little")
            if length > MAX_HEADER_BYTES:
                _refuse(path, f"its header claims {length:,} bytes; no more than {MAX_HEADER_BYTES:,} make sense")
            if length < 2 or 8 + length > size:
                _refuse(path, f"its header claims {length:,} bytes, but the file has {size:,}")
            raw = file.read(length)
    except OSError as error:
        raise from_os_error(error, "reading the model file", path) from error
    if len(raw) < length:
        _refuse(path, "it ends within its header")
    header = _checked(path, _parse(path, raw), 8 + length, size)
    try:
        msgspec.json.decode(raw)  # which is as strict as the library that reads the tensors
    except (msgspec.DecodeError, UnicodeDecodeError):
        _refuse(path, "its header cannot be read")
    return header


def _refuse(path: Path, reason: str) -> NoReturn:
    raise ModelDamaged(f"{_telling_name(path)} is no sound safetensors file: {reason}.", "Get the file again.")


def _telling_name(path: Path) -> str:
    """With its folder where the name is that of every component: ``vae/diffusion_pytorch_model.safetensors``."""
    is_a_component = path.name.startswith(COMPONENT_NAMES)
    return f"{path.parent.name}/{path.name}" if is_a_component and path.parent.name else path.name


def _parse(path: Path, raw: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for i, name in enumerate(names) if name in names[:i])
            _refuse(path, f"its header names “{twice[:80]}” twice")
        return found

    if not raw.startswith(b"{"):
        _refuse(path, "its header is no JSON object")
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=unique)
    except (ValueError, RecursionError):
        _refuse(path, "its header cannot be read")
    if not isinstance(value, dict):
        _refuse(path, "its header is no JSON object")
    return value


def _checked(path: Path, value: dict[str, Any], data_start: int, size: int) -> Header:
    metadata = value.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        _refuse(path, "its metadata is not text")
    tensors = {name: _tensor(path, name, entry) for name, entry in value.items()}
    expected = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)):
        if tensor.begin != expected:
            what = "overlaps the one before it" if tensor.begin < expected else "leaves a gap before it"
            _refuse(path, f"the data of “{name[:80]}” {what}")
        expected = tensor.end
    there = size - data_start
    if expected > there:
        _refuse(path, f"its tensors need {expected:,} bytes of data, but it holds {there:,}; it was cut short")
    if expected < there:
        _refuse(path, f"{there - expected:,} bytes follow its last tensor")
    return Header(tensors, metadata, data_start)


def _tensor(path: Path, name: str, entry: Any) -> Tensor:
    shown = name[:80]
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        _refuse(path, f"“{shown}” is not described as a tensor")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPE_BITS:
        _refuse(path, f"“{shown}” has the unknown type {str(dtype)[:40]}")
    if not _whole_numbers(shape) or len(shape) > MAX_DIMENSIONS:
        _refuse(path, f"“{shown}” has an impossible shape")
    if not _whole_numbers(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        _refuse(path, f"“{shown}” has impossible offsets")
    begin, end = offsets
    bits = math.prod(shape) * DTYPE_BITS[dtype]
    if bits != (end - begin) * 8:
        _refuse(path, f"“{shown}” is {dtype} of shape {shape}, which does not take {end - begin:,} bytes")
    return Tensor(dtype, tuple(shape), begin, end)


def _whole_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 2**63 for n in value)
