"""The job service: one thread that owns the queue and the engine, and tells what happens as notices."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

from engine.jobs import inbox
from engine.jobs.checkpoints import CheckpointFolder
from engine.jobs.dispatcher import Dispatcher, JobSettings
from engine.jobs.job import Job
from engine.jobs.notices import EngineStateChanged, Notice, ServiceFailed
from engine.jobs.queue import JobQueue
from engine.jobs.queue_commands import QueueCommands
from engine.jobs.submission import check, derivation_job, make_jobs, make_variations, new_id
from engine.jobs.supervisor import EngineSupervisor
from engine.jobs.variations import Axis
from engine.jobs.watchdog import Patience
from engine.library.changes import LibraryChanged
from engine.library.library import Library
from engine.protocol.derivation import Derivation
from engine.protocol.errors import LaternaError
from engine.protocol.recipe import Recipe


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
        settings: JobSettings,
        engine_log: Path,
        notify: Callable[[Notice], None],
        engine_command: list[str] | None = None,
        checkpoint_folder: Path | None = None,
        wait_after_start: bool = False,
        patience: Patience | None = None,
    ) -> None:
        """Opens the queue: raises ``LibraryBusy`` where another Laterna has it, ``NotWritable`` or ``NoSpace``.

        ``notify`` is called on the thread of ``run``. ``patience`` is that with a silent engine. ``checkpoint_folder``
        is by default beside the queue. ``wait_after_start``: jobs that are left from before wait until
        ``resume_queue``. The library stays the caller's to close, after ``run`` has returned.
        """
        self._library = library
        self._notify = notify
        self._inbox: SimpleQueue[inbox.Message] = SimpleQueue()
        self._stopping = threading.Event()
        self._queue = JobQueue(Path(queue_database))
        self._engine = EngineSupervisor(
            on_event=lambda generation, event, blob: self._inbox.put(inbox.EngineSaid(generation, event, blob)),
            on_exit=lambda generation, error: self._inbox.put(inbox.EngineExited(generation, error)),
            notify=notify,
            log_file=Path(engine_log),
            command=engine_command,
            patience=patience,
        )
        self._dispatcher = Dispatcher(
            self._queue,
            CheckpointFolder(checkpoint_folder or Path(queue_database).with_name("checkpoints")),
            self._engine,
            library,
            settings,
            notify,
            self._stopping.is_set,
        )
        if wait_after_start and self._queue.next() is not None:
            self._dispatcher.paused = True
        self._commands = QueueCommands(self._dispatcher, notify)

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
        texts: Sequence[tuple[str, str]] = (),
    ) -> list[str]:
        """Queue a job for every combination of the values of one or two settings; ``texts`` are prompt and negative
        prompt of each, where they are not the recipe's. Raises ``BadRecipe``."""
        return self._submit(make_variations(recipe, model_folder, axes, output_folder, file_stem, texts))

    def submit_derivations(
        self, derivations: Sequence[tuple[Derivation, Recipe | None]], output_folder: str = "", file_stem: str = ""
    ) -> list[str]:
        """Queue a job for each, with the recipe of what it is made from; more than one are a group. Raises
        ``BadRecipe``."""
        group = new_id() if len(derivations) > 1 else ""
        return self._submit(
            tuple(derivation_job(one, recipe, output_folder, file_stem, group) for one, recipe in derivations)
        )

    def _submit(self, jobs: tuple[Job, ...]) -> list[str]:
        self._ask(self._commands.add, jobs)
        return [job.id for job in jobs]

    def cancel(self, job_id: str) -> None:
        """Take a waiting job out, or stop the running one; ``JobEnded`` follows. Ended jobs are passed over."""
        self._ask(self._commands.cancel, job_id)

    def remove(self, job_ids: Iterable[str]) -> None:
        """Forget jobs that do not run; ``JobsRemoved`` follows. A running one is cancelled."""
        self._ask(self._commands.remove, tuple(job_ids))

    def clear_waiting(self) -> None:
        """Remove every job that waits or is paused; the running one goes on."""
        self._ask(self._commands.clear)

    def put_back(self, jobs: Iterable[Job]) -> None:
        """Take in again what ``JobsRemoved`` told, where it was."""
        self._ask(self._dispatcher.change, partial(self._queue.put_back, tuple(jobs)))

    def move(self, job_ids: str | Sequence[str], position: int) -> None:
        """Make jobs the ``position``-th and following of those that do not run; 0 runs next."""
        ids = (job_ids,) if isinstance(job_ids, str) else tuple(job_ids)
        self._ask(self._dispatcher.change, partial(self._queue.move, ids, position))

    def duplicate(self, job_ids: Iterable[str]) -> None:
        """Queue each job once more behind itself, with the next seed."""
        self._ask(self._commands.duplicate, tuple(job_ids))

    def edit(self, job_id: str, recipe: Recipe, model_folder: Path | str) -> None:
        """Give a job that does not run yet another recipe; it waits at its place. Raises ``BadRecipe``.

        Where the job is no longer there, the recipe is queued as a new one.
        """
        check(recipe)
        self._ask(self._commands.edit, job_id, recipe, str(model_folder))

    def pause(self, job_ids: Iterable[str]) -> None:
        """Waiting jobs are passed over; the running one is stopped, to go on from where it was."""
        self._ask(self._commands.pause, tuple(job_ids))

    def resume(self, job_ids: Iterable[str]) -> None:
        """Paused jobs wait again; cancelled and failed ones run next, from their checkpoints where there are some."""
        self._ask(self._commands.resume, tuple(job_ids))

    def pause_queue(self) -> None:
        """Begin nothing, and stop the running job, to go on from where it was. It stays so over a restart."""
        self._ask(self._commands.set_paused, True)

    def resume_queue(self) -> None:
        self._ask(self._commands.set_paused, False)

    def preload(self, model_folder: Path | str) -> None:
        """Have the engine load a model while it is idle."""
        self._ask(self._engine.preload, str(model_folder))

    @property
    def engine_pid(self) -> int | None:
        return self._engine.pid

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
            self._guarded(self._dispatcher.settle)
            self._dispatcher.queue_changed()
            while not self._stopping.is_set():
                self._guarded(self._take_one)
        finally:
            self._stopping.set()
            self._engine.shutdown()
            if reconciler.ident is not None:
                reconciler.join()
            while not self._inbox.empty():
                self._guarded(self._take_one)
            self._guarded(self._dispatcher.leave)
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
        due = [self._engine.due(), self._dispatcher.due()]
        times = [moment for moment in due if moment is not None]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _time_passed(self) -> None:
        if self._stopping.is_set():
            return
        now = time.monotonic()
        self._dispatcher.time_passed(now)
        self._engine.time_passed(now)

    def _handle(self, message: inbox.Message) -> None:
        match message:
            case inbox.Ask(action):
                action()
            case inbox.EngineSaid(generation, event, blob):
                if generation == self._engine.generation:
                    self._engine.heard(event)
                    self._dispatcher.engine_said(event, blob)
            case inbox.EngineExited(generation, error):
                if generation == self._engine.generation and not self._stopping.is_set():
                    self._engine_exited(error)
            case inbox.LibraryReconciled(change, error):
                if change is not None and change != LibraryChanged():
                    self._notify(change)
                if error is not None:
                    self._notify(ServiceFailed(error.info()))

    def _engine_exited(self, error: LaternaError | None) -> None:
        was_wanted = self._engine.exited(error)
        self._dispatcher.engine_exited(error, counts=not was_wanted)
        if was_wanted:
            self._engine.start()

    def _reconcile(self) -> None:
        try:
            change = self._library.reconcile(should_stop=self._stopping.is_set)
        except LaternaError as error:
            self._inbox.put(inbox.LibraryReconciled(None, error))
        else:
            self._inbox.put(inbox.LibraryReconciled(change))
