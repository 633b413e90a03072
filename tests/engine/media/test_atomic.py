"""Names go to one writer each, however many ask at once."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.library.naming import numbered
from engine.media import atomic


@pytest.fixture(params=["links", "no links"])
def disk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Also one like FAT, where files cannot be linked."""
    if request.param == "no links":

        def refuse(*_args: object, **_options: object) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
    return tmp_path


def test_no_writer_replaces_the_file_of_another(disk: Path) -> None:
    def write(number: int) -> Path:
        made = disk / f".made-{number}"
        made.write_text(str(number))
        return atomic.move_new(made, numbered(disk / "a.png"))

    with ThreadPoolExecutor(16) as pool:
        taken = list(pool.map(write, range(64)))
    assert len(set(taken)) == 64
    assert [int(path.read_text()) for path in taken] == list(range(64))
    assert len(list(disk.iterdir())) == 64


def test_a_name_that_is_taken_stays(disk: Path) -> None:
    (disk / "a").write_text("first")
    with pytest.raises(FileExistsError):
        atomic.write_bytes(disk / "a", b"second", new=True)
    assert [(path.name, path.read_text()) for path in disk.iterdir()] == [("a", "first")]


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("way", ["a file", "a file further up", "a broken link"])
def test_what_is_in_the_folders_way_is_no_taken_name(tmp_path: Path, way: str, new: bool) -> None:
    """Writers try the next name when one is taken: they would try for ever."""
    folder = tmp_path / "pictures"
    if way == "a broken link":
        folder.symlink_to(tmp_path / "gone" / "further")
    else:
        folder.write_text("")
    target = folder / "album" / "a.png" if way == "a file further up" else folder / "a.png"
    with pytest.raises(OSError) as caught:
        atomic.write_bytes(target, b"picture", new=new)
    assert not isinstance(caught.value, FileExistsError)
