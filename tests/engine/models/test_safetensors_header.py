"""Sound headers are read; everything else is refused with what is wrong, before anything is mapped."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.models.gguf_header import read_gguf
from engine.models.safetensors_header import MAX_HEADER_BYTES, read_header
from engine.protocol.errors import ModelDamaged
from tests.fakes.gguf_file import gguf


def write(path: Path, header: Any, data: bytes = b"", length: int | None = None) -> Path:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(raw) if length is None else length).to_bytes(8, "little") + raw + data)
    return path


def tensor(begin: int, end: int, dtype: str = "F32", shape: list[int] | None = None) -> dict[str, Any]:
    return {"dtype": dtype, "shape": [(end - begin) // 4] if shape is None else shape, "data_offsets": [begin, end]}


GOOD = {"__metadata__": {"format": "pt"}, "b": tensor(8, 16), "a": tensor(0, 8)}


def test_a_sound_header(tmp_path: Path) -> None:
    header = read_header(write(tmp_path / "x.safetensors", GOOD, bytes(16)))
    assert header.tensors["b"].shape == (2,)
    assert header.dtype() == "F32"
    assert header.metadata == {"format": "pt"}


def test_what_safetensors_itself_writes(tmp_path: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    save_file({"w": np.ones((3, 4), np.float16), "e": np.zeros((0,), np.float32)}, tmp_path / "x.safetensors")
    assert read_header(tmp_path / "x.safetensors").tensors["w"].bytes == 24


@pytest.mark.parametrize(
    ("header", "data", "words"),
    [
        ({"a": tensor(0, 8), "b": tensor(4, 12)}, 12, "overlaps"),
        ({"a": tensor(0, 8), "b": tensor(12, 16)}, 16, "gap"),
        ({"a": tensor(0, 8)}, 4, "cut short"),
        ({"a": tensor(0, 8)}, 12, "follow its last tensor"),
        ({"a": tensor(0, 2**62, shape=[2**60])}, 8, "cut short"),
        ({"a": tensor(8, 0, shape=[2])}, 8, "impossible offsets"),
        ({"a": tensor(0, 8, shape=[3])}, 8, "does not take"),
        ({"a": tensor(0, 8, dtype="F31")}, 8, "unknown type"),
        ({"a": tensor(0, 8, dtype="F64", shape=[2])}, 8, "does not take"),
        ({"a": tensor(0, 8, shape=[-2])}, 8, "impossible shape"),
        ({"a": tensor(0, 8, shape=[True, 2])}, 8, "impossible shape"),
        ({"a": tensor(0, 8, shape=[2.0])}, 8, "impossible shape"),
        ({"a": tensor(0, 8, shape=[2**62, 2**62, 2**62])}, 8, "does not take"),
        ({"a": {"dtype": "F32"}}, 8, "not described as a tensor"),
        ({"a": {**tensor(0, 8), "extra": 1}}, 8, "not described as a tensor"),
        ({"a": "text"}, 8, "not described as a tensor"),
        ({"__metadata__": {"a": 1}}, 0, "metadata is not text"),
        (b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32"}}', 8, "twice"),
        (b'{"a":{"dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8]}}', 8, "twice"),
        (b"[]", 0, "no JSON object"),
        (b" {}", 0, "no JSON object"),
        (b"{", 0, "header"),
        (b'{"a": ' + b"[" * 100_000, 0, "cannot be read"),
        (b'{"\xff": 1}', 0, "cannot be read"),
        (b'{"a": NaN}', 0, "not described"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, header: Any, data: int, words: str) -> None:
    path = write(tmp_path / "bad.safetensors", header, bytes(data))
    with pytest.raises(ModelDamaged, match=words) as refused:
        read_header(path)
    assert "bad.safetensors" in refused.value.message
    assert refused.value.remedy


@pytest.mark.parametrize("length", [0, 1, 10_000, MAX_HEADER_BYTES + 1, 2**63, 2**64 - 1])
def test_absurd_header_lengths(tmp_path: Path, length: int) -> None:
    path = write(tmp_path / "bad.safetensors", GOOD, bytes(16), length)
    with pytest.raises(ModelDamaged, match="claims"):
        read_header(path)


def test_short_files(tmp_path: Path) -> None:
    for size in range(8):
        (tmp_path / "x.safetensors").write_bytes(bytes(size))
        with pytest.raises(ModelDamaged, match="shorter"):
            read_header(tmp_path / "x.safetensors")


def test_sixteen_gigabytes_are_read_in_a_moment(tmp_path: Path) -> None:
    big = 16_000_000_000
    path = write(tmp_path / "x.safetensors", {f"t{i}": tensor(i * 8, i * 8 + 8) for i in range(2000)})
    offset = 2000 * 8
    header = {f"t{i}": tensor(i * 8, i * 8 + 8) for i in range(2000)}
    header["big"] = tensor(offset, offset + big)
    write(path, header)
    start = len(json.dumps(header)) + 8
    with path.open("r+b") as file:
        file.truncate(start + offset + big)
    before = time.process_time()
    assert read_header(path).tensors["big"].bytes == big
    assert time.process_time() - before < 1


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=200), at=st.integers(0, 150), cut=st.integers(0, 250))
def test_damage_is_never_anything_but_a_sentence(tmp_path: Path, noise: bytes, at: int, cut: int) -> None:
    raw = write(tmp_path / "x.safetensors", GOOD, bytes(16)).read_bytes()
    (tmp_path / "x.safetensors").write_bytes((raw[:at] + noise + raw[at + len(noise) :])[:cut])
    try:
        read_header(tmp_path / "x.safetensors")
    except ModelDamaged as error:
        assert error.remedy


def test_a_gguf_header(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(gguf([("w", [64, 2], 8, 0), ("b", [4], 0, 160)], 176))
    header = read_gguf(tmp_path / "x.gguf")
    assert header.tensors["w"].shape == (2, 64)
    assert header.tensors["w"].bytes == 4 * 34
    assert header.type() == "Q8_0"
    assert header.metadata["general.architecture"] == "sd3"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (gguf([("w", [64], 8, 0)], 10), "cut short"),
        (gguf([("w", [64], 8, 0), ("v", [64], 8, 32)], 500), "overlaps"),
        (gguf([("w", [33], 8, 0)], 500), "whole blocks"),
        (gguf([("w", [64], 999, 0)], 500), "unknown type"),
        (gguf([("w", [64], 8, 0), ("w", [64], 8, 96)], 500), "twice"),
        (b"GGUF" + struct.pack("<IQQ", 9, 0, 0), "version"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 0), "claims"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**62), "text of"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 5), "ends within"),
    ],
)
def test_what_is_wrong_with_a_gguf_is_said(tmp_path: Path, raw: bytes, words: str) -> None:
    (tmp_path / "x.gguf").write_bytes(raw)
    with pytest.raises(ModelDamaged, match=words):
        read_gguf(tmp_path / "x.gguf")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=100), at=st.integers(4, 200), cut=st.integers(4, 300))
def test_damage_to_a_gguf_is_never_anything_but_a_sentence(tmp_path: Path, noise: bytes, at: int, cut: int) -> None:
    raw = gguf([("w", [64, 2], 8, 0), ("b", [4], 0, 160)], 176)
    (tmp_path / "x.gguf").write_bytes((raw[:at] + noise + raw[at + len(noise) :])[:cut])
    try:
        read_gguf(tmp_path / "x.gguf")
    except ModelDamaged as error:
        assert error.remedy


@pytest.mark.parametrize("odd", ['"\\ud800"', '"\\ud83d\\u0041"', '"a\tb"'])
def test_what_the_tensors_reader_would_refuse_is_refused_here(tmp_path: Path, odd: str) -> None:
    """Python's own JSON takes these; the library that the engine reads tensors with ends in an error of its own."""
    raw = f'{{"__metadata__": {{"a": {odd}}}}}'.encode()
    (tmp_path / "x.safetensors").write_bytes(struct.pack("<Q", len(raw)) + raw)
    with pytest.raises(ModelDamaged, match="cannot be read"):
        read_header(tmp_path / "x.safetensors")
