"""Where a command writes its result: checked before anything is computed, written whole or not at all."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from engine.media import atomic
from engine.protocol.errors import BadArguments, from_os_error


@dataclass(frozen=True)
class Target:
    """``suffix`` as the person wrote it. A file of the same name is replaced."""

    folder: Path
    stem: str
    suffix: str

    def path(self, number: int = 1) -> Path:
        """The first result has the name itself; the others ``_2``, ``_3`` …"""
        return self.folder / (f"{self.stem}_{number}{self.suffix}" if number > 1 else f"{self.stem}{self.suffix}")


def named(out: str, suffix: str, maker: str) -> Target:
    """The target that ``--out`` names, for ``maker``, which makes ``suffix`` files."""
    path = Path(out).expanduser()
    if path.suffix.lower() != suffix:
        raise BadArguments(f"{maker} makes {suffix} files; --out is {path.name}.", f"Name a {suffix} file.")
    target = Target(path.parent.resolve(), path.stem, path.suffix)
    check_writable(target.folder)
    return target


def check_writable(folder: Path) -> None:
    """Raise ``NotWritable`` or ``NoSpace`` where a file cannot be made."""
    probe = folder / f".laterna-{os.getpid()}"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise from_os_error(error, "writing the result", folder) from error


def write_whole(path: Path, content: bytes) -> None:
    """What was at ``path`` before stays as it is unless all of ``content`` is on the disk."""
    check_writable(path.parent)
    try:
        atomic.write_bytes(path, content)
    except OSError as error:
        raise from_os_error(error, "writing the result", path) from error
