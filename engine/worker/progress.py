"""What a running job tells: stages, steps, time left, previews; and the seconds that each stage took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.protocol.errors import BadFile
from engine.protocol.events import (
    CheckpointSaved,
    Event,
    JobNoted,
    JobResumed,
    PlanLowered,
    PreviewReady,
    ResumeRefused,
    Stage,
    StageChanged,
    StepDone,
)
from engine.worker.previews import Preview

Emit = Callable[[Event, bytes], None]


class Progress:
    """The events of one job. ``decode_seconds`` is the expected time of decoding, for the time left."""

    def __init__(self, job: str, emit: Emit) -> None:
        self._job = job
        self._emit = emit
        self._step_seconds = 0.0
        self._measured = 0
        self.seconds: dict[str, float] = {}
        self.decode_seconds: float | None = None

    @contextmanager
    def stage(self, stage: Stage, detail: str = "", fraction: float = 0.0) -> Iterator[None]:
        self.at(stage, fraction, detail)
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.monotonic() - began

    def at(self, stage: Stage, fraction: float, detail: str = "") -> None:
        self._emit(StageChanged(self._job, stage, fraction, detail), b"")

    def step(self, done: int, steps: int, seconds: float) -> None:
        """Step ``done`` of ``steps`` took ``seconds``."""
        # The first step also warms caches up: it counts only until there is a second one.
        self._measured += 1
        self._step_seconds = seconds if self._measured <= 2 else 0.7 * self._step_seconds + 0.3 * seconds
        decode = self._step_seconds if self.decode_seconds is None else self.decode_seconds
        left = (steps - done) * self._step_seconds + decode
        self._emit(StepDone(self._job, done, steps, seconds, left), b"")

    def preview(self, step: int, preview: Preview) -> None:
        self._emit(PreviewReady(self._job, step, preview.width, preview.height, preview.frames), preview.jpeg)

    def resumed(self, step: int, steps: int) -> None:
        self._emit(JobResumed(self._job, step, steps), b"")

    def refused(self, reason: str) -> None:
        """A checkpoint is not used; ``reason`` completes the sentence."""
        error = BadFile(f"The saved state of this job is not used: {reason}.", "The job starts over.")
        self._emit(ResumeRefused(self._job, error.info()), b"")

    def lowered(self, stage: Stage, message: str) -> None:
        self._emit(PlanLowered(self._job, stage, message), b"")

    def noted(self, message: str) -> None:
        self._emit(JobNoted(self._job, message), b"")

    def belongs_to(self, stage: Stage, other: Stage, seconds: float) -> None:
        """``seconds`` that were measured in ``stage`` count for ``other``."""
        self.seconds[stage] = self.seconds.get(stage, 0.0) - seconds
        self.seconds[other] = self.seconds.get(other, 0.0) + seconds

    def saved(self, step: int, steps: int, size: int) -> None:
        self._emit(CheckpointSaved(self._job, step, steps, size), b"")
