"""How far a job is, as one number that never goes back."""

from __future__ import annotations

import time

from engine.jobs.notices import JobProgressed
from engine.protocol.events import JobResumed, Stage, StageChanged, StepDone

# The part of the bar that each stage fills: where it begins and ends. Denoising is nearly all of the time.
_SPANS: dict[Stage, tuple[float, float]] = {
    "waiting": (0.0, 0.0),
    "loading": (0.0, 0.05),
    "encoding": (0.05, 0.08),
    "working": (0.05, 0.95),
    "denoising": (0.08, 0.90),
    "decoding": (0.90, 0.96),
    "enlarging": (0.96, 0.98),
    "saving": (0.98, 1.0),
}


class JobProgress:
    """Turns one job's events into ``JobProgressed``.

    A job of which a checkpoint holds ``saved_step`` of ``saved_steps`` steps is as far as that from the beginning,
    while its model loads too.
    """

    def __init__(self, job: str, steps: int, saved_step: int = 0, saved_steps: int = 0) -> None:
        self._job = job
        self._stage: Stage = "waiting"
        self._step = 0
        self._steps = steps
        self._fraction = 0.0
        self._seconds_left, self._told_at = -1.0, 0.0
        if saved_step:
            self._go_on_from(saved_step, saved_steps)

    def stage_changed(self, event: StageChanged) -> JobProgressed:
        self._stage = event.stage
        self._reach(event.fraction)
        return self.now()

    def step_done(self, event: StepDone) -> JobProgressed:
        if self._stage != "working":
            self._stage = "denoising"
        self._step, self._steps = event.step, event.steps
        self._seconds_left, self._told_at = event.seconds_left, time.monotonic()
        self._reach(event.step / max(1, event.steps))
        return self.now()

    def resumed(self, event: JobResumed) -> JobProgressed:
        self._go_on_from(event.step, event.steps)
        return self.now()

    def starts_over(self) -> JobProgressed:
        """The checkpoint was refused: the one time that the number goes back."""
        self._step, self._fraction = 0, 0.0
        self._reach(0.0)
        return self.now()

    def _go_on_from(self, step: int, steps: int) -> None:
        self._step, self._steps = step, steps
        begin, end = _SPANS["working" if self._stage == "working" else "denoising"]
        self._fraction = max(self._fraction, begin + (end - begin) * min(1.0, step / max(1, steps)))

    def now(self) -> JobProgressed:
        left = self._seconds_left
        if left >= 0:  # the engine says it at each step; decoding goes on from there
            left = max(0.0, left - (time.monotonic() - self._told_at))
        return JobProgressed(self._job, self._stage, self._step, self._steps, self._fraction, left)

    def _reach(self, part: float) -> None:
        begin, end = _SPANS[self._stage]
        self._fraction = max(self._fraction, begin + (end - begin) * min(1.0, max(0.0, part)))
