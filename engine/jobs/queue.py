"""The durable queue: every job is a row before it runs, so nothing that was asked for is lost."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from engine.jobs import rows
from engine.jobs.job import Job, JobState
from engine.library.database import Database
from engine.library.naming import numbered
from engine.media import atomic
from engine.protocol.errors import BadFile, ErrorInfo
from engine.protocol.recipe import Recipe

KEPT_ENDED = 500
SHOWN_STOPPED = 20
_BUSY_TIMEOUT = 0.5
_SMALLEST_GAP = 1e-6
_LINED_UP = ("waiting", "paused")
_ENDED = "('done', 'failed', 'cancelled')"


class JobQueue:
    """Jobs in a SQLite file of our own: no other process gets in while it is open. Used from one thread at a time.

    Those that run, wait or are paused are kept in memory too, so that a long queue slows nothing. Rows that were
    running when the last owner ended are ``waiting`` again, before all others. ``damage`` is set where the file was
    damaged and had to be put aside.
    """

    def __init__(self, path: Path) -> None:
        """Raises ``LibraryBusy`` where another Laterna has it open, ``NotWritable`` or ``NoSpace``."""
        self.damage: ErrorInfo | None = None
        self.interrupted: tuple[str, ...] = ()
        self._running: dict[str, Job] = {}
        self._line: list[Job] = []  # waiting and paused, by position
        try:
            self._begin(path)
        except BadFile as error:  # found as it is opened, or as its rows are read
            aside = atomic.move_new(
                path, numbered(path.with_name(f"{path.stem}-damaged-{time.strftime('%Y%m%d')}{path.suffix}"))
            )
            for suffix in ("-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            self.damage = ErrorInfo(
                "BadFile",
                f"The queue was damaged and is empty now; the old one is {aside}.",
                "Send the jobs again; finished files are not touched.",
                detail=str(error),
            )
            self._begin(path)

    def _begin(self, path: Path) -> None:
        self._database = Database(path, rows.MIGRATIONS, exclusive=True, busy_timeout=_BUSY_TIMEOUT)
        try:
            self._recover()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._database.close()

    # What is there

    def get(self, id: str) -> Job | None:
        found = self._running.get(id) or next((job for job in self._line if job.id == id), None)
        if found is not None:
            return found
        ended = self._select("WHERE id = ?", id)
        return ended[0] if ended else None

    def active(self) -> tuple[Job, ...]:
        """The running job, then those that wait or are paused, in their order."""
        return (*self._running.values(), *self._line)

    def next(self) -> Job | None:
        """The first waiting job."""
        return next((job for job in self._line if job.state == "waiting"), None)

    def ended(self, limit: int = 100) -> list[Job]:
        """Done, failed and cancelled jobs, the last one first; the newest ``KEPT_ENDED`` are kept."""
        return self._select(f"WHERE state IN {_ENDED} ORDER BY finished DESC LIMIT ?", limit)

    def stopped(self, limit: int = SHOWN_STOPPED) -> tuple[Job, ...]:
        """Jobs that were cancelled or failed on their way, and can go on from a checkpoint; the last one first."""
        return tuple(
            self._select(
                "WHERE state IN ('failed', 'cancelled') AND saved_step > 0 ORDER BY finished DESC LIMIT ?", limit
            )
        )

    @property
    def is_paused(self) -> bool:
        with self._database.reading() as connection:
            row = connection.execute("SELECT value FROM facts WHERE name = 'paused'").fetchone()
        return row is not None and row[0] == "1"

    def set_paused(self, paused: bool) -> None:
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES ('paused', ?)", ("1" if paused else "0",))

    # Changes; all of each, or none

    def add(self, jobs: Iterable[Job], behind: str = "") -> None:
        """Append jobs behind the last one, or behind the one named, in their order."""
        place = next((at for at, job in enumerate(self._line, 1) if job.id == behind), len(self._line))
        self._insert(list(jobs), place, is_new=True)

    def put_back(self, jobs: Iterable[Job]) -> None:
        """Take in again what ``remove`` gave, at the old places."""
        fresh = [job for job in jobs if self.get(job.id) is None and job.state != "running"]
        self._write(fresh)
        lined_up = [job for job in fresh if job.state in _LINED_UP]
        self._line = sorted([*self._line, *lined_up], key=lambda job: job.position)

    def remove(self, ids: Iterable[str]) -> tuple[Job, ...]:
        """Forget jobs that do not run; those that were there, in their order."""
        wanted = set(ids) - self._running.keys()
        removed = [job for job in self._line if job.id in wanted]
        found = {job.id for job in removed}
        removed += [job for id in wanted - found if (job := self.get(id)) is not None]
        with self._database.writing() as connection:
            connection.executemany("DELETE FROM jobs WHERE id = ?", [(job.id,) for job in removed])
        self._line = [job for job in self._line if job.id not in found]
        return tuple(removed)

    def start(self, id: str, file_stem: str, **known: object) -> None:
        """Mark a job as running; the name of its file is kept, so that a second try takes what the first left, and so
        is what is ``known`` by now: ``recipe`` or ``derivation`` with the content of what it is given."""
        at = next(at for at, job in enumerate(self._line) if job.id == id)
        self._running[id] = self._save(self._line[at], state="running", file_stem=file_stem, error=None, **known)
        del self._line[at]

    def wait_again(self, id: str, engine_died: bool = False, out_of_memory: bool = False) -> None:
        """Put a running job back, before all others."""
        job = self._running.get(id)
        if job is None:
            return
        deaths, level = job.engine_deaths + engine_died, job.memory_level + out_of_memory
        self._insert([replace(job, state="waiting", engine_deaths=deaths, memory_level=level)], 0)
        del self._running[id]

    def pause(self, ids: Iterable[str]) -> None:
        """Waiting jobs are passed over until ``resume``; a running one is put at the front so."""
        wanted = set(ids)
        for id in wanted & self._running.keys():
            self._insert([replace(self._running[id], state="paused")], 0)
            del self._running[id]
        self._change_line(wanted, "waiting", "paused")

    def resume(self, ids: Iterable[str]) -> None:
        """Paused jobs wait again where they are; ended ones come to the front."""
        wanted = list(dict.fromkeys(ids))
        self._change_line(set(wanted), "paused", "waiting")
        ended = [job for id in wanted if (job := self.get(id)) is not None and job.finished]
        again = [replace(job, state="waiting", finished=0.0, error=None, engine_deaths=0, files=()) for job in ended]
        self._insert(again, 0)

    def end(self, id: str, state: JobState, files: Iterable[str] = (), error: ErrorInfo | None = None) -> Job:
        """Mark a job as done, failed or cancelled; recipe and error are kept. Raises ``KeyError`` for an unknown id."""
        job = self._running.get(id) or next((job for job in self._line if job.id == id), None)
        if job is None:
            raise KeyError(id)
        saved = 0 if state == "done" else job.saved_step
        ended = self._save(job, state=state, finished=time.time(), files=tuple(files), error=error, saved_step=saved)
        self._running.pop(id, None)
        self._line = [job for job in self._line if job.id != id]
        with self._database.writing() as connection:
            connection.execute(
                f"DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state IN {_ENDED}"
                " ORDER BY finished DESC LIMIT -1 OFFSET ?)",
                (KEPT_ENDED,),
            )
        return ended

    def move(self, ids: Sequence[str], index: int) -> None:
        """Make jobs the ``index``-th and following of those that wait or are paused (0 runs next), as they were
        ordered; unknown ids are passed over."""
        wanted = set(ids)
        moving = [job for job in self._line if job.id in wanted]
        if not moving:
            return
        self._line = [job for job in self._line if job.id not in wanted]
        self._insert(moving, max(0, min(index, len(self._line))))

    def edit(self, id: str, recipe: Recipe, model_folder: str) -> bool:
        """Give a job that waits or is paused another recipe; it waits, without a checkpoint. False for others."""
        for at, job in enumerate(self._line):
            if job.id == id:
                self._line[at] = self._save(
                    job, recipe=recipe, model_folder=model_folder, state="waiting", saved_step=0, label="", file_stem=""
                )
                return True
        return False

    def set_saved(self, id: str, step: int, steps: int) -> None:
        """A checkpoint holds the first ``step`` of ``steps`` steps, or nothing any more where ``step`` is 0."""
        if id in self._running:
            self._running[id] = self._save(self._running[id], saved_step=step, saved_steps=steps)
            return
        with self._database.writing() as connection:
            connection.execute("UPDATE jobs SET saved_step = ?, saved_steps = ? WHERE id = ?", (step, steps, id))
        self._line = [replace(job, saved_step=step, saved_steps=steps) if job.id == id else job for job in self._line]

    # Inner

    def _recover(self) -> None:
        running = self._select("WHERE state = 'running' ORDER BY position")
        self._line = self._select("WHERE state IN ('waiting', 'paused') ORDER BY position")
        self._running = {job.id: job for job in running}
        self.interrupted = tuple(self._running)
        for id in reversed(self.interrupted):
            self.wait_again(id)

    def _insert(self, jobs: list[Job], place: int, is_new: bool = False) -> None:
        """Write ``jobs`` and put them before the ``place``-th of the line, at positions between its neighbours."""
        if not jobs:
            return
        low = self._line[place - 1].position if place else None
        high = self._line[place].position if place < len(self._line) else None
        if low is None:
            low = (high if high is not None else len(jobs) + 1) - len(jobs) - 1
        step = 1.0 if high is None else (high - low) / (len(jobs) + 1)
        placed = [replace(job, position=low + step * number) for number, job in enumerate(jobs, 1)]
        line = [*self._line[:place], *placed, *self._line[place:]]
        if step < _SMALLEST_GAP:
            line = [replace(job, position=float(number)) for number, job in enumerate(line, 1)]
            placed, is_new = line, False
        self._write(placed, is_new)
        self._line = line

    def _change_line(self, ids: set[str], state: JobState, becomes: JobState) -> None:
        changed = [job.id for job in self._line if job.id in ids and job.state == state]
        with self._database.writing() as connection:
            connection.executemany("UPDATE jobs SET state = ? WHERE id = ?", [(becomes, id) for id in changed])
        known = set(changed)
        self._line = [replace(job, state=becomes) if job.id in known else job for job in self._line]

    def _save(self, job: Job, **changes: Any) -> Job:
        changed = replace(job, **changes)
        self._write([changed])
        return changed

    def _write(self, jobs: list[Job], is_new: bool = False) -> None:
        how = "INSERT" if is_new else "INSERT OR REPLACE"
        with self._database.writing() as connection:
            connection.executemany(
                f"{how} INTO jobs ({rows.COLUMNS}) VALUES ({rows.PLACES})", [rows.values(job) for job in jobs]
            )

    def _select(self, rest: str, *values: Any) -> list[Job]:
        with self._database.reading() as connection:
            found = connection.execute(f"SELECT {rows.COLUMNS} FROM jobs {rest}", values).fetchall()
        return [job for row in found if (job := rows.job(row)) is not None]
