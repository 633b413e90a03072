"""The job service: one thread that owns the queue and the engine, and tells what happens as notices."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

import msgspec

from engine.jobs import inbox, output
from engine.jobs.checkpoints import CheckpointFolder
from engine.jobs.job import Job, JobState
from engine.jobs.keeper import EngineKeeper
from engine.jobs.notices import (
    EngineStateChanged,
    JobEnded,
    JobProgressed,
    JobsRemoved,
    LibraryChanged,
    MemoryShown,
    Notice,
    PlanLowered,
    PreviewShown,
    QueueChanged,
    ServiceFailed,
)
from engine.jobs.queue import KEPT_ENDED, JobQueue
from engine.jobs.running import Intent, Running
from engine.jobs.submission import check, duplicate, make_jobs, make_variations
from engine.jobs.variations import Axis
from engine.jobs.watchdog import Patience
from engine.library.library import Library
from engine.models.adapters import locate
from engine.protocol import events
from engine.protocol.commands import CHECKPOINT_SHARE, Cancel, Generate
from engine.protocol.errors import EngineDied, ErrorInfo, LaternaError, ProtocolError
from engine.protocol.recipe import Recipe

MAX_ENGINE_DEATHS = 3
CANCEL_PATIENCE = 60.0


class JobService:
    """Qt-free and torch-free. ``run`` works in the caller's thread until ``stop``; every other method may be called
    from any thread and returns at once: it is carried out in ``run``, in order, and answered with notices.

    The engine is started at once and started again whenever it ends or is stuck. A job whose engine died goes on from
    its checkpoint; after ``MAX_ENGINE_DEATHS`` it is set aside as failed, with the engine's log in
    ``job.error.detail``. Where the engine never gets ready, ``EngineStateChanged("stopped", error=…)`` says so and the
    jobs wait for ``restart_engine``.
    """

    def __init__(
        self,
        *,
        queue_database: Path,
        library: Library,
        output_folder: Path,
        cache_folder: Path,
        engine_log: Path,
        adapter_folder: Path,
        notify: Callable[[Notice], None],
        engine_command: list[str] | None = None,
        preview_interval: Callable[[], float] = lambda: 0.1,
        a1111_parameters: Callable[[], bool] = lambda: False,
        keep_free: Callable[[], int] = lambda: 0,
        cancel_patience: float = CANCEL_PATIENCE,
        checkpoint_folder: Path | None = None,
        checkpoint_share: float = CHECKPOINT_SHARE,
        wait_after_start: bool = False,
        patience: Patience | None = None,
    ) -> None:
        """Opens the queue: raises ``LibraryBusy`` where another Laterna has it, ``NotWritable`` or ``NoSpace``.

        ``notify`` is called on the thread of ``run``. ``cancel_patience``: seconds after which an engine that does not
        answer a cancel is ended by force; ``patience`` is that with a silent one. ``keep_free`` and
        ``checkpoint_share`` are ``Generate``'s. ``checkpoint_folder`` is by default beside the queue.
        ``wait_after_start``: jobs that are left from before wait until ``resume_queue``. The library stays the caller's
        to close, after ``run`` has returned.
        """
        self._library = library
        self._output_folder = Path(output_folder)
        self._cache_folder = Path(cache_folder)
        self._adapter_folder = Path(adapter_folder)
        self._notify = notify
        self._preview_interval = preview_interval
        self._a1111_parameters = a1111_parameters
        self._keep_free = keep_free
        self._checkpoint_share = checkpoint_share
        self._cancel_patience = cancel_patience
        self._inbox: SimpleQueue[inbox.Message] = SimpleQueue()
        self._queue = JobQueue(Path(queue_database))
        self._paused = self._queue.is_paused
        if wait_after_start and self._queue.next() is not None:
            self._paused = True
        self._checkpoints = CheckpointFolder(checkpoint_folder or Path(queue_database).with_name("checkpoints"))
        self._engine = EngineKeeper(
            on_event=lambda generation, event, blob: self._inbox.put(inbox.EngineSaid(generation, event, blob)),
            on_exit=lambda generation, error: self._inbox.put(inbox.EngineExited(generation, error)),
            notify=notify,
            log_file=Path(engine_log),
            command=engine_command,
            patience=patience,
        )
        self._running: Running | None = None
        self._stopping = threading.Event()

    # From any thread

    def submit(
        self,
        recipe: Recipe,
        model_folder: Path | str,
        count: int = 1,
        output_folder: str = "",
        file_stem: str = "",
        texts: Sequence[tuple[str, str]] = (),
    ) -> list[str]:
        """Queue ``count`` jobs with the seeds ``seed``, ``seed + 1``, … and return their ids. Raises ``BadRecipe``.

        From the second job on a ``file_stem`` gets ``-2``, ``-3`` …; a name that is taken is passed over.
        ``texts``: prompt and negative prompt of each job, where they are not the recipe's.
        """
        return self._submit(make_jobs(recipe, model_folder, count, output_folder, file_stem, texts))

    def submit_variations(
        self,
        recipe: Recipe,
        model_folder: Path | str,
        axes: Sequence[Axis],
        output_folder: str = "",
        file_stem: str = "",
    ) -> list[str]:
        """Queue a job for every combination of the values of one or two settings. Raises ``BadRecipe``."""
        return self._submit(make_variations(recipe, model_folder, axes, output_folder, file_stem))

    def _submit(self, jobs: tuple[Job, ...]) -> list[str]:
        self._ask(self._add, jobs)
        return [job.id for job in jobs]

    def cancel(self, job_id: str) -> None:
        """Take a waiting job out, or stop the running one; ``JobEnded`` follows. Ended jobs are passed over."""
        self._ask(self._cancel, job_id)

    def remove(self, job_ids: Iterable[str]) -> None:
        """Forget jobs that do not run; ``JobsRemoved`` follows. A running one is cancelled."""
        self._ask(self._remove, tuple(job_ids))

    def clear_waiting(self) -> None:
        """Remove every job that waits or is paused; the running one goes on."""
        self._ask(self._clear)

    def put_back(self, jobs: Iterable[Job]) -> None:
        """Take in again what ``JobsRemoved`` told, where it was."""
        self._ask(self._change, partial(self._queue.put_back, tuple(jobs)))

    def move(self, job_ids: str | Sequence[str], position: int) -> None:
        """Make jobs the ``position``-th and following of those that do not run; 0 runs next."""
        ids = (job_ids,) if isinstance(job_ids, str) else tuple(job_ids)
        self._ask(self._change, partial(self._queue.move, ids, position))

    def duplicate(self, job_ids: Iterable[str]) -> None:
        """Queue each job once more behind itself, with the next seed."""
        self._ask(self._duplicate, tuple(job_ids))

    def edit(self, job_id: str, recipe: Recipe, model_folder: Path | str) -> None:
        """Give a job that does not run yet another recipe; it waits at its place. Raises ``BadRecipe``.

        Where the job is no longer there, the recipe is queued as a new one.
        """
        check(recipe)
        self._ask(self._edit, job_id, recipe, str(model_folder))

    def pause(self, job_ids: Iterable[str]) -> None:
        """Waiting jobs are passed over; the running one is stopped, to go on from where it was."""
        self._ask(self._pause, tuple(job_ids))

    def resume(self, job_ids: Iterable[str]) -> None:
        """Paused jobs wait again; cancelled and failed ones run next, from their checkpoints where there are some."""
        self._ask(self._resume, tuple(job_ids))

    def pause_queue(self) -> None:
        """Begin nothing, and stop the running job, to go on from where it was. It stays so over a restart."""
        self._ask(self._set_paused, True)

    def resume_queue(self) -> None:
        self._ask(self._set_paused, False)

    def preload(self, model_folder: Path | str) -> None:
        """Have the engine load a model while it is idle."""
        self._ask(self._engine.preload, str(model_folder))

    def restart_engine(self) -> None:
        """End the engine by force and start a fresh one; a running job goes on from its checkpoint."""
        self._ask(self._engine.restart)

    def stop(self) -> None:
        """Make ``run`` return: the running job is stopped and waits for the next start, the engine ends."""
        self._stopping.set()
        self._ask(lambda: None)

    def close(self) -> None:
        """Only for a service whose ``run`` was never called: let go of the queue."""
        self._queue.close()

    def _ask(self, action: Callable[..., None], *values: object) -> None:
        self._inbox.put(inbox.Ask(partial(action, *values)))

    # The loop

    def run(self) -> None:
        """Block until ``stop``. The engine is a child of this thread and ends with it."""
        reconciler = threading.Thread(target=self._reconcile, name="library-reconcile")
        try:
            for damage in (self._queue.damage, self._library.damage):
                if damage is not None:
                    self._notify(ServiceFailed(damage))
            self._engine.start()
            reconciler.start()
            self._guarded(self._settle)
            self._queue_changed()
            while not self._stopping.is_set():
                self._guarded(self._take_one)
        finally:
            self._stopping.set()
            self._engine.shutdown()
            if reconciler.ident is not None:
                reconciler.join()
            while not self._inbox.empty():
                self._guarded(self._take_one)
            if self._running is not None:
                self._guarded(lambda: self._engine_left_job(None, counts=False))
            self._queue.close()
            self._notify(EngineStateChanged("stopped", "Laterna has stopped."))

    def _take_one(self) -> None:
        with suppress(Empty):
            self._handle(self._inbox.get(timeout=self._patience()))
        self._time_passed()

    def _guarded(self, action: Callable[[], None]) -> None:
        """A full disk or a busy database is told, and the service goes on."""
        try:
            action()
        except LaternaError as error:
            self._notify(ServiceFailed(error.info()))

    def _patience(self) -> float | None:
        """Seconds until something is due, or None."""
        due = [self._engine.due(), self._running.give_up_at if self._running else None]
        times = [moment for moment in due if moment is not None]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _time_passed(self) -> None:
        if self._stopping.is_set():
            return
        now = time.monotonic()
        running = self._running
        if running and running.give_up_at is not None and now >= running.give_up_at:
            running.give_up_at = now + self._cancel_patience
            self._engine.restart()
        self._engine.time_passed(now)

    def _handle(self, message: inbox.Message) -> None:
        match message:
            case inbox.Ask(action):
                action()
            case inbox.EngineSaid(generation, event, blob):
                if generation == self._engine.generation:
                    self._engine_said(event, blob)
            case inbox.EngineExited(generation, error):
                if generation == self._engine.generation and not self._stopping.is_set():
                    self._engine_exited(error)
            case inbox.LibraryReconciled(change, error):
                if change is not None and change != LibraryChanged():
                    self._notify(change)
                if error is not None:
                    self._notify(ServiceFailed(error.info()))

    # The queue

    def _add(self, jobs: tuple[Job, ...]) -> None:
        self._change(partial(self._queue.add, jobs))

    def _change(self, action: Callable[[], object]) -> None:
        """Change the queue, tell, and give the engine what is its turn now."""
        try:
            action()
        finally:
            self._queue_changed()
        self._dispatch()

    def _cancel(self, id: str) -> None:
        if self._interrupt(id, "cancel"):
            return
        job = self._queue.get(id)
        if job is not None and job.state in ("waiting", "paused"):
            self._end(id, "cancelled")
            self._queue_changed()

    def _remove(self, ids: tuple[str, ...]) -> None:
        for id in ids:
            self._interrupt(id, "cancel")
        removed = self._queue.remove(ids)
        self._queue_changed()
        if removed:
            self._notify(JobsRemoved(removed))

    def _clear(self) -> None:
        self._remove(tuple(job.id for job in self._queue.active() if job.state != "running"))

    def _duplicate(self, ids: tuple[str, ...]) -> None:
        for id in ids:
            job = self._queue.get(id)
            if job is not None:
                self._queue.add([duplicate(job)], behind=id)
        self._change(lambda: None)

    def _edit(self, id: str, recipe: Recipe, model_folder: str) -> None:
        if self._queue.edit(id, recipe, model_folder):
            self._checkpoints.remove(id)
        else:
            self._queue.add(make_jobs(recipe, model_folder))
        self._change(lambda: None)

    def _pause(self, ids: tuple[str, ...]) -> None:
        for id in ids:
            self._interrupt(id, "pause")
        self._change(partial(self._queue.pause, [id for id in ids if not self._runs(id)]))

    def _resume(self, ids: tuple[str, ...]) -> None:
        for id in ids:
            if self._runs(id) and self._running is not None and self._running.intent == "pause":
                self._running.intent = "put_back"
        self._change(partial(self._queue.resume, ids))

    def _set_paused(self, paused: bool) -> None:
        self._queue.set_paused(paused)
        self._paused = paused
        if paused and self._running is not None:
            self._interrupt(self._running.job.id, "put_back")
        self._change(lambda: None)

    def _queue_changed(self) -> None:
        self._notify(QueueChanged(self._queue.active(), self._paused, self._queue.stopped()))

    def _settle(self) -> None:
        """After a start: a job whose file was saved just before the last end is done, the others are waiting already;
        and checkpoints and jobs agree."""
        for id in self._queue.interrupted:
            job = self._queue.get(id)
            if job is not None and (path := output.finished_file(job, self._folder(job))) is not None:
                self._end(id, "done", (str(path),))
        jobs = [*self._queue.active(), *self._queue.stopped(KEPT_ENDED)]
        self._checkpoints.keep_only({job.id for job in jobs})
        there = self._checkpoints.steps()
        for job in jobs:
            found = there.get(job.id, (0, 0))
            if found != (job.saved_step, job.saved_steps) and (found[0] or job.saved_step):
                self._queue.set_saved(job.id, *found)
        self._bound_checkpoints()

    def _bound_checkpoints(self) -> None:
        running = {self._running.job.id} if self._running is not None else set()
        for id in self._checkpoints.bound(running, {job.id for job in self._queue.stopped(KEPT_ENDED)}):
            self._queue.set_saved(id, 0, 0)

    # The job in hand

    def _runs(self, id: str) -> bool:
        return self._running is not None and self._running.job.id == id

    def _dispatch(self) -> None:
        """Give the engine the next job if it is ready and idle."""
        while self._engine.ready and self._running is None and not self._stopping.is_set():
            job = None if self._paused else self._queue.next()
            if job is None:
                self._engine.idle()
                return
            self._begin(job)

    def _begin(self, job: Job) -> None:
        folder = self._folder(job)
        try:
            output.prepare(folder, job.recipe)
            adapter_files = locate(job.recipe.adapters, self._adapter_folder)
        except LaternaError as error:
            self._end(job.id, "failed", error=error.info())
            self._queue_changed()
            return
        stem = output.stem_for(job, folder, time.time())
        self._queue.start(job.id, stem)
        self._running = Running(job)
        self._queue_changed()
        self._engine.work(
            Generate(
                job=job.id,
                recipe=job.recipe,
                model_folder=job.model_folder,
                output_folder=str(folder),
                file_stem=stem,
                preview_interval=self._preview_interval(),
                a1111_parameters=self._a1111_parameters(),
                cache_folder=str(self._cache_folder),
                adapter_files=tuple(map(str, adapter_files)),
                checkpoint=str(self._checkpoints.path(job.id)),
                checkpoint_share=self._checkpoint_share,
                memory_level=job.memory_level,
                keep_free=self._keep_free(),
            )
        )

    def _interrupt(self, id: str, intent: Intent) -> bool:
        """Have the engine stop the running job, if that is ``id``; a cancel is not taken back."""
        running = self._running
        if running is None or running.job.id != id:
            return False
        if running.intent != "cancel":
            running.intent = intent
        if running.give_up_at is None:
            running.give_up_at = time.monotonic() + self._cancel_patience
            self._engine.send(Cancel(id))
        return True

    def _end(
        self,
        id: str,
        state: JobState,
        files: tuple[str, ...] = (),
        error: ErrorInfo | None = None,
        measured: events.JobFinished | None = None,
    ) -> None:
        """Write down how a job ended, take its files into the library, and tell."""
        item_ids = self._take_in(files)
        if state == "done":
            self._checkpoints.remove(id)
        ended = JobEnded(self._queue.end(id, state, files, error), item_ids)
        if measured is not None:
            ended = msgspec.structs.replace(ended, seconds=measured.seconds, peak_memory=measured.peak_memory)
        self._notify(ended)

    def _running_ended(self, state: JobState, files: tuple[str, ...] = (), error: ErrorInfo | None = None) -> None:
        running, self._running = self._running, None
        assert running is not None
        try:
            self._end(running.job.id, state, files, error, None if running.is_resumed else running.finished)
            self._bound_checkpoints()
        finally:
            self._change(lambda: None)

    def _interrupted(self, running: Running) -> None:
        """The engine stopped the job, as it was asked to."""
        intent: Intent = running.intent or ("put_back" if self._stopping.is_set() else "cancel")
        if intent == "cancel":
            self._running_ended("cancelled")
            return
        self._running = None
        if intent == "pause":
            self._queue.pause([running.job.id])
        else:
            self._queue.wait_again(running.job.id)
        self._bound_checkpoints()
        self._notify(JobProgressed(running.job.id, "waiting", 0, running.job.recipe.steps, 0.0))
        self._change(lambda: None)

    def _take_in(self, files: tuple[str, ...]) -> tuple[int, ...]:
        ids: list[int] = []
        for path in files:
            try:
                ids.append(self._library.add(Path(path)).id)
            except LaternaError as error:
                self._notify(ServiceFailed(error.info()))  # the file is safe; the next start takes it in
        if ids:
            self._notify(LibraryChanged(added=tuple(ids)))
        return tuple(ids)

    def _folder(self, job: Job) -> Path:
        return Path(job.output_folder) if job.output_folder else self._output_folder

    # The engine

    def _engine_said(self, event: events.Event, blob: bytes) -> None:
        self._engine.heard(event)
        match event:
            case events.EngineReady():
                self._dispatch()
            case events.MemoryChanged():
                self._notify(MemoryShown(event))
            case events.CommandRefused(error):
                if self._running is not None and not self._running.started:
                    self._engine.worked(to_an_end=False)
                    self._running_ended("failed", error=error)
                else:
                    self._notify(ServiceFailed(error))
            case events.EngineWarming() | events.Preloaded() | events.Pong() | events.Pulse():
                pass
            case _:
                if self._runs(event.job):  # otherwise of a job that was given up
                    self._job_said(event, blob)

    def _job_said(self, event: events.JobEvent, blob: bytes) -> None:
        running = self._running
        assert running is not None
        running.started = True
        match event:
            case events.JobStarted():
                self._notify(running.progress.now())
            case events.StageChanged():
                self._notify(running.progress.stage_changed(event))
            case events.StepDone():
                self._notify(running.progress.step_done(event))
            case events.PreviewReady(job, step, width, height, frames):
                self._notify(PreviewShown(job, step, width, height, frames, blob))
            case events.JobResumed():
                running.is_resumed = True
                self._notify(running.progress.resumed(event))
            case events.ResumeRefused(job, error):
                self._checkpoints.remove(job)
                self._queue.set_saved(job, 0, 0)
                self._notify(ServiceFailed(error))
            case events.PlanLowered(_job, _stage, message):
                self._notify(PlanLowered(message))
            case events.CheckpointSaved(job, step, steps):
                self._queue.set_saved(job, step, steps)
            case events.JobFinished(_job, files):
                self._engine.worked(to_an_end=True)
                running.finished = event
                self._finished(tuple(file.path for file in sorted(files, key=lambda file: file.index)))
            case events.JobCancelled():
                self._engine.worked(to_an_end=True)
                self._interrupted(running)
            case events.JobFailed(_job, error):
                self._engine.worked(to_an_end=True)
                self._running_ended("failed", error=error)

    def _finished(self, files: tuple[str, ...]) -> None:
        lost = [file for file in files if not Path(file).is_file()]
        if files and not lost:
            self._running_ended("done", files)
            return
        nonsense = ProtocolError(
            f"The engine says that it saved {lost[0] if lost else 'a result'}, which is not there.",
            "Run the job again; if it happens again, report it.",
        )
        self._running_ended("failed", error=nonsense.info())

    def _engine_exited(self, error: LaternaError | None) -> None:
        wanted = self._engine.exited(error)
        if self._running is not None:
            self._engine_left_job(error, counts=not wanted)
        if wanted:
            self._engine.start()

    def _engine_left_job(self, error: LaternaError | None, counts: bool) -> None:
        """The engine ended with a job in hand: it is done if its file is there, otherwise it is tried again, unless it
        was being stopped or it is hopeless."""
        running = self._running
        assert running is not None
        job = running.job
        current = self._queue.get(job.id) or job
        if (path := output.finished_file(current, self._folder(job))) is not None:
            self._running_ended("done", (str(path),))
        elif running.intent:
            self._interrupted(running)
        elif counts and job.engine_deaths + 1 >= MAX_ENGINE_DEATHS:
            failure = EngineDied(
                f"The engine ended {MAX_ENGINE_DEATHS} times while working on this.",
                "Try a smaller size, or another model; the log says more.",
                detail=error.detail if error is not None else "",
            )
            self._queue.wait_again(job.id, engine_died=True)
            self._running_ended("failed", error=failure.info())
        else:
            memory = isinstance(error, EngineDied) and error.memory_suspected
            self._running = None
            self._queue.wait_again(job.id, engine_died=counts, out_of_memory=counts and memory)
            self._queue_changed()
            self._notify(JobProgressed(job.id, "waiting", 0, job.recipe.steps, 0.0))

    def _reconcile(self) -> None:
        try:
            change = self._library.reconcile(should_stop=self._stopping.is_set)
        except LaternaError as error:
            self._inbox.put(inbox.LibraryReconciled(None, error))
        else:
            self._inbox.put(inbox.LibraryReconciled(change))
