"""The job service: one thread that owns the queue and the engine, and tells what happens as notices."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from engine.jobs import inbox, output
from engine.jobs.job import Job, JobState
from engine.jobs.notices import (
    EngineState,
    EngineStateChanged,
    JobEnded,
    JobProgressed,
    LibraryChanged,
    MemoryShown,
    Notice,
    PreviewShown,
    QueueChanged,
    ServiceFailed,
)
from engine.jobs.progress import Progress
from engine.jobs.queue import JobQueue
from engine.jobs.submission import make_jobs
from engine.jobs.supervisor import EngineSupervisor
from engine.library.library import Library
from engine.models.adapters import locate
from engine.protocol import events
from engine.protocol.commands import Cancel, Generate, Preload
from engine.protocol.errors import EngineDied, ErrorInfo, LaternaError
from engine.protocol.recipe import Recipe

MAX_ENGINE_DEATHS = 3
CANCEL_PATIENCE = 60.0


class _Running:
    """The job that the engine has in hand."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.progress = Progress(job.id, job.recipe.steps)
        self.started = False
        self.give_up_at: float | None = None

    @property
    def cancelling(self) -> bool:
        return self.give_up_at is not None


class JobService:
    """Qt-free and torch-free. ``run`` works in the caller's thread until ``stop``; every other method may be called
    from any thread and returns at once: it is carried out in ``run``, in order, and answered with notices.

    The engine is started at once and started again whenever it ends. A job whose engine died runs again from its
    start; after ``MAX_ENGINE_DEATHS`` it is set aside as failed, with the engine's log in ``job.error.detail``. Where
    the engine never gets ready, ``EngineStateChanged("stopped", error=…)`` says so and the jobs wait for
    ``restart_engine``.
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
        previews: bool = True,
        a1111_parameters: Callable[[], bool] = lambda: False,
        cancel_patience: float = CANCEL_PATIENCE,
    ) -> None:
        """Opens the queue: raises ``LibraryBusy`` where another Laterna has it, ``NotWritable`` or ``NoSpace``.

        ``notify`` is called on the thread of ``run``. ``cancel_patience``: seconds after which an engine that does not
        answer a cancel is ended by force. The library stays the caller's to close, after ``run`` has returned.
        """
        self._library = library
        self._output_folder = Path(output_folder)
        self._cache_folder = Path(cache_folder)
        self._adapter_folder = Path(adapter_folder)
        self._notify = notify
        self._previews = previews
        self._a1111_parameters = a1111_parameters
        self._cancel_patience = cancel_patience
        self._inbox: SimpleQueue[inbox.Message] = SimpleQueue()
        self._queue = JobQueue(Path(queue_database))
        self._engine = EngineSupervisor(
            on_event=lambda generation, event, blob: self._inbox.put(inbox.EngineSaid(generation, event, blob)),
            on_exit=lambda generation, error: self._inbox.put(inbox.EngineExited(generation, error)),
            log_file=Path(engine_log),
            command=engine_command,
        )
        self._running: _Running | None = None
        self._ready: events.EngineReady | None = None
        self._preload = ""
        self._restart_wanted = False
        self._stopping = threading.Event()

    # From any thread

    def submit(
        self, recipe: Recipe, model_folder: Path | str, count: int = 1, output_folder: str = "", file_stem: str = ""
    ) -> list[str]:
        """Queue ``count`` jobs with the seeds ``seed``, ``seed + 1``, … and return their ids. Raises ``BadRecipe``.

        With a ``file_stem`` an existing file of that name is replaced; from the second job on it gets ``-2``, ``-3`` ….
        """
        jobs = make_jobs(recipe, model_folder, count, output_folder, file_stem)
        self._inbox.put(inbox.AddJobs(jobs))
        return [job.id for job in jobs]

    def cancel(self, job_id: str) -> None:
        """Take a waiting job out, or stop the running one; ``JobEnded`` follows. Ended jobs are passed over."""
        self._inbox.put(inbox.CancelJob(job_id))

    def clear_waiting(self) -> None:
        """Cancel every waiting job; the running one goes on."""
        self._inbox.put(inbox.ClearWaiting())

    def move(self, job_id: str, position: int) -> None:
        """Make a waiting job the ``position``-th of the waiting; 0 runs next."""
        self._inbox.put(inbox.MoveJob(job_id, position))

    def preload(self, model_folder: Path | str) -> None:
        """Have the engine load a model while it is idle."""
        self._inbox.put(inbox.PreloadModel(str(model_folder)))

    def restart_engine(self) -> None:
        """End the engine by force and start a fresh one; a running job begins again."""
        self._inbox.put(inbox.RestartEngine())

    def stop(self) -> None:
        """Make ``run`` return: the running job is cancelled and waits for the next start, the engine ends."""
        self._stopping.set()
        self._inbox.put(inbox.Stop())

    def close(self) -> None:
        """Only for a service whose ``run`` was never called: let go of the queue."""
        self._queue.close()

    # The loop

    def run(self) -> None:
        """Block until ``stop``. The engine is a child of this thread and ends with it."""
        reconciler = threading.Thread(target=self._reconcile, name="library-reconcile")
        try:
            for damage in (self._queue.damage, self._library.damage):
                if damage is not None:
                    self._notify(ServiceFailed(damage))
            self._start_engine()
            reconciler.start()
            self._resume_interrupted()
            self._queue_changed()
            while not self._stopping.is_set():
                self._guarded(self._take_one)
        finally:
            self._stopping.set()
            self._engine.shutdown()
            if reconciler.ident is not None:
                reconciler.join()
            if self._running is not None:
                self._guarded(self._put_back)
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
        due = [self._engine.restart_at, self._running.give_up_at if self._running else None]
        times = [moment for moment in due if moment is not None]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _time_passed(self) -> None:
        now = time.monotonic()
        running = self._running
        if running and running.give_up_at is not None and now >= running.give_up_at:
            running.give_up_at = now + self._cancel_patience
            self._restart_wanted = self._engine.restart()
        if self._engine.restart_at is not None and now >= self._engine.restart_at:
            self._start_engine()

    def _handle(self, message: inbox.Message) -> None:
        match message:
            case inbox.EngineSaid(generation, event, blob):
                if generation == self._engine.generation:
                    self._engine_said(event, blob)
            case inbox.EngineExited(generation, error):
                if generation == self._engine.generation:
                    self._engine_exited(error)
            case inbox.AddJobs(jobs):
                self._queue.add(jobs)
                self._queue_changed()
                self._dispatch()
            case inbox.CancelJob(id):
                self._cancel(id)
            case inbox.ClearWaiting():
                for job in self._queue.active():
                    if job.state == "waiting":
                        self._end(job.id, "cancelled")
                self._queue_changed()
            case inbox.MoveJob(id, position):
                self._queue.move(id, position)
                self._queue_changed()
            case inbox.PreloadModel(model_folder):
                self._preload = model_folder
                self._dispatch()
            case inbox.RestartEngine():
                self._restart_wanted = self._engine.restart()
            case inbox.LibraryReconciled(change, error):
                if change is not None and change != LibraryChanged():
                    self._notify(change)
                if error is not None:
                    self._notify(ServiceFailed(error.info()))
            case inbox.Stop():
                pass  # the loop's condition ends it

    # Jobs

    def _dispatch(self) -> None:
        """Give the engine the next job, or the model to preload, if it is ready and idle."""
        while self._engine.ready and self._running is None and (job := self._queue.next()) is not None:
            self._begin(job)
        if self._engine.ready and self._running is None and self._preload:
            self._engine.send(Preload(self._preload))
            self._preload = ""

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
        self._running = _Running(job)
        self._preload = ""
        self._queue_changed()
        self._engine_state("working", "Working.")
        self._engine.send(
            Generate(
                job=job.id,
                recipe=job.recipe,
                model_folder=job.model_folder,
                output_folder=str(folder),
                file_stem=stem,
                preview_interval=0.1 if self._previews else -1.0,
                a1111_parameters=self._a1111_parameters(),
                cache_folder=str(self._cache_folder),
                adapter_files=tuple(map(str, adapter_files)),
            )
        )

    def _cancel(self, id: str) -> None:
        if self._running is not None and self._running.job.id == id:
            if not self._running.cancelling:
                self._running.give_up_at = time.monotonic() + self._cancel_patience
                self._engine.send(Cancel(id))
            return
        job = self._queue.get(id)
        if job is not None and job.state == "waiting":
            self._end(id, "cancelled")
            self._queue_changed()

    def _end(self, id: str, state: JobState, files: tuple[str, ...] = (), error: ErrorInfo | None = None) -> None:
        """Write down how a job ended, take its files into the library, and tell."""
        item_ids = self._take_in(files)
        self._notify(JobEnded(self._queue.end(id, state, files, error), item_ids))

    def _running_ended(self, state: JobState, files: tuple[str, ...] = (), error: ErrorInfo | None = None) -> None:
        running, self._running = self._running, None
        assert running is not None
        if self._engine.ready:
            self._engine_state("ready", "Ready.")
        try:
            self._end(running.job.id, state, files, error)
        finally:
            self._queue_changed()
            self._dispatch()

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

    def _put_back(self) -> None:
        running, self._running = self._running, None
        assert running is not None
        if running.cancelling:
            self._end(running.job.id, "cancelled")
        else:
            self._queue.wait_again(running.job.id)

    def _resume_interrupted(self) -> None:
        """A job whose file was saved just before the last end is done; the others are waiting already."""
        for id in self._queue.interrupted:
            job = self._queue.get(id)
            if job is not None and (path := output.finished_file(job, self._folder(job))) is not None:
                self._end(id, "done", (str(path),))

    def _folder(self, job: Job) -> Path:
        return Path(job.output_folder) if job.output_folder else self._output_folder

    def _queue_changed(self) -> None:
        self._notify(QueueChanged(self._queue.active()))

    # The engine

    def _engine_state(self, state: EngineState, text: str, error: ErrorInfo | None = None) -> None:
        ready = self._ready
        self._notify(
            EngineStateChanged(state, text, ready.device if ready else None, ready.versions if ready else {}, error)
        )

    def _start_engine(self) -> None:
        try:
            self._engine.start()
        except EngineDied as error:
            self._inbox.put(inbox.EngineExited(self._engine.generation, error))
            return
        self._engine_state("starting", "The engine is starting.")

    def _engine_said(self, event: events.Event, blob: bytes) -> None:
        match event:
            case events.EngineWarming(what):
                self._engine_state("starting", what)
                return
            case events.EngineReady():
                self._ready = event
                self._engine.became_ready()
                self._engine_state("ready", "Ready.")
                self._dispatch()
                return
            case events.MemoryChanged():
                self._notify(MemoryShown(event))
                return
            case events.CommandRefused(error):
                if self._running is not None and not self._running.started:
                    self._running_ended("failed", error=error)
                else:
                    self._notify(ServiceFailed(error))
                return
            case events.Preloaded() | events.Pong():
                return
        running = self._running
        if running is None or event.job != running.job.id:
            return  # of a job that was given up
        match event:
            case events.JobStarted():
                running.started = True
                self._notify(running.progress.now())
            case events.StageChanged():
                running.started = True
                self._notify(running.progress.stage_changed(event))
            case events.StepDone():
                self._notify(running.progress.step_done(event))
            case events.PreviewReady(job, step, width, height, frames):
                self._notify(PreviewShown(job, step, width, height, frames, blob))
            case events.JobFinished(_job, files):
                self._engine.did_work()
                ordered = tuple(file.path for file in sorted(files, key=lambda file: file.index))
                self._running_ended("done", ordered)
            case events.JobCancelled():
                self._engine.did_work()
                self._running_ended("cancelled")
            case events.JobFailed(_job, error):
                self._engine.did_work()
                self._running_ended("failed", error=error)

    def _engine_exited(self, error: LaternaError | None) -> None:
        wanted, self._restart_wanted = self._restart_wanted, False
        info = error.info() if error is not None and not wanted else None
        if self._engine.died():
            text = "The engine is being restarted." if info is None else info.sentence()
            self._engine_state("restarting", text, info)
        else:
            text = "The engine does not start, so jobs wait. Restart it, or look at its log."
            self._engine_state("stopped", text, info)
        if self._running is not None:
            self._engine_left_job(self._running, error, counts=not wanted)
        if wanted:
            self._start_engine()

    def _engine_left_job(self, running: _Running, error: LaternaError | None, counts: bool) -> None:
        """The engine ended with a job in hand: it is tried again, unless it was being cancelled or it is hopeless."""
        job = running.job
        if running.cancelling:
            self._running_ended("cancelled")
        elif counts and job.engine_deaths + 1 >= MAX_ENGINE_DEATHS:
            detail = error.detail if error is not None else ""
            failure = EngineDied(
                f"The engine ended {MAX_ENGINE_DEATHS} times while working on this.",
                "Try a smaller size, or another model; the log says more.",
                detail=detail,
            )
            self._queue.wait_again(job.id, engine_died=True)
            self._running_ended("failed", error=failure.info())
        else:
            self._running = None
            self._queue.wait_again(job.id, engine_died=counts)
            self._queue_changed()
            self._notify(JobProgressed(job.id, "waiting", 0, job.recipe.steps, 0.0))

    def _reconcile(self) -> None:
        try:
            change = self._library.reconcile(should_stop=self._stopping.is_set)
        except LaternaError as error:
            self._inbox.put(inbox.LibraryReconciled(None, error))
        else:
            self._inbox.put(inbox.LibraryReconciled(change))
