"""What the engine process tells the window process: facts, in the past tense. Latents never cross; files do by path, or
as bytes where the two share no file system."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.protocol.errors import ErrorInfo

Stage = Literal["waiting", "loading", "encoding", "working", "denoising", "decoding", "enlarging", "saving"]


class DeviceInfo(msgspec.Struct, frozen=True):
    """``kind`` is cpu, cuda, mps or xpu; memory in bytes. The rates are measured when the engine starts, 0 otherwise:
    ``flops`` of matrix products and ``bandwidth`` of memory a second, seconds that an ``operator`` costs at least.
    """

    kind: str
    name: str
    memory_total: int
    flops: float = 0.0
    bandwidth: float = 0.0
    operator: float = 0.0
    native_bf16: bool = False


class EngineHello(msgspec.Struct, frozen=True, tag=True):
    """The first event: the version of the protocol and that of Laterna."""

    protocol: int
    version: str


class EngineReady(msgspec.Struct, frozen=True, tag=True):
    """The libraries are imported and jobs can run. ``versions`` maps a package to its version."""

    device: DeviceInfo
    versions: dict[str, str]
    threads: int
    seconds: float


class EngineWarming(msgspec.Struct, frozen=True, tag=True):
    """What the engine does before it is ready ("Loading PyTorch")."""

    what: str


class MemoryChanged(msgspec.Struct, frozen=True, tag=True):
    """Bytes: this process' resident memory, the host's total and used, and the device's total and used, of which
    ``device_own`` are this process' tensors and what it keeps for more.
    """

    process: int
    host_total: int
    host_used: int
    device_total: int = 0
    device_used: int = 0
    device_own: int = 0


class JobStarted(msgspec.Struct, frozen=True, tag=True):
    job: str


class StageChanged(msgspec.Struct, frozen=True, tag=True):
    """The job is in ``stage``; ``fraction`` (0 … 1) of it is done, ``-1`` where that is not known."""

    job: str
    stage: Stage
    fraction: float = -1.0
    detail: str = ""


class StepDone(msgspec.Struct, frozen=True, tag=True):
    """Step ``step`` of ``steps`` is done; ``seconds_left`` covers the remaining steps and decoding."""

    job: str
    step: int
    steps: int
    step_seconds: float
    seconds_left: float


class PreviewReady(msgspec.Struct, frozen=True, tag=True):
    """A preview after ``step``. The message's blob is a JPEG: for a clip, ``frames`` pictures side by side in a row."""

    job: str
    step: int
    width: int
    height: int
    frames: int = 1


class JobResumed(msgspec.Struct, frozen=True, tag=True):
    """The job goes on from its checkpoint: ``step`` of ``steps`` were done before."""

    job: str
    step: int
    steps: int


class ResumeRefused(msgspec.Struct, frozen=True, tag=True):
    """There was a checkpoint that cannot be used; ``error`` says why. The job starts over."""

    job: str
    error: ErrorInfo


class PlanLowered(msgspec.Struct, frozen=True, tag=True):
    """Memory ran out in ``stage``. The job goes on from where it was, in a way that needs less; ``message`` says so."""

    job: str
    stage: Stage
    message: str


class JobNoted(msgspec.Struct, frozen=True, tag=True):
    """Something about the job that is worth a line and nothing more."""

    job: str
    message: str


class CheckpointSaved(msgspec.Struct, frozen=True, tag=True):
    """What is done up to ``step`` of ``steps`` survives the end of the engine; ``bytes`` is the file's size."""

    job: str
    step: int
    steps: int
    bytes: int


class AssetWanted(msgspec.Struct, frozen=True, tag=True):
    """The job needs the bytes of a file from ``offset`` on. Answered with ``AssetChunk`` or ``AssetRefused``."""

    sha256: str
    offset: int


class ResultChunk(msgspec.Struct, frozen=True, tag=True):
    """The message's blob is the next part of the job's result ``index``; all of them come before ``JobFinished``."""

    job: str
    index: int


class OutputFile(msgspec.Struct, frozen=True):
    """A saved result: path, SHA-256 of the pixels (see ``engine.media.pixels``), and its place in the batch.

    One that crossed as bytes has the file's own ``sha256`` too, and as its path only a name.
    """

    path: str
    pixels_sha256: str
    index: int = 0
    sha256: str = ""


class JobFinished(msgspec.Struct, frozen=True, tag=True):
    """``seconds`` maps a stage to its duration; ``peak_memory`` in bytes, 0 where it was not measured."""

    job: str
    files: tuple[OutputFile, ...]
    seconds: dict[str, float]
    peak_memory: int = 0


class JobCancelled(msgspec.Struct, frozen=True, tag=True):
    job: str


class JobFailed(msgspec.Struct, frozen=True, tag=True):
    job: str
    error: ErrorInfo


class Preloaded(msgspec.Struct, frozen=True, tag=True):
    """A ``Preload`` ended; ``error`` says why it did not load."""

    model_folder: str
    error: ErrorInfo | None = None


class Pong(msgspec.Struct, frozen=True, tag=True):
    token: int = 0


class Pulse(msgspec.Struct, frozen=True, tag=True):
    """A sign of life several times a second while something is in hand.

    ``work`` counts blocks of networks, steps and files read; ``cpu_seconds`` is the process' own processor time. What
    neither works nor uses the processor is stuck.
    """

    work: int
    cpu_seconds: float


class CommandRefused(msgspec.Struct, frozen=True, tag=True):
    """A command could not be read or is not allowed now."""

    error: ErrorInfo


JobEvent = (
    JobStarted
    | StageChanged
    | StepDone
    | PreviewReady
    | JobResumed
    | ResumeRefused
    | PlanLowered
    | JobNoted
    | CheckpointSaved
    | ResultChunk
    | JobFinished
    | JobCancelled
    | JobFailed
)
"""What is said of a job; each carries its id."""

Event = (
    EngineHello
    | EngineReady
    | EngineWarming
    | MemoryChanged
    | JobEvent
    | Preloaded
    | AssetWanted
    | Pong
    | Pulse
    | CommandRefused
)
