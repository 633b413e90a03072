"""Disks that are full or may not be written, fsync and rename that fail: a sentence each time, and nothing is lost."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.library import deleted
from engine.library.filters import Filter
from engine.library.library import Library
from engine.library.marks import MarkChange
from engine.media import metadata
from engine.media.environment import Environment
from engine.media.save import save_image, save_video
from engine.protocol.errors import LaternaError, NoSpace, NotWritable
from tests.fakes.recipes import clip_recipe, picture_recipe

PIXELS = np.random.default_rng(1).integers(0, 255, (160, 160, 3), np.uint8)  # about 75 kB that do not compress
DISK_BYTES = 1_000_000


class SmallDisk:
    """A folder on a disk of its own, as far as this user may mount one; elsewhere the calls fail as on one.

    ``mounted`` says which. A root user in a container may not mount; nobody is asked for anything.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder.mkdir()
        self.folder = folder
        self._monkeypatch = monkeypatch
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "laterna-test", str(folder)]
        self.mounted = (
            bool(shutil.which("mount")) and subprocess.run(mount, capture_output=True, check=False).returncode == 0
        )

    @contextmanager
    def full(self) -> Iterator[None]:
        if not self.mounted:
            with self._failing(errno.ENOSPC):
                yield
            return
        filler = self.folder / "filler"
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        yield
        filler.unlink()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        if not self.mounted:
            with self._failing(errno.EROFS):
                yield
            return
        self._remount("ro")
        yield
        self._remount("rw")

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)

    def _remount(self, how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.folder)], check=True)

    @contextmanager
    def _failing(self, number: int) -> Iterator[None]:
        with self._monkeypatch.context() as patched:
            patched.setattr(os, "fsync", raising(number))
            yield


def raising(number: int) -> Callable[..., Any]:
    def fail(*_arguments: object, **_more: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallDisk]:
    found = SmallDisk(tmp_path / "disk", monkeypatch)
    yield found
    found.close()


