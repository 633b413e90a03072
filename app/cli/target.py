"""Where a command writes its result: checked before anything is computed, written whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from engine.library.naming import numbered
from engine.media import atomic
from engine.protocol.errors import BadArguments, from_os_error


@dataclass(frozen=True)
class OutputTarget:
    """``suffix`` as the person wrote it. ``since``: what the person named and lay there before that moment (seconds
    since the epoch) is replaced; 0.0 where no file is."""

    folder: Path
    stem: str
    suffix: str
    since: float = 0.0

    def path(self, number: int = 1) -> Path:
        """The first result has the name itself; the others ``_2``, ``_3`` …"""
        return self.folder / (f"{self.stem}_{number}{self.suffix}" if number > 1 else f"{self.stem}{self.suffix}")

    def take(self, made: Path, number: int = 1) -> Path:
        """Move what was made to its name, or to a free one beside it where another took it meanwhile; that name.

        Raises ``NoSpace`` or ``NotWritable``."""
        path = self.path(number)
        try:
            if self.since and path.exists() and path.stat().st_mtime < self.since:
                os.replace(made, path)
                return path
            return atomic.move_new(made, numbered(path))
        except OSError as error:
            raise from_os_error(error, "saving the result", path) from error


def named(out: str, suffix: str, maker: str, count: int = 1) -> OutputTarget:
    """The target that ``--out`` names, for ``maker``, which makes ``count`` ``suffix`` files."""
    path = Path(out).expanduser()
    if path.suffix.lower() != suffix:
        raise BadArguments(f"{maker} makes {suffix} files; --out is {path.name}.", f"Name a {suffix} file.")
    target = OutputTarget(Path(os.path.abspath(path.parent)), path.stem, path.suffix, since=time.time())
    check_writable(target.folder)
    check_name(target.path(count))
    return target


def check_name(path: Path) -> None:
    """Raise ``BadArguments`` where no file can have this name."""
    try:
        if stat.S_ISDIR(os.lstat(path).st_mode):
            raise BadArguments(f"{path} is a folder.", "Name a file in it.")
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadArguments(f"No file can have the name {path.name[:80]}…: {why}.", "Choose a shorter one.") from error


def check_writable(folder: Path) -> None:
    """Raise ``NotWritable`` or ``NoSpace`` where a file cannot be made."""
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=atomic.TEMPORARY_PREFIX):
            pass
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError):
            raise BadArguments(f"{folder} is no folder: {error}.", "Choose another one.") from error
        raise from_os_error(error, "writing the result", folder) from error


def write_whole(path: Path, content: bytes) -> None:
    """What was at ``path`` before stays as it is unless all of ``content`` is on the disk."""
    check_writable(path.parent)
    check_name(path)
    try:
        atomic.write_bytes(path, content)
    except OSError as error:
        raise from_os_error(error, "writing the result", path) from error
