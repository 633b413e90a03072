from __future__ import annotations

from pathlib import Path

import pytest

from engine.library.item import Item
from tests.fakes.clips import write_clip


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Item:
    """40 frames at 8 a second, each with its own number."""
    return write_clip(tmp_path_factory.mktemp("clips") / "numbered.mp4")


@pytest.fixture(scope="session")
def broken_clip(clip: Item, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its index is whole; the second half of the pictures is noise."""
    data = bytearray(clip.path.read_bytes())
    start = len(data) * 3 // 5
    data[start:] = bytes((n * 73) % 251 for n in range(len(data) - start))
    path = tmp_path_factory.mktemp("broken") / "broken.mp4"
    path.write_bytes(data)
    return path
