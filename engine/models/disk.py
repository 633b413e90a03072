"""Free space, and making renames durable."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from engine.protocol.errors import NoSpace, from_os_error

RESERVE = 256 * 1024 * 1024  # left free on every disk: a system with none left misbehaves


def free_bytes(folder: Path) -> int:
    """Free bytes on the disk of ``folder``, which need not exist yet."""
    for place in (folder, *folder.absolute().parents):
        if place.exists():
            try:
                return shutil.disk_usage(place).free
            except OSError as error:
                raise from_os_error(error, "looking at the disk", place) from error
    return 0


def check_space(folder: Path, needed: int, what: str, reserve: int = RESERVE) -> None:
    """Raise ``NoSpace`` unless ``needed`` bytes and ``reserve`` are free on the disk of ``folder``."""
    free = free_bytes(folder)
    if needed and needed + reserve > free:
        raise NoSpace(
            f"{what} needs {gigabytes(needed)}, and {gigabytes(free)} are free in {folder}.",
            f"Free {gigabytes(needed + reserve - free)} there, or move the models to another disk.",
        )


def allocated_bytes(path: Path) -> int:
    """What a file takes on disk: less than its size where it has holes."""
    status = path.stat()
    blocks = getattr(status, "st_blocks", None)
    return status.st_size if blocks is None else min(status.st_size, blocks * 512)


def sync_folder(folder: Path) -> None:
    """Make a rename durable; Windows and some network file systems cannot, and need not."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def gigabytes(count: float) -> str:
    """Bytes for a person, in decimal units as disks and model cards have them."""
    if count < 999_500:
        return f"{count / 1e3:.0f} kB"
    if count < 999_500_000:
        return f"{count / 1e6:.0f} MB"
    return f"{count / 1e9:.1f} GB"
