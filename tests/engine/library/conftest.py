from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.library.library import Library
from engine.media.environment import Environment
from engine.media.save import save_image, save_video
from tests.fakes.recipes import clip_recipe, picture_recipe

Make = Callable[..., Path]


@pytest.fixture(autouse=True)
def system_trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the system's trash is."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "Trash"


@pytest.fixture
def no_system_trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's trash cannot be made."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file" / "data"))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output"


@pytest.fixture
def library(tmp_path: Path, output: Path) -> Iterator[Library]:
    found = Library(tmp_path / "data" / "library.sqlite3", output)
    yield found
    found.close()


@pytest.fixture
def make(output: Path) -> Make:
    """``make(name, **recipe fields)`` writes a small PNG or MP4 into the library's folder, each a second later."""
    made = iter(range(1000))

    def write(name: str, **fields: object) -> Path:
        import os

        path = output / name
        number = next(made)
        array = np.full((9, 16, 32, 3), number, np.uint8)
        if path.suffix == ".mp4":
            save_video(array, path, 8, clip_recipe(**fields), Environment())
        else:
            save_image(array[0], path, picture_recipe(**fields), Environment())
        os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))
        return path

    return write
