"""The job that the engine has in hand."""

from __future__ import annotations

from typing import Literal

from engine.jobs.job import Job
from engine.jobs.progress import JobProgress
from engine.protocol.events import JobFinished

Intent = Literal["", "cancel", "pause", "put_back"]


class Running:
    """``intent`` is why the engine was asked to stop it: to end it, to pause it, or to put it back into the line."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.progress = JobProgress(job.id, job.steps, job.saved_step, job.saved_steps)
        self.started = False
        self.intent: Intent = ""
        self.give_up_at: float | None = None
        self.is_resumed = False
        self.finished: JobFinished | None = None
