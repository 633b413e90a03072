"""Move a file to the trash, and back.

The system's trash is used where there is one that a move can be taken back from: the freedesktop.org folder on Linux
(specification 1.0) and ``~/.Trash`` on macOS, each only on the file's own disk. Elsewhere the file goes to a folder of
our own.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from engine.library.naming import unused
from engine.media import atomic
from engine.protocol.errors import BadFile, from_os_error


def move_to_trash(path: Path, own_trash: Path) -> Path:
    """Move ``path`` and return where it lies now. Raises ``NotWritable``, ``NoSpace``, or ``BadFile`` if it is gone."""
    if not path.exists():
        raise BadFile(f"{path} is not there any more.", "Look in the system's trash.")
    for trash, wants_info in _candidates(path):
        try:
            return _move(path, trash, wants_info)
        except OSError:
            continue  # another disk, or not ours: the next place takes it
    try:
        own_trash.mkdir(parents=True, exist_ok=True)
        target = unused(own_trash / path.name)
        os.replace(path, target)
    except OSError as error:
        raise from_os_error(error, "moving to the trash", path) from error
    return target


def restore(trashed: Path, original: Path) -> Path:
    """Move a trashed file back and return where it lies: ``original``, or a free name beside it.

    Raises ``BadFile`` where the trash was emptied, ``NotWritable`` or ``NoSpace``.
    """
    if not trashed.exists():
        raise BadFile(f"{original.name} is not in the trash any more.", "The trash was emptied.")
    try:
        original.parent.mkdir(parents=True, exist_ok=True)
        target = unused(original)
        os.replace(trashed, target)
    except OSError as error:
        raise from_os_error(error, "restoring from the trash", original) from error
    if trashed.parent.name == "files":
        with suppress(OSError):
            _info_file(trashed).unlink()
    return target


def _candidates(path: Path) -> list[tuple[Path, bool]]:
    """The system's trash folders that exist on the disk of ``path``; True where an info file goes with each file."""
    if sys.platform == "darwin":
        found = [(Path.home() / ".Trash", False)]
    elif sys.platform == "win32":
        found = []
    else:
        data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
        found = [(Path(data) / "Trash", True)]
    with suppress(OSError):
        disk = path.stat().st_dev
        return [(trash, info) for trash, info in found if trash.is_dir() and trash.stat().st_dev == disk]
    return []


def _move(path: Path, trash: Path, wants_info: bool) -> Path:
    if not wants_info:
        target = unused(trash / path.name)
        os.replace(path, target)
        return target
    (trash / "files").mkdir(mode=0o700, exist_ok=True)
    (trash / "info").mkdir(mode=0o700, exist_ok=True)
    target = unused(trash / "files" / path.name)
    info = _info_file(target)
    when = time.strftime("%Y-%m-%dT%H:%M:%S")
    atomic.write_bytes(info, f"[Trash Info]\nPath={quote(str(path.absolute()))}\nDeletionDate={when}\n".encode())
    try:
        os.replace(path, target)
    except OSError:
        info.unlink()
        raise
    return target


def _info_file(target: Path) -> Path:
    return target.parent.parent / "info" / f"{target.name}.trashinfo"
