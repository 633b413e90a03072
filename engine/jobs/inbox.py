"""What the job service is told, by its callers and by the engine's reader thread, in the order it happened."""

from __future__ import annotations

import msgspec

from engine.jobs.job import Job
from engine.jobs.notices import LibraryChanged
from engine.protocol.errors import LaternaError
from engine.protocol.events import Event


class AddJobs(msgspec.Struct, frozen=True):
    jobs: tuple[Job, ...]


class CancelJob(msgspec.Struct, frozen=True):
    job: str


class ClearWaiting(msgspec.Struct, frozen=True):
    pass


class MoveJob(msgspec.Struct, frozen=True):
    job: str
    position: int


class PreloadModel(msgspec.Struct, frozen=True):
    model_folder: str


class RestartEngine(msgspec.Struct, frozen=True):
    pass


class Stop(msgspec.Struct, frozen=True):
    pass


class EngineSaid(msgspec.Struct, frozen=True):
    """``generation`` tells this engine's words from a former one's."""

    generation: int
    event: Event
    blob: bytes


class EngineExited(msgspec.Struct, frozen=True):
    generation: int
    error: LaternaError | None


class LibraryReconciled(msgspec.Struct, frozen=True):
    """The library was compared with its folder; ``error`` says why that failed."""

    change: LibraryChanged | None
    error: LaternaError | None = None


Message = (
    AddJobs
    | CancelJob
    | ClearWaiting
    | MoveJob
    | PreloadModel
    | RestartEngine
    | Stop
    | EngineSaid
    | EngineExited
    | LibraryReconciled
)
