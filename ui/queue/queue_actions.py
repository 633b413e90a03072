"""What a person does with the queue: every one can be taken back, so nothing asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from engine.jobs.job import Job
from engine.jobs.notices import JobEnded, JobsRemoved, QueueChanged
from ui.actions import Actions
from ui.engine_link import EngineLink
from ui.messages import Message
from ui.session import Session

if TYPE_CHECKING:
    from ui.queue.queue_panel import QueuePanel


class QueueActions(QObject):
    """Between the queue's panel and the job service."""

    def __init__(
        self, session: Session, actions: Actions, link: EngineLink, panel: QueuePanel, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._actions = actions
        self._link = link
        self._held = False
        self._back: Callable[[], None] = lambda: None
        panel.cancel_requested.connect(link.cancel)
        panel.remove_requested.connect(link.remove)
        panel.pause_requested.connect(link.pause)
        panel.resume_requested.connect(link.resume)
        panel.duplicate_requested.connect(link.duplicate)
        panel.move_requested.connect(link.move)
        panel.clear_requested.connect(link.clear_waiting)
        panel.queue_paused.connect(self.set_paused)
        panel.edit_requested.connect(self.edit)
        link.jobs_removed.connect(self._removed)
        link.job_ended.connect(self._ended)
        link.queue_changed.connect(self._changed)

    def toggle_pause(self) -> None:
        self.set_paused(not self._session.queue_paused)

    def set_paused(self, paused: bool) -> None:
        if paused:
            self._link.pause_queue()
        else:
            self._link.resume_queue()

    # --- editing

    def edit(self, job: Job) -> None:
        """The job's recipe into the form; the job waits until Generate puts it back, or the person leaves it as it
        was."""
        self.leave_edit()
        session = self._session
        kind, draft = session.kind, session.draft

        def back() -> None:
            session.set_kind(kind)
            session.replace(draft)

        self._back = back
        self._held = job.state == "waiting"
        if self._held:
            self._link.pause([job.id])
        session.restore(job.recipe)
        session.set_editing(job)
        self._actions.said.emit(
            Message(
                self.tr("The job's recipe is in the form. Generate puts it back into the queue, changed."),
                button=self.tr("Leave it as it was"),
                action=self.leave_edit,
                seconds=0.0,
                topic="edit",
            )
        )

    def leave_edit(self) -> None:
        """Give up the change: the form and the job are as they were."""
        job = self._session.editing
        if job is None:
            return
        self._session.set_editing(None)
        if self._held:
            self._link.resume([job.id])
        self._back()

    # --- notices

    @Slot(object)
    def _changed(self, change: QueueChanged) -> None:
        job = self._session.editing
        if job is not None and all(job.id != other.id for other in (*change.jobs, *change.stopped)):
            self._session.set_editing(None)  # removed meanwhile: Generate makes a new one

    @Slot(object)
    def _removed(self, removed: JobsRemoved) -> None:
        jobs = removed.jobs
        text = (
            self.tr("A job was taken out of the queue.")
            if len(jobs) == 1
            else self.tr("{count} jobs were taken out of the queue.").format(count=len(jobs))
        )
        self._actions.offer_undo(text, self.tr("taking out"), lambda: self._link.put_back(jobs))

    @Slot(object)
    def _ended(self, ended: JobEnded) -> None:
        job = ended.job
        if job.state == "cancelled" and job.saved_step:
            text = self.tr("Cancelled at step {step} of {steps}.").format(step=job.saved_step, steps=job.saved_steps)
            self._actions.offer_undo(
                text, self.tr("cancel"), lambda: self._link.resume([job.id]), button=self.tr("Go on")
            )
