"""How long the whole queue takes yet, from what one job of each recipe takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.jobs.job import Job
from engine.jobs.notices import JobProgressed
from engine.protocol.recipe import Recipe

_Shape = tuple[object, ...]


class TimeLeft:
    """``seconds`` estimates one job. Jobs are counted by what decides their time, once for each line of jobs."""

    def __init__(self) -> None:
        self.seconds: Callable[[Recipe], float | None] = lambda recipe: None
        self._line: Sequence[Job] = ()
        self._shapes: dict[_Shape, tuple[Recipe, float]] = {}

    def of(self, line: Sequence[Job], running: Job | None, progress: JobProgressed | None) -> float | None:
        """Seconds; None where nothing is known of one of them. Paused jobs do not count."""
        if line is not self._line:
            self._line, self._shapes = line, _count(line)
        total = 0.0
        if any(job.derivation is not None for job in line if job.state == "waiting"):
            return None  # what their sources are is not known here
        for recipe, count in self._shapes.values():
            seconds = self.seconds(recipe)
            if seconds is None:
                return None
            total += seconds * count
        if running is None:
            return total
        if progress is not None and progress.seconds_left >= 0:
            return total + progress.seconds_left
        whole = self.seconds(running.recipe) if running.derivation is None else None
        return None if whole is None else total + whole * (1 - saved_part(running))


def saved_part(job: Job) -> float:
    """The part of a job that a checkpoint holds, 0 … 1."""
    return min(job.saved_step / job.saved_steps, 1.0) if job.saved_steps else 0.0


def _count(line: Sequence[Job]) -> dict[_Shape, tuple[Recipe, float]]:
    found: dict[_Shape, tuple[Recipe, float]] = {}
    for job in line:
        if job.state == "waiting":
            recipe = job.recipe
            shape = (recipe.model, recipe.width, recipe.height, recipe.frames, recipe.steps, recipe.batch)
            shape = (*shape, recipe.guidance > 1, recipe.sampler)
            found[shape] = (recipe, (found[shape][1] if shape in found else 0.0) + 1 - saved_part(job))
    return found
