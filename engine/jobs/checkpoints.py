"""Where the engine keeps the state of jobs, one file each: bounded in number and size, and nothing left behind."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from engine.files import open_regular
from engine.media.atomic import TEMPORARY_PREFIX

SUFFIX = ".safetensors"
PARTS_SUFFIX = ".parts"
MAX_FILES = 100
MAX_BYTES = 4 * 2**30
HEADER = "laterna.checkpoint"
_MAX_HEADER = 16 * 1024 * 1024
_SAFE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class CheckpointFolder:
    """The files are the engine's to write and to read; here they are only counted and removed. Nothing raises: a
    checkpoint that is not there costs time and no more."""

    def __init__(self, folder: Path, max_files: int = MAX_FILES, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_files = max_files
        self._max_bytes = max_bytes

    def path(self, job: str) -> Path:
        if not _SAFE_ID.fullmatch(job):
            raise ValueError(f"{job!r} is no job's id")
        return self._folder / (job + SUFFIX)

    def steps(self) -> dict[str, tuple[int, int]]:
        """For each job that has a file: how many steps of how many it holds, at least one, as its header says."""
        with suppress(OSError):
            return {file.stem: _steps(file) for file in self._folder.glob(f"*{SUFFIX}")}
        return {}

    def remove(self, job: str) -> None:
        with suppress(OSError):
            self.path(job).unlink(missing_ok=True)
        shutil.rmtree(parts_of(self.path(job)), ignore_errors=True)

    def keep_only(self, jobs: Collection[str]) -> None:
        """Remove the files of all other jobs, and what an engine left that ended while writing."""
        with suppress(OSError):
            for file in list(self._folder.iterdir()):
                if file.suffix == PARTS_SUFFIX and file.stem not in jobs:
                    shutil.rmtree(file, ignore_errors=True)
                    continue
                is_ours = file.suffix == SUFFIX and file.stem not in jobs
                if is_ours or file.name.startswith(TEMPORARY_PREFIX):
                    with suppress(OSError):
                        file.unlink()

    def bound(self, keep: Collection[str], first: Collection[str] = ()) -> list[str]:
        """Remove the oldest files until the bounds hold: those of the jobs ``first``, then others, never those of
        ``keep``. The jobs whose files went."""
        found = []
        with suppress(OSError):
            for file in self._folder.glob(f"*{SUFFIX}"):
                with suppress(OSError):
                    status = file.stat()
                    size = status.st_size + _size(parts_of(file))
                    found.append((file.stem not in first, status.st_mtime_ns, size, file))
        count, total, gone = len(found), sum(size for _, _, size, _ in found), []
        for _last, _when, size, file in sorted(found):
            if count <= self._max_files and total <= self._max_bytes:
                break
            if file.stem not in keep:
                self.remove(file.stem)
                gone.append(file.stem)
                count, total = count - 1, total - size
        return gone


def parts_of(checkpoint: Path) -> Path:
    """The folder beside a checkpoint in which a job keeps what is done of a long result."""
    return checkpoint.with_suffix(PARTS_SUFFIX)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*")) if folder.is_dir() else 0


def _steps(file: Path) -> tuple[int, int]:
    """Only for showing: the engine looks closely before it goes on from there."""
    try:
        with open_regular(file) as opened:
            length = int.from_bytes(opened.read(8), "little")
            header = json.loads(opened.read(min(length, _MAX_HEADER)))
        own = json.loads(header["__metadata__"][HEADER])
        return max(1, int(own["step"])), max(1, int(own["steps"]))
    except (OSError, ValueError, KeyError, TypeError):
        return 1, 1
