"""The durable queue: every job is a row before it runs, so nothing that was asked for is lost."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from engine.jobs.job import Job, JobState
from engine.library.database import Database
from engine.library.naming import unused
from engine.protocol.errors import BadFile, BadRecipe, ErrorInfo
from engine.protocol.recipe import Recipe

KEPT_ENDED = 500
_BUSY_TIMEOUT = 0.5
_MIGRATIONS = (
    """
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
""",
)
_COLUMNS = (
    "id, recipe, model_folder, state, position, created, finished,"
    " output_folder, file_stem, files, error, engine_deaths"
)


class JobQueue:
    """Jobs in a SQLite file of our own: no other process gets in while it is open. Thread-safe.

    Rows that were running when the last owner ended are ``waiting`` again, before all others. ``damage`` is set where
    the file was damaged and had to be put aside.
    """

    def __init__(self, path: Path) -> None:
        """Raises ``LibraryBusy`` where another Laterna has it open, ``NotWritable`` or ``NoSpace``."""
        self.damage: ErrorInfo | None = None
        self.interrupted: tuple[str, ...] = ()
        try:
            self._database = Database(path, _MIGRATIONS, exclusive=True, busy_timeout=_BUSY_TIMEOUT)
        except BadFile as error:
            aside = unused(path.with_name(f"{path.stem}-damaged-{time.strftime('%Y%m%d')}{path.suffix}"))
            os.replace(path, aside)
            self.damage = ErrorInfo(
                "BadFile",
                f"The queue was damaged and is empty now; the old one is {aside}.",
                "Send the jobs again; finished files are not touched.",
                detail=str(error),
            )
            self._database = Database(path, _MIGRATIONS, exclusive=True, busy_timeout=_BUSY_TIMEOUT)
        try:
            self._recover()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._database.close()

    def add(self, jobs: Iterable[Job]) -> None:
        """Append jobs behind the waiting ones, in their order, all or none."""
        with self._database.writing() as connection:
            last = connection.execute("SELECT coalesce(max(position), 0) FROM jobs").fetchone()[0]
            connection.executemany(
                f"INSERT INTO jobs ({_COLUMNS}) VALUES ({', '.join('?' * 12)})",
                [_values(msgspec.structs.replace(job, position=last + n)) for n, job in enumerate(jobs, 1)],
            )

    def get(self, id: str) -> Job | None:
        found = self._select("WHERE id = ?", id)
        return found[0] if found else None

    def active(self) -> tuple[Job, ...]:
        """The running job, then the waiting ones in their order."""
        return tuple(self._select("WHERE state IN ('running', 'waiting') ORDER BY state, position"))

    def next(self) -> Job | None:
        """The first waiting job."""
        found = self._select("WHERE state = 'waiting' ORDER BY position LIMIT 1")
        return found[0] if found else None

    def ended(self, limit: int = 100) -> list[Job]:
        """Done, failed and cancelled jobs, the last one first; the newest ``KEPT_ENDED`` are kept."""
        return self._select("WHERE state IN ('done', 'failed', 'cancelled') ORDER BY finished DESC LIMIT ?", limit)

    def start(self, id: str, file_stem: str) -> None:
        """Mark a job as running; the name of its file is kept, so that a second try replaces what the first left."""
        with self._database.writing() as connection:
            connection.execute("UPDATE jobs SET state = 'running', file_stem = ? WHERE id = ?", (file_stem, id))

    def wait_again(self, id: str, engine_died: bool = False) -> None:
        """Put a running job back, before all others."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE jobs SET state = 'waiting', engine_deaths = engine_deaths + ?,"
                " position = (SELECT min(position) FROM jobs) - 1 WHERE id = ?",
                (int(engine_died), id),
            )

    def end(self, id: str, state: JobState, files: Iterable[str] = (), error: ErrorInfo | None = None) -> Job:
        """Mark a job as done, failed or cancelled; recipe and error are kept. Raises ``KeyError`` for an unknown id."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE jobs SET state = ?, finished = ?, files = ?, error = ? WHERE id = ?",
                (state, time.time(), _text(tuple(files)), _text(error) if error else None, id),
            )
            connection.execute(
                "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state IN ('done', 'failed', 'cancelled')"
                " ORDER BY finished DESC LIMIT -1 OFFSET ?)",
                (KEPT_ENDED,),
            )
        job = self.get(id)
        if job is None:
            raise KeyError(id)
        return job

    def move(self, id: str, index: int) -> None:
        """Make a waiting job the ``index``-th of the waiting (0 runs next); unknown ids are passed over."""
        with self._database.writing() as connection:
            waiting = connection.execute("SELECT id FROM jobs WHERE state = 'waiting' ORDER BY position")
            order = [row[0] for row in waiting]
            if id not in order:
                return
            order.remove(id)
            order.insert(max(0, index), id)
            connection.executemany("UPDATE jobs SET position = ? WHERE id = ?", list(enumerate(order, 1)))

    def _recover(self) -> None:
        self.interrupted = tuple(job.id for job in self._select("WHERE state = 'running' ORDER BY position"))
        for id in reversed(self.interrupted):
            self.wait_again(id)

    def _select(self, rest: str, *values: Any) -> list[Job]:
        with self._database.reading() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM jobs {rest}", values).fetchall()
        return [job for row in rows if (job := _job(row)) is not None]


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _values(job: Job) -> tuple[Any, ...]:
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
        _text(job.files),
        _text(job.error) if job.error else None,
        job.engine_deaths,
    )


def _job(row: tuple[Any, ...]) -> Job | None:
    """None for a row of a newer Laterna, which waits until that one is back."""
    id, recipe, model_folder, state, position, created, finished, output_folder, file_stem, files, error, deaths = row
    try:
        return Job(
            id=id,
            recipe=Recipe.from_json(recipe),
            model_folder=model_folder,
            state=state,
            position=position,
            created=created,
            finished=finished,
            output_folder=output_folder,
            file_stem=file_stem,
            files=msgspec.json.decode(files, type=tuple[str, ...]),
            error=msgspec.json.decode(error, type=ErrorInfo) if error else None,
            engine_deaths=deaths,
        )
    except (BadRecipe, msgspec.DecodeError):
        return None
