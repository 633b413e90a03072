"""What lies in the library's folder, and how that differs from the index."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from engine.library import rows
from engine.media.atomic import TEMPORARY_PREFIX
from engine.media.metadata import SUFFIXES

BATCH = 200
LEFTOVER_SECONDS = 3600.0
Stamp = tuple[int, int]


class Differences(NamedTuple):
    """``renamed`` are (id, new stored path); ``gone`` and ``back`` ids; ``to_read`` new or changed files."""

    renamed: list[tuple[int, str]]
    gone: list[int]
    back: list[int]
    to_read: list[Path]


def files(folder: Path, not_followed: list[Path] | None = None) -> dict[Path, Stamp]:
    """Every PNG and MP4 below ``folder`` with its size in bytes and modification time in ns, but hidden ones.

    Linked folders are followed, each folder once, those of the library itself first. ``not_followed`` gets the links
    that lead nowhere or to a folder around the library.
    """
    found: dict[Path, Stamp] = {}
    waiting, links = [folder], list[Path]()
    seen: set[tuple[int, int]] = set()
    around = {identity for above in folder.parents if (identity := _identity(above)) is not None}
    while waiting or links:
        here = waiting.pop() if waiting else links.pop(0)
        identity = _identity(here)
        if identity is None or identity in around:
            if not_followed is not None and here != folder:
                not_followed.append(here)
            continue
        if identity in seen:
            continue
        seen.add(identity)
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
                    elif os.path.splitext(entry.name)[1].lower() in SUFFIXES and entry.is_file():
                        status = entry.stat()
                        found[Path(entry.path)] = (status.st_size, status.st_mtime_ns)
                    elif entry.is_symlink() and not entry.is_file():
                        links.append(Path(entry.path))
        except OSError:
            continue  # a folder that cannot be listed: its rows, if any, are checked one by one
    return found


def _identity(folder: Path) -> tuple[int, int] | None:
    """What a folder is recognised by, however it is reached; None where there is none."""
    try:
        status = folder.stat()
    except (OSError, ValueError):
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None


def remove_leftovers(folder: Path, now: float) -> None:
    """Remove what a save that was killed left half written; younger ones may still be written."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(TEMPORARY_PREFIX) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    if now - entry.stat().st_mtime > LEFTOVER_SECONDS:
                        os.unlink(entry.path)


def compare(known: Iterable[tuple[str, int, int, int, int]], found: dict[Path, Stamp], folder: Path) -> Differences:
    """``known`` are rows (stored path, id, size, modified, missing). A new file with the size and time of a row whose
    file is gone is that row, renamed."""
    differences = Differences([], [], [], [])
    strangers = dict(found)
    lost: dict[Stamp, list[tuple[int, int]]] = {}
    for stored, id, size, modified, missing in known:
        path = rows.file_path(stored, folder)
        stamp = strangers.pop(path, None) or _stamp(path)
        if stamp is None:
            lost.setdefault((size, modified), []).append((id, missing))
        elif stamp != (size, modified):
            differences.to_read.append(path)
        elif missing:
            differences.back.append(id)
    for path, stamp in strangers.items():
        if lost.get(stamp):
            differences.renamed.append((lost[stamp].pop()[0], rows.stored_path(path, folder)))
        else:
            differences.to_read.append(path)
    differences.to_read.sort(
        key=lambda path: found.get(path, (0, 0))[1]
    )  # so ids follow the order in which they were made
    differences.gone.extend(id for group in lost.values() for id, missing in group if not missing)
    return differences


def batches(paths: Sequence[Path], size: int = BATCH) -> Iterator[list[Path]]:
    """``paths`` in order, ``size`` at a time."""
    rest = iter(paths)
    while batch := list(islice(rest, size)):
        yield batch


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns
