"""LoRA files are found by name and content."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.models.adapters import adapter_from, locate
from engine.protocol.errors import BadFile, ModelMissing, NotWritable, UnsafeModel


@pytest.fixture
def store(tmp_path: Path) -> Path:
    (tmp_path / "loras" / "styles").mkdir(parents=True)
    return tmp_path / "loras"


def test_a_file_is_found_in_the_store_and_below_it(store: Path) -> None:
    path = store / "styles" / "ink.safetensors"
    path.write_bytes(b"ink")
    adapter = adapter_from(path, 0.5)
    assert (adapter.name, adapter.strength) == ("ink.safetensors", 0.5)
    assert locate([adapter], store) == (path,)


def test_of_two_files_of_a_name_the_right_one_is_taken(store: Path, tmp_path: Path) -> None:
    for folder, content in ((store, b"one"), (store / "styles", b"two"), (tmp_path, b"three")):
        (folder / "ink.safetensors").write_bytes(content)
    assert locate([adapter_from(store / "styles" / "ink.safetensors")], store) == (
        store / "styles" / "ink.safetensors",
    )
    named = tmp_path / "ink.safetensors"
    assert locate([adapter_from(named)], store, [named]) == (named,)


def test_another_content_is_no_match(store: Path) -> None:
    path = store / "ink.safetensors"
    path.write_bytes(b"ink")
    adapter = adapter_from(path)
    path.write_bytes(b"water")
    with pytest.raises(BadFile, match="content differs"):
        locate([adapter], store)


def test_a_missing_one_says_where_to_put_it(store: Path) -> None:
    path = store / "ink.safetensors"
    path.write_bytes(b"ink")
    adapter = adapter_from(path)
    path.unlink()
    with pytest.raises(ModelMissing) as caught:
        locate([adapter], store)
    assert str(store) in caught.value.remedy


def test_no_path_gets_out_of_the_store(store: Path, tmp_path: Path) -> None:
    outside = tmp_path / "secret.safetensors"
    outside.write_bytes(b"x")
    adapter = adapter_from(outside)
    with pytest.raises(ModelMissing):
        locate([type(adapter)("../secret.safetensors", adapter.sha256)], store)


def test_pickles_and_missing_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.ckpt").write_bytes(b"x")
    with pytest.raises(UnsafeModel):
        adapter_from(tmp_path / "a.ckpt")
    with pytest.raises(NotWritable):
        adapter_from(tmp_path / "none.safetensors")
