"""Move a file to the trash, and back, and find again what lies there.

The system's trash is used where there is one that a move can be taken back from: on Linux the freedesktop.org folders
(specification 1.0: that of the home for files on its disk, that of the disk's top folder for others), on macOS
``~/.Trash``. Elsewhere the file goes to a folder of our own, with the same notes beside it.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

from engine.files import open_regular
from engine.library.naming import numbered
from engine.media import atomic
from engine.protocol.errors import BadFile, from_os_error

INFO_SUFFIX = ".trashinfo"
_DATE = "%Y-%m-%dT%H:%M:%S"
_MAX_INFO_BYTES = 64 * 1024


class TrashFolder(NamedTuple):
    """``files`` takes the files, ``info`` a note about each (None where the system keeps none), in which paths may be
    relative to ``top``."""

    files: Path
    info: Path | None
    top: Path | None = None


class Trashed(NamedTuple):
    """A file in the trash: where it lies, where it came from, and when it was deleted (seconds since the epoch)."""

    path: Path
    original: Path
    when: float


def move_to_trash(path: Path, own_trash: Path) -> Path:
    """Move ``path`` and return where it lies now. Raises ``NotWritable``, ``NoSpace``, or ``BadFile`` if it is gone."""
    if not path.exists():
        raise BadFile(f"{path} is not there any more.", "Look in the system's trash.")
    for trash in _system_folders(path):
        try:
            return _move(path, trash)
        except OSError:
            continue  # another disk, or not ours: the next place takes it
    try:
        return _move(path, _own(own_trash))
    except OSError as error:
        raise from_os_error(error, "moving to the trash", path) from error


def restore(trashed: Path, original: Path) -> Path:
    """Move a trashed file back and return where it lies: ``original``, or a free name beside it.

    Raises ``BadFile`` where the trash was emptied, ``NotWritable`` or ``NoSpace``.
    """
    if not trashed.exists():
        raise BadFile(f"{original.name} is not in the trash any more.", "The trash was emptied.")
    try:
        original.parent.mkdir(parents=True, exist_ok=True)
        target = atomic.move_new(trashed, numbered(original))
    except OSError as error:
        raise from_os_error(error, "restoring from the trash", original) from error
    for info in (trashed.parent.parent / "info", trashed.parent / "info"):
        with suppress(OSError):
            (info / (trashed.name + INFO_SUFFIX)).unlink()
    return target


def contents(folder: Path, own_trash: Path) -> Iterator[Trashed]:
    """What lies in the trash and came from below ``folder``, as far as the notes there tell."""
    for trash in (*_system_folders(folder), _own(own_trash)):
        if trash.info is None:
            continue
        try:
            names = sorted(name for name in os.listdir(trash.info) if name.endswith(INFO_SUFFIX))
        except OSError:
            continue
        for name in names:
            found = _read_info(trash, name)
            if found is not None and found.original.is_relative_to(folder):
                yield found


def _own(folder: Path) -> TrashFolder:
    return TrashFolder(folder, folder / "info")


def _system_folders(path: Path) -> list[TrashFolder]:
    """The system's trash folders for what lies on the disk of ``path``, the first that can be used counts."""
    if sys.platform == "win32":
        return []
    try:
        disk = _nearest(path).stat().st_dev
        if sys.platform == "darwin":
            found = Path.home() / ".Trash"
            return [TrashFolder(found, None)] if found.is_dir() and found.stat().st_dev == disk else []
        home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "Trash"
        if _nearest(home).stat().st_dev == disk:
            return [TrashFolder(home / "files", home / "info")]
        top = _top(_nearest(path))
        return [TrashFolder(trash / "files", trash / "info", top) for trash in _at_top(top)]
    except OSError:
        return []


def _at_top(top: Path) -> Iterator[Path]:
    """The trash folders of a disk: one that all share, where its owner made it safe, or this person's own."""
    shared, person = top / ".Trash", os.getuid()
    with suppress(OSError):
        mode = shared.lstat().st_mode
        if stat.S_ISDIR(mode) and mode & stat.S_ISVTX:
            yield shared / str(person)
    yield top / f".Trash-{person}"


def _nearest(path: Path) -> Path:
    """``path``, or the nearest folder above it that exists."""
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())


def _top(path: Path) -> Path:
    """The folder that the disk of ``path`` is mounted on."""
    path = path.resolve()
    disk = path.stat().st_dev
    while path.parent != path and path.parent.stat().st_dev == disk:
        path = path.parent
    return path


def _move(path: Path, trash: TrashFolder) -> Path:
    trash.files.mkdir(mode=0o700, parents=True, exist_ok=True)
    if trash.info is None:
        return atomic.move_new(path, numbered(trash.files / path.name))
    trash.info.mkdir(mode=0o700, parents=True, exist_ok=True)
    said = path.absolute()
    if trash.top is not None and said.resolve().is_relative_to(trash.top):
        said = said.resolve().relative_to(trash.top)
    text = f"[Trash Info]\nPath={quote(os.fsencode(said))}\nDeletionDate={time.strftime(_DATE)}\n"
    for target in numbered(trash.files / path.name):
        info = trash.info / (target.name + INFO_SUFFIX)
        try:
            atomic.write_bytes(info, text.encode(), new=True)  # who has the note has the name
        except FileExistsError:
            continue
        try:
            return atomic.move_new(path, [target])
        except OSError as error:
            info.unlink()
            if not isinstance(error, FileExistsError):
                raise
    raise AssertionError("unreachable: the numbers do not end")


def _read_info(trash: TrashFolder, name: str) -> Trashed | None:
    """What a note says, if its file is there; None where it makes no sense."""
    assert trash.info is not None
    path = trash.files / name.removesuffix(INFO_SUFFIX)
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        with open_regular(trash.info / name) as file:
            lines = file.read(_MAX_INFO_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return None
    said = dict(line.split("=", 1) for line in lines if "=" in line)
    original = unquote(said.get("Path", ""), errors="surrogateescape")
    if not original or "\0" in original:
        return None
    when = 0.0
    with suppress(ValueError, OverflowError):
        when = time.mktime(time.strptime(said.get("DeletionDate", ""), _DATE))
    return Trashed(path, Path(os.path.normpath(os.path.join(trash.top or "/", original))), when)
