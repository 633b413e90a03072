"""The queue's tables, and a job as a row of them."""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from engine.jobs.job import Job, JobState
from engine.protocol.derivation import Derivation
from engine.protocol.errors import BadRecipe, ErrorInfo
from engine.protocol.recipe import Recipe

# A script that was released is never changed: the next one is added.
_FIRST = """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    recipe TEXT NOT NULL,
    model_folder TEXT NOT NULL,
    state TEXT NOT NULL,
    position INTEGER NOT NULL,
    created REAL NOT NULL,
    finished REAL NOT NULL DEFAULT 0,
    output_folder TEXT NOT NULL,
    file_stem TEXT NOT NULL,
    files TEXT NOT NULL DEFAULT '[]',
    error TEXT,
    engine_deaths INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX jobs_order ON jobs (state, position);
"""
# Positions may be fractions: a job that is moved comes between its neighbours, and no other row is written.
_SECOND = """
ALTER TABLE jobs ADD COLUMN group_id TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN label TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN memory_level INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN saved_step INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN saved_steps INTEGER NOT NULL DEFAULT 0;
CREATE INDEX jobs_ended ON jobs (finished) WHERE state IN ('done', 'failed', 'cancelled');
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
# What the job makes from something, NULL where it generates.
_THIRD = """
ALTER TABLE jobs ADD COLUMN derivation TEXT;
"""
MIGRATIONS = (_FIRST, _SECOND, _THIRD)

COLUMNS = (
    "id, recipe, model_folder, state, position, created, finished, output_folder, file_stem, files, error,"
    " engine_deaths, group_id, label, memory_level, saved_step, saved_steps, derivation"
)
PLACES = ", ".join("?" * len(COLUMNS.split(",")))


def text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def values(job: Job) -> tuple[Any, ...]:
    return (
        job.id,
        job.recipe.to_json(),
        job.model_folder,
        job.state,
        job.position,
        job.created,
        job.finished,
        job.output_folder,
        job.file_stem,
        text(job.files),
        text(job.error) if job.error else None,
        job.engine_deaths,
        job.group,
        job.label,
        job.memory_level,
        job.saved_step,
        job.saved_steps,
        job.derivation.to_json() if job.derivation is not None else None,
    )


def job(row: tuple[Any, ...]) -> Job | None:
    """None for a row of a newer Laterna, which waits until that one is back, and for one that is damaged: it stops no
    other."""
    id, recipe, model_folder, state, position, created, finished, folder, stem, files, error, *rest = row
    deaths, group, label, memory_level, saved_step, saved_steps, derivation = rest
    try:
        texts, numbers = (id, model_folder, folder, stem, group, label), (deaths, memory_level, saved_step, saved_steps)
        is_sound = all(isinstance(one, str) for one in texts) and all(isinstance(one, int) for one in numbers)
        if not is_sound or state not in get_args(JobState):
            return None
        return Job(
            id,
            Recipe.from_json(recipe),
            model_folder,
            state,
            float(position),
            float(created),
            float(finished or 0.0),
            folder,
            stem,
            msgspec.json.decode(files, type=tuple[str, ...]),
            msgspec.json.decode(error, type=ErrorInfo) if error else None,
            deaths,
            group,
            label,
            memory_level,
            saved_step,
            saved_steps,
            Derivation.from_json(derivation) if derivation else None,
        )
    except (BadRecipe, msgspec.DecodeError, TypeError, ValueError, RecursionError):
        return None
