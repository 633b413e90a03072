"""The picture that forms: previews of the running job, a clip's frames shown one after the other."""

from __future__ import annotations

from PySide6.QtCore import QObject, QSize, QTimer, Signal
from PySide6.QtGui import QImage

from engine.jobs.job import Job
from engine.jobs.notices import JobProgressed, PreviewShown, QueueChanged
from engine.protocol.recipe import Recipe
from ui.library.captions import recipe_title
from ui.library.previews import split


class LivePreview(QObject):
    """Keeps what is known of the jobs in the queue and the running one's last preview.

    Signals: ``picture_changed(QImage)`` the next frame of the preview.
    """

    picture_changed = Signal(QImage)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.job = ""
        self.progress: JobProgressed | None = None
        self._jobs: dict[str, Job] = {}
        self._frames: list[QImage] = []
        self._place = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._advance)

    @property
    def recipe(self) -> Recipe | None:
        job = self._jobs.get(self.job)
        return job.recipe if job is not None else None

    @property
    def natural(self) -> QSize:
        """The size of what is being made; empty where it is not known."""
        recipe = self.recipe
        return QSize(recipe.width, recipe.height) if recipe is not None else QSize()

    @property
    def picture(self) -> QImage | None:
        return self._frames[self._place] if self._frames else None

    def title(self) -> str:
        """What is being made, in words."""
        return recipe_title(self.recipe) if self.recipe is not None else self.tr("Being made")

    def step_text(self) -> str:
        """How far it is, in words; empty where that is not known."""
        progress = self.progress
        if progress is None:
            return ""
        if progress.stage == "denoising" and progress.steps:
            return self.tr("step {0} / {1}").format(progress.step, progress.steps)
        texts = {
            "waiting": self.tr("waiting"),
            "loading": self.tr("loading the model"),
            "encoding": self.tr("reading the prompt"),
            "denoising": self.tr("making"),
            "working": self.tr("making"),
            "decoding": self.tr("decoding"),
            "enlarging": self.tr("enlarging"),
            "saving": self.tr("saving"),
        }
        return texts.get(progress.stage, "")

    def set_queue(self, queue: QueueChanged) -> None:
        running = self._jobs.get(self.job)
        self._jobs = {job.id: job for job in queue.jobs}
        if running is not None:
            self._jobs.setdefault(running.id, running)

    def set_progress(self, progress: JobProgressed) -> None:
        self._begin(progress.job)
        self.progress = progress

    def set_preview(self, preview: PreviewShown) -> None:
        frames = split(preview)
        if not frames:
            return
        self._begin(preview.job)
        self._frames = frames
        self._place %= len(frames)
        if len(frames) > 1 and not self._timer.isActive():
            self._timer.start(self._interval(len(frames)))
        elif len(frames) == 1:
            self._timer.stop()
        self.picture_changed.emit(frames[self._place])

    def end(self) -> None:
        self._timer.stop()
        self.job = ""
        self.progress = None
        self._frames = []

    def _begin(self, job: str) -> None:
        if job != self.job:
            self.end()
            self.job = job
            self._place = 0

    def _interval(self, frames: int) -> int:
        """Milliseconds for each picture, so that the preview lasts as long as the clip will."""
        recipe = self.recipe
        seconds = recipe.frames / recipe.fps if recipe is not None and recipe.frames > 1 and recipe.fps else frames / 8
        return max(60, min(500, round(seconds * 1000 / frames)))

    def _advance(self) -> None:
        if self._frames:
            self._place = (self._place + 1) % len(self._frames)
            self.picture_changed.emit(self._frames[self._place])
