"""The files of a job on the engine's side: where they lie, else fetched, verified, and kept up to a bound."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from engine.protocol.assets import Asset
from engine.protocol.commands import AssetChunk, Derive, Generate
from engine.protocol.derivation import Derivation, Source
from engine.protocol.errors import BadFile, ProtocolError
from engine.protocol.events import AssetWanted
from engine.worker.assets import Assets
from engine.worker.home import Home
from tests.fakes.recipes import picture_recipe

CHUNK = 100


class Window:
    """Answers at once from ``files`` in small chunks, and counts."""

    def __init__(self, folder: Path, kept_bytes: int = 10_000) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[AssetWanted] = []
        self.assets = Assets(folder, self.answer, lambda: None, kept_bytes)

    def answer(self, wanted: AssetWanted) -> None:
        self.asked.append(wanted)
        content = self.files[wanted.sha256]
        blob = content[wanted.offset : wanted.offset + CHUNK]
        self.assets.arrived(AssetChunk(wanted.sha256, wanted.offset, len(content)), blob)

    def offer(self, content: bytes, name: str = "a.safetensors", path: str = "") -> Asset:
        digest = hashlib.sha256(content).hexdigest()
        self.files[digest] = content
        return Asset(name, digest, path)

    def settled(self, *files: Asset) -> list[Path]:
        job = Generate("j", picture_recipe(), "", "", "", adapter_files=files)
        found = self.assets.settled(job)
        assert isinstance(found, Generate)
        return [Path(one.path) for one in found.adapter_files]


@pytest.fixture
def window(tmp_path: Path) -> Window:
    return Window(tmp_path / "assets")


def test_a_file_that_can_be_read_is_not_copied(window: Window, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"x" * 300)
    assert window.settled(window.offer(b"x" * 300, path=str(path))) == [path]
    assert not window.asked and not (tmp_path / "assets").exists()
    path.write_bytes(b"y" * 300)
    os.utime(path, (1, 1))
    with pytest.raises(BadFile, match="no longer"):
        window.settled(window.offer(b"x" * 300, path=str(path)))


def test_what_was_fetched_is_kept_by_content(window: Window) -> None:
    first, empty = window.offer(b"x" * 250), window.offer(b"")
    paths = window.settled(first, empty)
    assert [path.read_bytes() for path in paths] == [b"x" * 250, b""]
    assert [wanted.offset for wanted in window.asked] == [0, 100, 200, 0]
    window.asked.clear()
    assert window.settled(Asset("called otherwise", first.sha256), empty) == paths
    assert not window.asked


def test_the_longest_unused_go_first_and_none_of_this_job(tmp_path: Path) -> None:
    window = Window(tmp_path / "assets", kept_bytes=1000)
    old, older = window.offer(b"1" * 400), window.offer(b"2" * 400)
    (old_path,), (older_path,) = window.settled(old), window.settled(older)
    os.utime(older_path, (1, 1))
    (new_path,) = window.settled(window.offer(b"3" * 400))
    assert old_path.exists() and new_path.exists() and not older_path.exists()
    together = window.settled(*(window.offer(bytes([n]) * 400) for n in range(4)))
    assert all(path.exists() for path in together)
    assert not old_path.exists()
    with pytest.raises(BadFile, match="larger"):
        window.settled(window.offer(b"4" * 1001))


@pytest.mark.parametrize("name", ["..", "", ".", "../../up", "/etc/passwd"])
def test_a_name_leads_nowhere_else(window: Window, tmp_path: Path, name: str) -> None:
    (path,) = window.settled(window.offer(b"x", name))
    assert path.resolve().is_relative_to(tmp_path / "assets") and path.read_bytes() == b"x"
    with pytest.raises(ProtocolError):
        window.settled(Asset("a", "../../up"))


def test_paths_that_are_not_whole_lie_in_the_home(tmp_path: Path) -> None:
    home, source = Home(tmp_path), Derivation("upscale", Source())
    whole, short = str(tmp_path.parent / "a.safetensors"), "checkpoints/a.safetensors"
    for given, found in ((whole, whole), (short, str(tmp_path / short)), ("", "")):
        assert home.settled(Derive("j", source, Asset("a"), "", "", checkpoint=given)).checkpoint == found
    with pytest.raises(ProtocolError):
        home.settled(Derive("j", source, Asset("a"), "", "", checkpoint="../a"))
