"""What ``generate`` was doing when it was stopped, on disk, so that ``generate --resume`` goes on with it."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil

from engine.files import TEXT_LIMIT, read_regular
from engine.jobs.checkpoints import SUFFIX, CheckpointFolder
from engine.media import atomic
from engine.protocol.commands import CompileWish
from engine.protocol.earlier_recipes import brought_up
from engine.protocol.errors import BadArguments, BadFile
from engine.protocol.recipe import Recipe

KEPT = 20


class Expected(msgspec.Struct, frozen=True):
    """What was forecast: seconds without loading, and bytes as ``peak_memory`` counts them."""

    seconds: float
    peak_memory: int


class Result(msgspec.Struct, frozen=True):
    path: str
    seed: int
    pixels_sha256: str
    seconds: dict[str, float]
    peak_memory: int
    expected: Expected | None = None


class Unfinished(msgspec.Struct, frozen=True):
    """One call of ``generate``: every recipe, what came of the first ones, and where results go.

    ``process`` and ``process_started`` tell who works on it; ``into_library`` whether results are added to it.
    """

    id: str
    recipes: tuple[Recipe, ...]
    model_folder: str
    folder: str
    stem: str
    suffix: str
    into_library: bool
    since: float = 0.0
    adapter_files: tuple[str, ...] = ()
    input_files: tuple[str, ...] = ()
    a1111: bool = False
    compile: CompileWish = "never"
    results: tuple[Result, ...] = ()
    done: int = 0
    process: int = 0
    process_started: float = 0.0
    saved: float = 0.0


class UnfinishedFolder:
    """The newest ``KEPT`` calls that have not come to their end; nothing here may stop a job from being made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._checkpoints = CheckpointFolder(folder)

    def checkpoint(self, work: Unfinished) -> Path:
        """Of the recipe that is its turn."""
        return self._checkpoints.path(f"{work.id}-{work.done}")

    def save(self, work: Unfinished) -> None:
        """Note what is done by now, by this process."""
        own = psutil.Process()
        noted = msgspec.structs.replace(work, process=own.pid, process_started=own.create_time(), saved=time.time())
        data = msgspec.json.encode(noted)
        data += b"\n" + hashlib.sha256(data).hexdigest().encode() + b"\n"
        with suppress(OSError):
            for path in self._notes(work.id):
                atomic.write_bytes(path, data)
            self._prune()

    def remove(self, work: Unfinished) -> None:
        with suppress(OSError):
            for path in self._notes(work.id):
                path.unlink(missing_ok=True)
            for file in self._folder.glob(f"{work.id}-*{SUFFIX}"):
                file.unlink(missing_ok=True)

    def newest(self) -> Unfinished:
        """The last one that nobody works on. Raises ``BadArguments`` where there is none, and ``BadFile`` where what
        was noted of the last one can no longer be read: another job is not what was asked for."""
        found, damaged = self._all()
        work = next((work for work in found if not _is_alive(work)), None)
        for path, noted in damaged:
            if work is None or noted > work.saved:
                raise BadFile(
                    f"What was noted of the unfinished job is damaged: {path}.",
                    "Take that file away to go on with the job before it, or start anew.",
                )
        if work is None:
            raise BadArguments("There is nothing to go on with.", "Say what to make: --prompt TEXT.")
        return work

    def _notes(self, id: str) -> tuple[Path, Path]:
        """What is known of a job is written twice: damage to one file does not forget it."""
        return self._folder / f"{id}.json", self._folder / f"{id}.copy"

    def _all(self) -> tuple[list[Unfinished], list[tuple[Path, float]]]:
        """The jobs, newest first, and those of which no note can be read, with the time of the note."""
        found, damaged = [], []
        names = {path.stem for path in self._folder.glob("*") if path.suffix in (".json", ".copy")}
        for notes in map(self._notes, names):
            work = next(filter(None, map(_read, notes)), None)
            if work is not None:
                found.append(work)
                continue
            with suppress(OSError):
                there = next(path for path in notes if path.exists())
                damaged.append((there, there.stat().st_mtime))
        return sorted(found, key=lambda work: -work.saved), damaged

    def _prune(self) -> None:
        for work in self._all()[0][KEPT:]:
            if not _is_alive(work):
                self.remove(work)


def new_id() -> str:
    return secrets.token_hex(8)


def _read(path: Path) -> Unfinished | None:
    """None where it is not there or damaged; notes of older versions carry no checksum."""
    try:
        data = read_regular(path, TEXT_LIMIT)
        body, _, rest = data.partition(b"\n")
        if rest and hashlib.sha256(body).hexdigest().encode() != rest.strip():
            return None
        return msgspec.convert(brought_up(msgspec.json.decode(body)), Unfinished)
    except (OSError, ValueError, RecursionError):
        return None


def _is_alive(work: Unfinished) -> bool:
    if work.process == os.getpid():
        return False
    try:
        return bool(abs(psutil.Process(work.process).create_time() - work.process_started) < 1.0)
    except psutil.Error:
        return False
