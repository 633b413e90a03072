"""What the job service tells whoever listens (the window through ``EngineLink``, or the command line)."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.jobs.job import Job
from engine.library.changes import LibraryChanged
from engine.protocol.errors import ErrorInfo
from engine.protocol.events import DeviceInfo, MemoryChanged, Stage

EngineState = Literal["starting", "ready", "working", "silent", "restarting", "stopped"]


class EngineStateChanged(msgspec.Struct, frozen=True):
    """``text`` is a sentence for the status bar; ``error`` is set when the engine ended by itself. A ``silent`` engine
    has something in hand and does not answer: it is waited for, and ended if that goes on."""

    state: EngineState
    text: str = ""
    device: DeviceInfo | None = None
    versions: dict[str, str] = {}
    error: ErrorInfo | None = None


class QueueChanged(msgspec.Struct, frozen=True):
    """The running job, then those that wait or are paused, in their order, as they now are.

    ``paused``: nothing is begun until the person says so. ``stopped`` are jobs that were cancelled or failed and can go
    on from where they were, the last one first.
    """

    jobs: tuple[Job, ...]
    paused: bool = False
    stopped: tuple[Job, ...] = ()


class JobProgressed(msgspec.Struct, frozen=True):
    """Where the running job is. ``fraction`` (0 … 1) of the whole job is done; ``seconds_left`` −1 where unknown."""

    job: str
    stage: Stage
    step: int
    steps: int
    fraction: float
    seconds_left: float = -1.0


class PreviewShown(msgspec.Struct, frozen=True):
    """A preview of the running job: a JPEG of ``frames`` pictures, each ``width`` × ``height``, side by side."""

    job: str
    step: int
    width: int
    height: int
    frames: int
    jpeg: bytes


class JobEnded(msgspec.Struct, frozen=True):
    """``job.state`` is done, failed or cancelled; ``item_ids`` are the library rows of its files.

    ``seconds`` by stage and ``peak_memory`` in bytes as ``JobFinished`` tells them, of a job that ran from its start to
    its end in one go; empty and 0 for any other.
    """

    job: Job
    item_ids: tuple[int, ...] = ()
    seconds: dict[str, float] = {}
    peak_memory: int = 0


class JobsRemoved(msgspec.Struct, frozen=True):
    """Jobs that did not run were taken out of the queue; ``JobService.put_back`` takes them in again."""

    jobs: tuple[Job, ...]


class MemoryShown(msgspec.Struct, frozen=True):
    memory: MemoryChanged


class JobLowered(msgspec.Struct, frozen=True):
    """Memory ran out on the running job, which goes on with less; ``message`` says so in a line."""

    message: str


class JobRemarked(msgspec.Struct, frozen=True):
    """Something about the running job that is worth a line."""

    message: str


class ServiceFailed(msgspec.Struct, frozen=True):
    """Something outside a job went wrong (the database, the output folder)."""

    error: ErrorInfo


Notice = (
    EngineStateChanged
    | QueueChanged
    | JobProgressed
    | PreviewShown
    | JobEnded
    | JobsRemoved
    | LibraryChanged
    | MemoryShown
    | JobLowered
    | JobRemarked
    | ServiceFailed
)
