"""What people do to the queue, on the service's thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from engine.jobs.dispatcher import Dispatcher
from engine.jobs.job import Job
from engine.jobs.notices import JobsRemoved, Notice
from engine.jobs.submission import duplicate, make_jobs
from engine.protocol.recipe import Recipe


class QueueCommands:
    """Each changes the queue, has it told, and lets the next job begin."""

    def __init__(self, dispatcher: Dispatcher, notify: Callable[[Notice], None]) -> None:
        self._dispatcher = dispatcher
        self._queue = dispatcher.queue
        self._notify = notify

    def add(self, jobs: tuple[Job, ...]) -> None:
        self._dispatcher.change(partial(self._queue.add, jobs))

    def cancel(self, id: str) -> None:
        if self._dispatcher.interrupt(id, "cancel"):
            return
        job = self._queue.get(id)
        if job is not None and job.state in ("waiting", "paused"):
            self._dispatcher.end(id, "cancelled")
            self._dispatcher.queue_changed()

    def remove(self, ids: tuple[str, ...]) -> None:
        for id in ids:
            self._dispatcher.interrupt(id, "cancel")
        removed = self._queue.remove(ids)
        self._dispatcher.queue_changed()
        if removed:
            self._notify(JobsRemoved(removed))

    def clear(self) -> None:
        self.remove(tuple(job.id for job in self._queue.active() if job.state != "running"))

    def duplicate(self, ids: tuple[str, ...]) -> None:
        for id in ids:
            job = self._queue.get(id)
            if job is not None:
                self._queue.add([duplicate(job)], behind=id)
        self._dispatcher.change()

    def edit(self, id: str, recipe: Recipe, model_folder: str) -> None:
        if self._queue.edit(id, recipe, model_folder):
            self._dispatcher.remove_checkpoint(id)
        else:
            self._queue.add(make_jobs(recipe, model_folder))
        self._dispatcher.change()

    def pause(self, ids: tuple[str, ...]) -> None:
        for id in ids:
            self._dispatcher.interrupt(id, "pause")
        self._dispatcher.change(partial(self._queue.pause, [id for id in ids if not self._dispatcher.runs(id)]))

    def resume(self, ids: tuple[str, ...]) -> None:
        for id in ids:
            self._dispatcher.take_pause_back(id)
        self._dispatcher.change(partial(self._queue.resume, ids))

    def set_paused(self, paused: bool) -> None:
        self._queue.set_paused(paused)
        self._dispatcher.paused = paused
        if paused:
            self._dispatcher.put_running_back()
        self._dispatcher.change()
