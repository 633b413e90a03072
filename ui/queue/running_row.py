"""The job that runs: its preview, what it does, how far it is, and a button to cancel it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from engine.jobs.job import Job
from engine.jobs.notices import JobProgressed
from engine.protocol.events import MemoryChanged
from ui.formats import duration, number
from ui.library.delegate import cover
from ui.queue.queue_rows import job_title, state
from ui.queue.time_left import saved_part
from ui.theme import Theme
from ui.widgets.icon_button import IconButton
from ui.widgets.labels import ElidedLabel, label

THUMB = QSize(66, 44)
BEFORE_STEPS = ("waiting", "loading", "encoding")


class Thumb(QWidget):
    """The latest preview, cut to the shape of the gallery's tiles."""

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._image: QImage | None = None
        self.setFixedSize(THUMB)
        theme.changed.connect(self.update)

    def set_image(self, image: QImage | None) -> None:
        self._image = image
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        path = QPainterPath()
        path.addRoundedRect(QRectF(self.rect()), 5, 5)
        painter.fillPath(path, QColor(self._theme.tokens.border))
        if self._image is not None and not self._image.isNull():
            painter.setClipPath(path)
            target = QRectF(self.rect())
            painter.drawImage(target, self._image, cover(self._image.size(), target))


class RunningRow(QFrame):
    """Signals: ``cancel_requested(str)``, ``pause_requested(str)``, the job's id."""

    cancel_requested = Signal(str)
    pause_requested = Signal(str)

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.job: Job | None = None
        self.progress: JobProgressed | None = None
        self.thumb = Thumb(theme=theme)
        self.title = ElidedLabel()
        self.stage = ElidedLabel(role="muted")
        self.bar = QProgressBar(textVisible=False)
        self.bar.setRange(0, 1000)
        self.bar.setAccessibleName(self.tr("Progress of the running job"))
        self.cancel = IconButton("x", self.tr("Cancel this job"), theme=theme, size=16)
        self.cancel.clicked.connect(lambda: self.job and self.cancel_requested.emit(self.job.id))
        self.pause = IconButton("pause", self.tr("Pause this job"), theme=theme, size=16)
        self.pause.clicked.connect(lambda: self.job and self.pause_requested.emit(self.job.id))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        for name, button in ((self.tr("Pause"), self.pause), (self.tr("Cancel"), self.cancel)):
            action = QAction(name, self)
            action.triggered.connect(button.click)
            self.addAction(action)
        text = QVBoxLayout()
        text.setSpacing(1)
        self.memory = label("", "muted")
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.title, 1)
        head.addWidget(self.memory)
        text.addLayout(head)
        text.addWidget(self.stage)
        text.addSpacing(4)
        text.addWidget(self.bar)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 2, 8, 8)
        row.setSpacing(10)
        row.addWidget(self.thumb, alignment=Qt.AlignmentFlag.AlignVCenter)
        row.addLayout(text, 1)
        row.setSpacing(6)
        row.addWidget(self.pause)
        row.addWidget(self.cancel)

    def show_job(self, job: Job) -> None:
        if self.job is None or self.job.id != job.id:
            self.progress = None
            self.thumb.set_image(None)
        self.job = job
        self.title.set_text(job_title(job))
        self.title.setToolTip(job.recipe.prompt[:600])
        self._tell()

    def show_progress(self, progress: JobProgressed) -> None:
        self.progress = progress
        self._tell()

    def show_memory(self, memory: MemoryChanged) -> None:
        used = memory.device_used if memory.device_total else memory.process
        self.memory.setText(number(used / 1e9, 1) + " GB")
        self.memory.setAccessibleName(self.tr("Memory in use: {0}").format(self.memory.text()))

    def _tell(self) -> None:
        progress = self.progress
        if progress is None:
            self.stage.set_text((self.job and state(self.job)) or self.tr("Starting"))
            self.bar.setValue(round(1000 * saved_part(self.job)) if self.job is not None else 0)
            return
        parts = [self._stage_text(progress)]
        if progress.stage in BEFORE_STEPS and progress.step and self.job is not None and state(self.job):
            parts.append(state(self.job))
        if progress.seconds_left >= 0:
            parts.append(self.tr("{0} left").format(duration(progress.seconds_left)))
        self.stage.set_text("  ·  ".join(parts))
        self.bar.setValue(round(progress.fraction * 1000))

    def _stage_text(self, progress: JobProgressed) -> str:
        if progress.stage == "denoising" and progress.steps:
            return self.tr("Step {0} of {1}").format(progress.step, progress.steps)
        texts = {
            "waiting": self.tr("Waiting"),
            "loading": self.tr("Loading the model"),
            "encoding": self.tr("Reading the prompt"),
            "denoising": self.tr("Making"),
            "working": self.tr("Making"),
            "decoding": self.tr("Decoding"),
            "enlarging": self.tr("Enlarging"),
            "saving": self.tr("Saving"),
        }
        return texts.get(progress.stage, progress.stage)
