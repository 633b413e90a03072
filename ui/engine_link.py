"""``EngineLink``: the job service on its own thread, its notices as Qt signals on the window's thread.

Previews, progress and memory are coalesced (only the newest of a job waits), and notices are handed out in slices of a
few milliseconds, so that however fast the engine talks, the window stays free.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from PySide6.QtCore import QObject, Qt, QThread, Signal, Slot

from engine.jobs.job import Job
from engine.jobs.notices import (
    EngineStateChanged,
    JobEnded,
    JobLowered,
    JobProgressed,
    JobRemarked,
    JobsRemoved,
    LibraryChanged,
    MemoryShown,
    Notice,
    PreviewShown,
    QueueChanged,
    ServiceFailed,
)
from engine.jobs.variations import Axis
from engine.protocol.derivation import Derivation
from engine.protocol.errors import LaternaError, UnknownFailure
from engine.protocol.recipe import Recipe

log = logging.getLogger(__name__)
SLICE_SECONDS = 0.012  # how long one delivery may keep the window's thread


class JobServiceInterface(Protocol):
    """What ``engine.jobs.service.JobService`` gives: a loop, and commands from any thread."""

    def run(self) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...
    def submit(
        self,
        recipe: Recipe,
        model_folder: str,
        count: int = 1,
        output_folder: str = "",
        file_stem: str = "",
        texts: Sequence[tuple[str, str]] = (),
    ) -> object: ...
    def submit_variations(
        self,
        recipe: Recipe,
        model_folder: str,
        axes: Sequence[Axis],
        output_folder: str = "",
        file_stem: str = "",
        texts: Sequence[tuple[str, str]] = (),
    ) -> object: ...
    def submit_derivations(
        self, derivations: Sequence[tuple[Derivation, Recipe | None]], output_folder: str = ""
    ) -> object: ...
    def cancel(self, job: str) -> object: ...
    def remove(self, jobs: Iterable[str]) -> object: ...
    def clear_waiting(self) -> object: ...
    def put_back(self, jobs: Iterable[Job]) -> object: ...
    def move(self, jobs: Sequence[str], position: int) -> object: ...
    def duplicate(self, jobs: Iterable[str]) -> object: ...
    def edit(self, job: str, recipe: Recipe, model_folder: str) -> object: ...
    def pause(self, jobs: Iterable[str]) -> object: ...
    def resume(self, jobs: Iterable[str]) -> object: ...
    def pause_queue(self) -> object: ...
    def resume_queue(self) -> object: ...
    def preload(self, model_folder: str) -> object: ...
    def restart_engine(self) -> object: ...


MakeService = Callable[[Callable[[Notice], None]], JobServiceInterface]


class EngineLink(QThread):
    """Signals carry one notice each (``engine.jobs.notices``), on the thread that this object was made in.

    ``refused`` carries the ``ErrorInfo`` of a command that the service did not take. Commands return at once; those
    given before the service is there wait for it.
    """

    engine_state_changed = Signal(object)
    queue_changed = Signal(object)
    job_progressed = Signal(object)
    preview_shown = Signal(object)
    job_ended = Signal(object)
    jobs_removed = Signal(object)
    library_changed = Signal(object)
    memory_shown = Signal(object)
    plan_lowered = Signal(object)
    job_remarked = Signal(object)
    service_failed = Signal(object)
    refused = Signal(object)

    _woken = Signal()

    def __init__(self, make_service: MakeService, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make_service = make_service
        self._service: JobServiceInterface | None = None
        self._early: list[Callable[[JobServiceInterface], object]] = []
        self._stopping = False
        self._lock = threading.Lock()
        self._waiting: dict[object, Notice] = {}  # in order of arrival; a newer notice takes the place of an older one
        self._counter = 0
        self._awake = False
        self._signals: dict[type, Signal] = {
            EngineStateChanged: self.engine_state_changed,
            QueueChanged: self.queue_changed,
            JobProgressed: self.job_progressed,
            PreviewShown: self.preview_shown,
            JobEnded: self.job_ended,
            JobsRemoved: self.jobs_removed,
            LibraryChanged: self.library_changed,
            MemoryShown: self.memory_shown,
            JobLowered: self.plan_lowered,
            JobRemarked: self.job_remarked,
            ServiceFailed: self.service_failed,
        }
        self._woken.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    # --- commands, from the window's thread

    def submit(
        self,
        recipe: Recipe,
        model_folder: str,
        count: int = 1,
        output_folder: str = "",
        file_stem: str = "",
        texts: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._command(lambda service: service.submit(recipe, model_folder, count, output_folder, file_stem, texts))

    def submit_variations(
        self,
        recipe: Recipe,
        model_folder: str,
        axes: Sequence[Axis],
        output_folder: str = "",
        file_stem: str = "",
        texts: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._command(
            lambda service: service.submit_variations(recipe, model_folder, axes, output_folder, file_stem, texts)
        )

    def submit_derivations(
        self, derivations: Sequence[tuple[Derivation, Recipe | None]], output_folder: str = ""
    ) -> None:
        self._command(lambda service: service.submit_derivations(derivations, output_folder))

    def cancel(self, job: str) -> None:
        self._command(lambda service: service.cancel(job))

    def remove(self, jobs: Iterable[str]) -> None:
        self._command(lambda service: service.remove(jobs))

    def clear_waiting(self) -> None:
        self._command(lambda service: service.clear_waiting())

    def put_back(self, jobs: Iterable[Job]) -> None:
        self._command(lambda service: service.put_back(jobs))

    def move(self, jobs: Sequence[str], position: int) -> None:
        self._command(lambda service: service.move(jobs, position))

    def duplicate(self, jobs: Iterable[str]) -> None:
        self._command(lambda service: service.duplicate(jobs))

    def edit(self, job: str, recipe: Recipe, model_folder: str) -> None:
        self._command(lambda service: service.edit(job, recipe, model_folder))

    def pause(self, jobs: Iterable[str]) -> None:
        self._command(lambda service: service.pause(jobs))

    def resume(self, jobs: Iterable[str]) -> None:
        self._command(lambda service: service.resume(jobs))

    def pause_queue(self) -> None:
        self._command(lambda service: service.pause_queue())

    def resume_queue(self) -> None:
        self._command(lambda service: service.resume_queue())

    def preload(self, model_folder: str) -> None:
        self._command(lambda service: service.preload(model_folder))

    def restart_engine(self) -> None:
        self._command(lambda service: service.restart_engine())

    def stop(self) -> None:
        """End the service and its engine, and wait for the thread. Safe to call twice."""
        with self._lock:
            self._stopping = True
            service = self._service
        if service is not None:
            service.stop()
        self.wait()

    def _command(self, call: Callable[[JobServiceInterface], object]) -> None:
        with self._lock:
            service = self._service
            if service is None:
                self._early.append(call)
        if service is not None and not self._stopping:
            self._call(service, call)

    def _call(self, service: JobServiceInterface, call: Callable[[JobServiceInterface], object]) -> None:
        try:
            call(service)
        except LaternaError as error:
            self.refused.emit(error.info())
        except Exception as error:
            self.refused.emit(_bug(error).info())

    # --- the service's thread

    def run(self) -> None:
        try:
            service = self._make_service(self._notify)
        except Exception as error:
            self._fail(error)
            return
        with self._lock:
            early, self._early = self._early, []
            self._service = service
            stopping = self._stopping
        if stopping:
            service.close()
            return
        for call in early:
            self._call(service, call)
        try:
            service.run()
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        known = error if isinstance(error, LaternaError) else _bug(error)
        self._notify(ServiceFailed(known.info()))
        self._notify(EngineStateChanged("stopped", known.message, error=known.info()))

    def _notify(self, notice: Notice) -> None:
        """Called by the service on any thread."""
        with self._lock:
            key: object
            if isinstance(notice, (JobProgressed, PreviewShown)):
                key = (type(notice), notice.job)
            elif isinstance(notice, (MemoryShown, QueueChanged)):
                key = type(notice)
            else:
                self._counter += 1
                key = self._counter
            if isinstance(notice, QueueChanged):
                self._waiting.pop(key, None)  # the newest queue comes after what happened before it
            self._waiting[key] = notice
            wake = not self._awake
            self._awake = True
        if wake:
            self._woken.emit()

    # --- the window's thread

    @Slot()
    def _deliver(self) -> None:
        end = time.monotonic() + SLICE_SECONDS
        while True:
            with self._lock:
                if not self._waiting:
                    self._awake = False
                    return
                notice = self._waiting.pop(next(iter(self._waiting)))
            self._signals[type(notice)].emit(notice)
            if time.monotonic() > end:
                self._woken.emit()  # a queued signal, which goes with this object
                return


def _bug(error: Exception) -> UnknownFailure:
    log.error("The job service failed", exc_info=error)
    return UnknownFailure(
        f"Something went wrong inside Laterna: {error}.",
        "Nothing you made is lost. Start Laterna again; if it happens again, report it.",
        detail="".join(traceback.format_exception(error)),
    )
