"""The cache of prompt encodings: bounded, private, and never a reason to fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from engine.worker.encodings import EncodingCache


def encoding(value: float, size: int = 100) -> dict[str, torch.Tensor]:
    return {"embeds": torch.full((1, size), value), "pooled": torch.full((1, 4), value, dtype=torch.bfloat16)}


def test_what_was_put_comes_back_in_another_process(tmp_path: Path) -> None:
    EncodingCache(tmp_path / "new").put("a", encoding(1.5))
    found = EncodingCache(tmp_path / "new").get("a")
    assert found is not None and found["pooled"].dtype == torch.bfloat16
    assert torch.equal(found["embeds"], encoding(1.5)["embeds"])
    assert EncodingCache(tmp_path / "new").get("b") is None


def test_the_least_recently_used_files_go_first(tmp_path: Path) -> None:
    cache = EncodingCache(tmp_path, memory_limit=0, disk_limit=2500)
    for index, key in enumerate("abcd"):
        cache.put(key, encoding(index))
        os.utime(tmp_path / f"{key}.safetensors", (index, index))
        if key == "b":
            EncodingCache(tmp_path).get("a")  # now a is newer than b
    left = {path.stem for path in tmp_path.iterdir()}
    assert "d" in left and "a" in left and "b" not in left
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2500


def test_memory_is_bounded(tmp_path: Path) -> None:
    cache = EncodingCache(None, memory_limit=1000)
    for key in "abcdef":
        cache.put(key, encoding(1.0))
    assert cache.get("f") is not None and cache.get("a") is None


@pytest.mark.parametrize("content", [b"", b"not safetensors", b"\xff" * 1000])
def test_a_damaged_file_is_forgotten(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.safetensors").write_bytes(content)
    assert EncodingCache(tmp_path).get("a") is None
    assert not (tmp_path / "a.safetensors").exists()


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = EncodingCache(tmp_path / "file" / "below")
    cache.put("a", encoding(2.0))
    assert cache.get("a") is not None
