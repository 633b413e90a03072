"""``Feed``: hands the engine's notices to the session and the panels, and lets the view follow the running job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from engine.jobs.notices import (
    EngineStateChanged,
    JobEnded,
    JobLowered,
    JobProgressed,
    JobRemarked,
    LibraryChanged,
    MemoryShown,
    PreviewShown,
    QueueChanged,
    ServiceFailed,
)
from engine.library.item import Item
from engine.protocol.errors import ErrorInfo
from ui.engine_link import EngineLink
from ui.forecasts import Forecasts
from ui.messages import Message, of_error
from ui.sentences import shipped
from ui.session import Session

if TYPE_CHECKING:
    from ui.library.gallery import GalleryPanel
    from ui.player.view_panel import ViewPanel
    from ui.queue.queue_panel import QueuePanel


class Feed(QObject):
    """The view follows the running job from Generate on, until the person looks at something else; choosing the running
    tile follows again.

    Signals: ``said(Message)``, ``refused(ErrorInfo)`` after a job failed, ``restart_wanted`` by the message of a
    stopped engine, ``report_wanted`` by that of one that died, ``job_ended``.
    """

    said = Signal(object)
    refused = Signal(object)
    restart_wanted = Signal()
    report_wanted = Signal()
    job_ended = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._following = True
        self._passing_on = False
        self._engine_error: ErrorInfo | None = None  # until the engine runs again
        self._results: set[int] = set()  # items of followed jobs that the gallery has yet to show
        self.estimate = Forecasts(session, parent=self)
        self.show_previews = True
        self.gallery: GalleryPanel | None = None
        self.view: ViewPanel | None = None
        self.queue: QueuePanel | None = None

    def connect_link(self, link: EngineLink) -> None:
        link.engine_state_changed.connect(self._engine_changed)
        link.queue_changed.connect(self._queue_changed)
        link.job_progressed.connect(self._job_progressed)
        link.preview_shown.connect(self._preview_shown)
        link.job_ended.connect(self._job_ended)
        link.library_changed.connect(self.library_changed)
        link.memory_shown.connect(self._memory_shown)
        link.plan_lowered.connect(self._plan_lowered)
        link.job_remarked.connect(self._job_remarked)
        link.service_failed.connect(self._service_failed)

    # --- what is looked at

    @property
    def following(self) -> bool:
        return self._following

    @Slot()
    def follow(self) -> None:
        """Something was put on the queue: show how it forms."""
        self._following = True
        if self.gallery is not None and self._session.running is not None:
            self.gallery.select_running()

    @Slot(str)
    def running_selected(self, _job: str) -> None:
        self._following = True
        self._session.set_item(None)
        if self.view is not None and self._session.progress is not None:
            self.view.job_progressed(self._session.progress)

    @Slot(object)
    def item_selected(self, item: Item | None) -> None:
        if self._passing_on:
            pass  # rows that came or went moved the selection
        elif item is not None and item.id in self._results:
            self._results.discard(item.id)  # it comes by itself once; chosen again, it is the person's choice
        else:
            self._following = item is None
        self._session.set_item(item)
        if self.view is None:
            return
        if item is not None:
            self.view.show_item(item)
        else:
            self.view.clear()

    # --- notices

    @contextmanager
    def _passing(self) -> Iterator[None]:
        """What the gallery selects meanwhile is no choice of the person's, so following goes on as it was."""
        before, self._passing_on = self._passing_on, True
        try:
            yield
        finally:
            self._passing_on = before

    @Slot(object)
    def library_changed(self, change: LibraryChanged) -> None:
        if self.gallery is not None:
            with self._passing():
                self.gallery.library_changed(change)

    @Slot(object)
    def _engine_changed(self, state: EngineStateChanged) -> None:
        self._session.set_engine(state)
        if state.error is None:
            if state.state in ("ready", "working") and self._engine_error is not None:
                error, self._engine_error = self._engine_error, None
                text = f"{shipped().sentence(error.message)} {self.tr('It is running again.')}"
                self.said.emit(Message(text, detail=error.detail, topic="engine"))
            return
        self._engine_error = state.error
        message = of_error(state.error, "engine")
        if state.error.kind == "EngineDied":
            message = replace(message, button=self.tr("Show report"), action=self.report_wanted.emit)
        # Where the text is the error's own, the queue itself failed: there is no engine to restart.
        if state.state == "stopped" and state.error.message != state.text:
            message = Message(
                shipped().sentence(f"{state.error.message} {state.text}".strip()),
                "error",
                state.error.detail,
                self.tr("Restart the engine"),
                self.restart_wanted.emit,
                seconds=0.0,
                topic="engine",
            )
        self.said.emit(message)

    @Slot(object)
    def _queue_changed(self, change: QueueChanged) -> None:
        self._session.set_queue(change)
        if self.gallery is not None:
            with self._passing():
                self.gallery.queue_changed(change)
        if self.queue is not None:
            self.queue.queue_changed(change)
        if self.view is not None:
            self.view.queue_changed(change)

    @Slot(object)
    def _job_progressed(self, progress: JobProgressed) -> None:
        before = self._session.progress
        self._session.set_progress(progress)
        if self.gallery is not None:
            self.gallery.job_progressed(progress)
            if self._following and (before is None or before.job != progress.job):
                self.gallery.select_running()
        if self.queue is not None:
            self.queue.job_progressed(progress)
        if self.view is not None and self._following:
            self.view.job_progressed(progress)

    @Slot(object)
    def _preview_shown(self, preview: PreviewShown) -> None:
        if not self.show_previews:
            return
        if self.gallery is not None:
            self.gallery.preview_shown(preview)
        if self.queue is not None:
            self.queue.preview_shown(preview)
        if self.view is not None and self._following:
            self.view.preview_shown(preview)

    @Slot(object)
    def _job_ended(self, ended: JobEnded) -> None:
        self.estimate.ended(ended)
        self._session.job_ended(ended)
        if self.gallery is not None:
            if self._following and ended.item_ids:
                self._results.update(ended.item_ids)
                self.gallery.select(ended.item_ids[0])
            with self._passing():
                self.gallery.job_ended(ended)
        if self.queue is not None:
            self.queue.set_estimate(self.estimate.seconds)
            self.queue.job_ended(ended)
        if self.view is not None:
            self.view.job_ended(ended)
        if ended.job.state == "failed" and ended.job.error is not None:
            self.refused.emit(ended.job.error)
        self.job_ended.emit()

    @Slot(object)
    def _memory_shown(self, shown: MemoryShown) -> None:
        self._session.set_memory(shown)
        if self.queue is not None:
            self.queue.memory_shown(shown)

    @Slot(object)
    def _plan_lowered(self, lowered: JobLowered) -> None:
        self.said.emit(Message(shipped().sentence(lowered.message), topic="memory"))

    @Slot(object)
    def _job_remarked(self, remarked: JobRemarked) -> None:
        self.said.emit(Message(shipped().sentence(remarked.message), topic="remark"))

    @Slot(object)
    def _service_failed(self, failed: ServiceFailed) -> None:
        self.said.emit(of_error(failed.error))
