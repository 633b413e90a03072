"""What the queue's list shows, a line each: jobs, and groups of jobs that were asked for at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from engine.jobs.job import Job
from ui.formats import number
from ui.library.captions import derivation_title, recipe_title

SMALLEST_GROUP = 2


@dataclass(frozen=True)
class QueueRow:
    """A job, or a group (``job`` is its first, ``jobs`` all). ``place`` is the first one's place in the line, 0 runs
    next, and −1 for a job that was stopped. ``depth`` 1 is inside an open group."""

    key: str
    job: Job
    jobs: tuple[Job, ...]
    place: int
    is_group: bool = False
    is_open: bool = False
    depth: int = 0

    @property
    def ids(self) -> list[str]:
        return [job.id for job in self.jobs]

    @property
    def is_stopped(self) -> bool:
        return self.place < 0


def make_rows(line: Sequence[Job], stopped: Sequence[Job], open_groups: Collection[str]) -> list[QueueRow]:
    """Neighbours of one group are shown as one, closed unless its key is in ``open_groups``."""
    rows: list[QueueRow] = []
    seen: Counter[str] = Counter()  # a group may be torn apart by moving
    at = 0
    while at < len(line):
        job, end = line[at], at + 1
        if job.group:
            while end < len(line) and line[end].group == job.group:
                end += 1
        if end - at < SMALLEST_GROUP:
            rows.append(QueueRow(job.id, job, (job,), at))
            at += 1
            continue
        jobs = tuple(line[at:end])
        key = f"group {job.group} {seen[job.group]}"
        seen[job.group] += 1
        is_open = key in open_groups
        rows.append(QueueRow(key, job, jobs, at, is_group=True, is_open=is_open))
        if is_open:
            rows.extend(QueueRow(one.id, one, (one,), at + n, depth=1) for n, one in enumerate(jobs))
        at = end
    rows.extend(QueueRow(f"stopped {job.id}", job, (job,), -1) for job in stopped)
    return rows


def title(row: QueueRow) -> str:
    return job_title(row.job)


def job_title(job: Job) -> str:
    """Out of its prompt; a derivation's out of its source, which may have none."""
    if job.derivation is None:
        return recipe_title(job.recipe)
    return recipe_title(job.source_recipe, Path(job.derivation.source.name))


def details(job: Job) -> str:
    """Model, size and length of a job in one line."""
    if job.derivation is not None:
        return f"{derivation_title(job.derivation)}  ·  {job.derivation.source.name}"
    recipe = job.recipe
    parts = [recipe.model, f"{recipe.width} × {recipe.height}"]
    if recipe.frames > 1 and recipe.fps:
        parts.append(number(recipe.frames / recipe.fps, 1) + " s")
    if recipe.batch > 1:
        parts.append(f"× {recipe.batch}")
    return "  ·  ".join(parts)


def subtitle(row: QueueRow) -> str:
    """What is below a row's title: how it stands, and what is being made."""
    job = row.job
    if row.is_group:
        count = _tr("{0} variations") if job.derivation is None else _tr("{0} files")
        parts = [count.format(len(row.jobs))]
        if all(one.state == "paused" for one in row.jobs):
            parts.append(_tr("paused"))
        return "  ·  ".join([*parts, details(job)])
    parts = [state(job)] if state(job) else []
    return "  ·  ".join([*parts, job.label or details(job)])


def state(job: Job) -> str:
    """How a job that does not run stands; empty for one that simply waits."""
    names = {"paused": _tr("Paused"), "cancelled": _tr("Cancelled"), "failed": _tr("Failed")}
    name = names.get(job.state, "")
    if not job.saved_step:
        return name
    if job.saved_step >= job.saved_steps:
        return _tr("{0} before decoding").format(name or _tr("Goes on"))
    if not name:
        return _tr("Goes on from step {0} of {1}").format(job.saved_step, job.saved_steps)
    return _tr("{0} at step {1} of {2}").format(name, job.saved_step, job.saved_steps)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Queue", text)
