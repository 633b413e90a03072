"""What ``generate`` was doing when it was stopped, on disk, so that ``generate --resume`` goes on with it."""

from __future__ import annotations

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
from engine.protocol.errors import BadArguments
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
        with suppress(OSError):
            atomic.write_bytes(self._folder / f"{work.id}.json", msgspec.json.encode(noted))
            self._prune()

    def remove(self, work: Unfinished) -> None:
        with suppress(OSError):
            (self._folder / f"{work.id}.json").unlink(missing_ok=True)
            for file in self._folder.glob(f"{work.id}-*{SUFFIX}"):
                file.unlink(missing_ok=True)

    def newest(self) -> Unfinished:
        """The last one that nobody works on. Raises ``BadArguments`` where there is none."""
        for work in self._all():
            if not _is_alive(work):
                return work
        raise BadArguments("There is nothing to go on with.", "Say what to make: --prompt TEXT.")

    def _all(self) -> list[Unfinished]:
        found = []
        for path in self._folder.glob("*.json") if self._folder.is_dir() else ():
            with suppress(OSError, msgspec.DecodeError):
                found.append(
                    msgspec.convert(brought_up(msgspec.json.decode(read_regular(path, TEXT_LIMIT))), Unfinished)
                )
        return sorted(found, key=lambda work: -work.saved)

    def _prune(self) -> None:
        for work in self._all()[KEPT:]:
            if not _is_alive(work):
                self.remove(work)


def new_id() -> str:
    return secrets.token_hex(8)


def _is_alive(work: Unfinished) -> bool:
    if work.process == os.getpid():
        return False
    try:
        return bool(abs(psutil.Process(work.process).create_time() - work.process_started) < 1.0)
    except psutil.Error:
        return False
