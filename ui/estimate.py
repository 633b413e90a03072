"""How long the next job will take, from how long the last ones of that model took in this session."""

from __future__ import annotations

import time

from engine.jobs.notices import JobEnded, JobProgressed
from engine.protocol.recipe import Recipe

WEIGHT_OF_NEWEST = 0.5


def _work(recipe: Recipe) -> float:
    """Proportional to the work of a recipe: pixels × frames × steps, twice that with guidance."""
    passes = 2.0 if recipe.guidance > 1.0 else 1.0
    return recipe.width * recipe.height * recipe.frames * (recipe.steps * passes + 3.0) * recipe.batch


class Estimate:
    def __init__(self) -> None:
        self._started: dict[str, float] = {}
        self._seconds_per_work: dict[str, float] = {}

    def progressed(self, progress: JobProgressed) -> None:
        """Loading the model is not counted: it happens once."""
        if progress.stage in ("encoding", "denoising"):
            self._started.setdefault(progress.job, time.monotonic())

    def ended(self, ended: JobEnded) -> None:
        started = self._started.pop(ended.job.id, None)
        if started is None or ended.job.state != "done":
            return
        recipe = ended.job.recipe
        measured = (time.monotonic() - started) / _work(recipe)
        before = self._seconds_per_work.get(recipe.model, measured)
        self._seconds_per_work[recipe.model] = before + WEIGHT_OF_NEWEST * (measured - before)

    def seconds(self, recipe: Recipe) -> float | None:
        per_work = self._seconds_per_work.get(recipe.model)
        return None if per_work is None else per_work * _work(recipe)