@pytest.fixture
def library(tmp_path: Path, disk: SmallDisk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """The files on the small disk, the index elsewhere."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    found = Library(tmp_path / "data" / "library.sqlite3", disk.folder)
    yield found
    found.close()


def picture(folder: Path, name: str = "a.png", seed: int = 1) -> Path:
    save_image(PIXELS, folder / name, picture_recipe(prompt=name, seed=seed), Environment())
    return folder / name


def visible(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"filler"}


@pytest.mark.parametrize("state", ["full", "read_only"])
def test_a_result_that_cannot_be_saved(disk: SmallDisk, state: str) -> None:
    """It fails with a sentence; the file of that name and all others are as they were; nothing half is left."""
    path = picture(disk.folder)
    before = path.read_bytes()
    expected = NoSpace if state == "full" else NotWritable
    with getattr(disk, state)():
        for save in (
            lambda: save_image(PIXELS[::-1], path, picture_recipe(seed=2), Environment()),
            lambda: save_image(PIXELS, disk.folder / "new.png", picture_recipe(seed=2), Environment()),
            lambda: save_video(np.stack([PIXELS] * 9), disk.folder / "new.mp4", 8, clip_recipe(), Environment()),
        ):
            with pytest.raises(expected):
                save()
        assert visible(disk.folder) == {"a.png"}
        assert path.read_bytes() == before
    picture(disk.folder, "new.png")
    assert visible(disk.folder) == {"a.png", "new.png"}


@pytest.mark.parametrize("state", ["full", "read_only"])
def test_a_mark_that_cannot_be_kept(disk: SmallDisk, library: Library, tmp_path: Path, state: str) -> None:
    item = library.add(picture(disk.folder))
    library.mark([item.id], MarkChange(rating=2))
    expected = NoSpace if state == "full" else NotWritable
    with getattr(disk, state)():
        with pytest.raises(expected):
            for number in range(600):
                library.mark([item.id], MarkChange(rating=3, add_tags=("x" * 90 + str(number),)))
        kept = library.item(item.id)
        assert library.ids(), "everything can still be looked at"
    library.mark([item.id], MarkChange(favourite=True))
    other = Library(tmp_path / "anew.sqlite3", disk.folder)
    other.reconcile()
    (found,) = other.items(other.ids())
    assert (found.rating, found.tags, found.favourite) == (kept.rating, kept.tags, True)
    assert other.check().ok
    other.close()


def test_an_index_that_cannot_grow(disk: SmallDisk, library: Library) -> None:
    """What did not get its row gets it at the next start."""
    paths = [picture(disk.folder, f"{number}.png", number) for number in range(3)]
    library.add(paths[0])
    with library._database.writing() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection = library._database.connection()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(NoSpace):
        for _ in range(200):
            library.mark(library.ids(), MarkChange(add_tags=tuple(f"{n}" * 30 for n in range(60))))
            library.add(paths[1])
            library.trash([library.ids()[0]])
            picture(disk.folder, "1.png", 1)
    connection.execute("PRAGMA max_page_count = 1073741823")
    library.reconcile()
    assert library.check().database_problems == ()
    assert {item.path.name for item in library.items(library.ids())} >= {"1.png", "2.png"}


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_rename_and_fsync_that_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    path = picture(tmp_path)
    before = path.read_bytes()
    monkeypatch.setattr(os, call, raising(errno.EIO))
    with pytest.raises(NotWritable):
        save_image(PIXELS[::-1], path, picture_recipe(seed=2), Environment())
    assert path.read_bytes() == before
    assert visible(tmp_path) == {"a.png"}


def test_a_delete_that_fails_leaves_the_file(disk: SmallDisk, library: Library, monkeypatch) -> None:
    item = library.add(picture(disk.folder))
    with monkeypatch.context() as patched:
        for call in ("link", "replace", "rename"):  # a name that nobody has is taken by a link
            patched.setattr(os, call, raising(errno.EIO))
        with pytest.raises(LaternaError):
            library.trash([item.id])
    assert item.path.exists() and list(library.ids()) == [item.id]
    library.trash([item.id])
    with monkeypatch.context() as patched:
        for call in ("link", "replace", "rename"):
            patched.setattr(os, call, raising(errno.EIO))
        with pytest.raises(LaternaError):
            library.restore([item.id])
    library.restore([item.id])
    assert metadata.read(item.path).recipe == item.recipe


def raising_interrupt(*_arguments: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("moment", ["trash", "restore"])
def test_killed_between_the_move_and_the_row(disk: SmallDisk, library: Library, monkeypatch, moment: str) -> None:
    """The file is in the trash, or back, and the index did not hear of it: the next start sorts it out."""
    item = library.add(picture(disk.folder))
    library.mark([item.id], MarkChange(rating=4))
    if moment == "restore":
        library.trash([item.id])
    with monkeypatch.context() as patched:
        patched.setattr(deleted, "mark" if moment == "trash" else "put_back", raising_interrupt)
        with pytest.raises(KeyboardInterrupt):
            getattr(library, moment)([item.id])
    library.reconcile()
    if moment == "trash":
        assert list(library.ids()) == []
        assert list(library.ids(filter=Filter(deleted=True))) == [item.id]
        library.restore([item.id])
    (found,) = library.items(library.ids())
    assert (found.id, found.rating, found.missing) == (item.id, 4, False)


def test_a_clock_that_jumps_back(disk: SmallDisk, library: Library) -> None:
    """Files from the future and from long ago: each is there once, and the newest by its own time is first."""
    for name, when in (("now.png", 1_800_000_000), ("future.png", 4_000_000_000), ("past.png", 10)):
        os.utime(picture(disk.folder, name, when), (when, when))
        library.reconcile()
    assert [item.path.stem for item in library.items(library.ids())] == ["future", "now", "past"]
    assert [item.path.stem for item in library.items(library.ids("png"))] == ["future", "now", "past"]
    assert library.reconcile().added == ()
