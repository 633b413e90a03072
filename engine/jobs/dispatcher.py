"""The job in hand: given to the engine, followed, and written down when it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.derive.kinds import kind_of
from engine.derive.sources import settled
from engine.jobs import assets, output
from engine.jobs.checkpoints import CheckpointFolder
from engine.jobs.job import Job, JobState
from engine.jobs.notices import (
    JobEnded,
    JobLowered,
    JobProgressed,
    JobRemarked,
    MemoryShown,
    Notice,
    PreviewShown,
    QueueChanged,
    ServiceFailed,
)
from engine.jobs.queue import KEPT_ENDED, JobQueue
from engine.jobs.running import Intent, Running
from engine.jobs.supervisor import EngineSupervisor
from engine.library.changes import LibraryChanged
from engine.library.library import Library
from engine.media.known import KnownMedia
from engine.models.adapters import locate
from engine.models.upscalers import Upscalers
from engine.protocol import events
from engine.protocol.commands import CHECKPOINT_SHARE, Cancel, CompileWish, Derive, Generate
from engine.protocol.errors import EngineDied, ErrorInfo, LaternaError

MAX_ENGINE_DEATHS = 3
CANCEL_PATIENCE = 60.0


@dataclass(frozen=True)
class JobSettings:
    """What is the same for every job; functions are asked when a job begins. See ``Generate`` for their meaning.

    ``cancel_patience``: seconds after which an engine that does not answer a cancel is ended by force.
    """

    output_folder: Path
    cache_folder: Callable[[], Path | None]
    adapter_folder: Path
    footprints_folder: Path | None = None
    previews_folder: Path | None = None
    known_media: Path | None = None
    upscaler_folder: Path | None = None
    preview_interval: Callable[[], float] = lambda: 0.1
    a1111_parameters: Callable[[], bool] = lambda: False
    keep_free: Callable[[], int] = lambda: 0
    compile: Callable[[], CompileWish] = lambda: "never"
    compile_folder: Path | None = None
    checkpoint_share: float = CHECKPOINT_SHARE
    cancel_patience: float = CANCEL_PATIENCE


class Dispatcher:
    """Used from the service's thread only. Nothing is begun while ``paused`` or once ``stopping()``."""

    def __init__(
        self,
        queue: JobQueue,
        checkpoints: CheckpointFolder,
        engine: EngineSupervisor,
        library: Library,
        settings: JobSettings,
        notify: Callable[[Notice], None],
        stopping: Callable[[], bool],
    ) -> None:
        self.queue = queue
        self.paused = queue.is_paused
        self._checkpoints = checkpoints
        self._engine = engine
        self._library = library
        self._settings = settings
        self._notify = notify
        self._stopping = stopping
        self._running: Running | None = None

    def queue_changed(self) -> None:
        self._notify(QueueChanged(self.queue.active(), self.paused, self.queue.stopped()))

    def change(self, action: Callable[[], object] = lambda: None) -> None:
        """Change the queue, tell, and give the engine what is its turn now."""
        try:
            action()
        finally:
            self.queue_changed()
        self.dispatch()

    def remove_checkpoint(self, id: str) -> None:
        self._checkpoints.remove(id)

    def settle(self) -> None:
        """After a start: a job whose file was saved just before the last end is done, the others are waiting already;
        and checkpoints and jobs agree."""
        for id in self.queue.interrupted:
            job = self.queue.get(id)
            if job is not None and (path := output.finished_file(job, self._folder(job))) is not None:
                self.end(id, "done", (str(path),))
        jobs = [*self.queue.active(), *self.queue.stopped(KEPT_ENDED)]
        self._checkpoints.keep_only({job.id for job in jobs})
        there = self._checkpoints.steps()
        for job in jobs:
            found = there.get(job.id, (0, 0))
            if found != (job.saved_step, job.saved_steps) and (found[0] or job.saved_step):
                self.queue.set_saved(job.id, *found)
        self._bound_checkpoints()

    def _bound_checkpoints(self) -> None:
        running = {self._running.job.id} if self._running is not None else set()
        for id in self._checkpoints.bound(running, {job.id for job in self.queue.stopped(KEPT_ENDED)}):
            self.queue.set_saved(id, 0, 0)

    def runs(self, id: str) -> bool:
        return self._running is not None and self._running.job.id == id

    def dispatch(self) -> None:
        """Give the engine the next job if it is ready and idle."""
        while self._engine.ready and self._running is None and not self._stopping():
            job = None if self.paused else self.queue.next()
            if job is None:
                self._engine.idle()
                return
            self._begin(job)

    def _begin(self, job: Job) -> None:
        folder = self._folder(job)
        try:
            command, known = self._derive(job, folder) if job.derivation is not None else self._generate(job, folder)
        except LaternaError as error:
            self.end(job.id, "failed", error=error.info())
            self.queue_changed()
            return
        self.queue.start(job.id, command.file_stem, **known)
        self._running = Running(job)
        self.queue_changed()
        self._engine.work(command)

    def _generate(self, job: Job, folder: Path) -> tuple[Generate, dict[str, object]]:
        """What the engine is told, and what the queue notes of it. Raises what keeps it from being made."""
        output.prepare(folder, output.bytes_of(job.recipe))
        adapter_files = locate(job.recipe.adapters, self._settings.adapter_folder)
        recipe, input_files = KnownMedia(self._settings.known_media).settled(job.recipe)
        command = Generate(
            job=job.id,
            recipe=recipe,
            model_folder=job.model_folder,
            output_folder=str(folder),
            file_stem=output.stem_for(job, folder, time.time()),
            preview_interval=self._settings.preview_interval(),
            a1111_parameters=self._settings.a1111_parameters(),
            cache_folder=str(self._settings.cache_folder() or ""),
            adapter_files=assets.of(recipe.adapters, adapter_files),
            input_files=assets.of(recipe.inputs, input_files),
            checkpoint=str(self._checkpoints.path(job.id)),
            checkpoint_share=self._settings.checkpoint_share,
            memory_level=job.memory_level,
            keep_free=self._settings.keep_free(),
            footprints_folder=str(self._settings.footprints_folder or ""),
            previews_folder=str(self._settings.previews_folder or ""),
            compile=self._settings.compile(),
            compile_folder=str(self._settings.compile_folder or ""),
            network_file=assets.network(recipe.upscaling, Upscalers(self._settings.upscaler_folder)),
        )
        return command, {"recipe": recipe}

    def _derive(self, job: Job, folder: Path) -> tuple[Derive, dict[str, object]]:
        assert job.derivation is not None
        derivation, file, origin = settled(job.derivation, KnownMedia(self._settings.known_media))
        kind = kind_of(derivation)
        output.prepare(folder, kind.forecast(derivation, origin.medium).disk)
        command = Derive(
            job=job.id,
            derivation=derivation,
            source_file=assets.one(file, derivation.source.sha256),
            output_folder=str(folder),
            file_stem=output.stem_for(job, folder, time.time()),
            recipe=job.source_recipe,
            checkpoint=str(self._checkpoints.path(job.id)),
            network_file=assets.network(kind.network(derivation), Upscalers(self._settings.upscaler_folder)),
        )
        return command, {"derivation": derivation}

    def interrupt(self, id: str, intent: Intent) -> bool:
        """Have the engine stop the running job, if that is ``id``; a cancel is not taken back."""
        running = self._running
        if running is None or running.job.id != id:
            return False
        if running.intent != "cancel":
            running.intent = intent
        if running.give_up_at is None:
            running.give_up_at = time.monotonic() + self._settings.cancel_patience
            self._engine.send(Cancel(id))
        return True

    def end(
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
        ended = JobEnded(self.queue.end(id, state, files, error), item_ids)
        if measured is not None:
            ended = msgspec.structs.replace(ended, seconds=measured.seconds, peak_memory=measured.peak_memory)
        self._notify(ended)

    def _running_ended(self, state: JobState, files: tuple[str, ...] = (), error: ErrorInfo | None = None) -> None:
        running, self._running = self._running, None
        assert running is not None
        try:
            self.end(running.job.id, state, files, error, None if running.is_resumed else running.finished)
            self._bound_checkpoints()
        finally:
            self.change()

    def _interrupted(self, running: Running) -> None:
        """The engine stopped the job, as it was asked to."""
        intent: Intent = running.intent or ("put_back" if self._stopping() else "cancel")
        if intent == "cancel":
            self._running_ended("cancelled")
            return
        self._running = None
        if intent == "pause":
            self.queue.pause([running.job.id])
        else:
            self.queue.wait_again(running.job.id)
        self._bound_checkpoints()
        self._notify(JobProgressed(running.job.id, "waiting", 0, running.job.steps, 0.0))
        self.change()

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
        return Path(job.output_folder) if job.output_folder else self._settings.output_folder

    def put_running_back(self) -> None:
        """Have the engine stop what runs; it waits, to go on from where it was."""
        if self._running is not None:
            self.interrupt(self._running.job.id, "put_back")

    def take_pause_back(self, id: str) -> None:
        """Let a job go on whose pause the engine has not answered yet."""
        if self.runs(id) and self._running is not None and self._running.intent == "pause":
            self._running.intent = "put_back"

    def due(self) -> float | None:
        """When the engine's time to stop the running job is over, on the monotonic clock."""
        return self._running.give_up_at if self._running else None

    def time_passed(self, now: float) -> None:
        running = self._running
        if running and running.give_up_at is not None and now >= running.give_up_at:
            running.give_up_at = now + self._settings.cancel_patience
            self._engine.restart()

    def leave(self) -> None:
        """The service ends: a job in hand waits for the next start."""
        if self._running is not None:
            self._engine_left_job(None, counts=False)

    # The engine

    def engine_said(self, event: events.Event, blob: bytes) -> None:
        match event:
            case events.EngineReady():
                self.dispatch()
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
            case events.EngineHello() | events.AssetWanted():
                pass  # answered at the border
            case _:
                if self.runs(event.job):  # otherwise of a job that was given up
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
                self.queue.set_saved(job, 0, 0)
                self._notify(running.progress.starts_over())
                self._notify(ServiceFailed(error))
            case events.PlanLowered(_job, _stage, message):
                self._notify(JobLowered(message))
            case events.JobNoted(_job, message):
                self._notify(JobRemarked(message))
            case events.CheckpointSaved(job, step, steps):
                self.queue.set_saved(job, step, steps)
            case events.JobFinished(_job, files):
                self._engine.worked(to_an_end=True)
                running.finished = event
                self._running_ended("done", tuple(file.path for file in sorted(files, key=lambda file: file.index)))
            case events.JobCancelled():
                self._engine.worked(to_an_end=True)
                self._interrupted(running)
            case events.JobFailed(_job, error):
                self._engine.worked(to_an_end=True)
                self._running_ended("failed", error=error)

    def engine_exited(self, error: LaternaError | None, counts: bool) -> None:
        """``counts``: it died by itself, and the job in hand may be to blame."""
        if self._running is not None:
            self._engine_left_job(error, counts)

    def _engine_left_job(self, error: LaternaError | None, counts: bool) -> None:
        """The engine ended with a job in hand: it is done if its file is there, otherwise it is tried again, unless it
        was being stopped or it is hopeless."""
        running = self._running
        assert running is not None
        job = running.job
        current = self.queue.get(job.id) or job
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
            self.queue.wait_again(job.id, engine_died=True)
            self._running_ended("failed", error=failure.info())
        else:
            memory = isinstance(error, EngineDied) and error.memory_suspected
            self._running = None
            self.queue.wait_again(job.id, engine_died=counts, out_of_memory=counts and memory)
            self.queue_changed()
            self._notify(JobProgressed(job.id, "waiting", 0, job.steps, 0.0))
