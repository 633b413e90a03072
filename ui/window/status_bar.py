"""The line at the foot of the window: engine, running job, queue, memory."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from ui.formats import duration, gigabytes
from ui.library.captions import derivation_title
from ui.session import Session
from ui.theme import Theme
from ui.widgets.labels import ElidedLabel, label
from ui.widgets.style import set_state

HEIGHT = 30
HIGH, FULL = 0.85, 0.96
DOT_ROLES = {
    "starting": "warn",
    "ready": "good",
    "working": "accent",
    "silent": "warn",
    "restarting": "bad",
    "stopped": "bad",
}


class _Dot(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.role = "muted"
        self.setFixedSize(9, 9)
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color(self.role))
        painter.drawEllipse(QRectF(0.5, 0.5, 8, 8))


class _Meter(QWidget):
    """A short bar with its figures."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._text = label("", "muted")
        self._bar = QProgressBar()
        self._bar.setProperty("role", "memory")
        self._bar.setAccessibleName(name)
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(96)
        self._bar.setRange(0, 1000)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._text)
        row.addWidget(self._bar)
        self.hide()

    def show_memory(self, used: int, total: int) -> None:
        self.setVisible(total > 0)
        if total <= 0:
            return
        text = f"{self._name} {gigabytes(used, total)}"
        self._text.setText(text)
        self._bar.setAccessibleName(text)
        self._bar.setValue(round(1000 * used / total))
        set_state(self._bar, "high", HIGH <= used / total < FULL)
        set_state(self._bar, "full", used / total >= FULL)


class StatusBar(QFrame):
    """Signals: ``queue_wanted`` when the queue's button is pressed."""

    queue_wanted = Signal()

    def __init__(self, session: Session, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setProperty("role", "statusbar")
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName(self.tr("Status"))
        self._dot = _Dot(theme)
        self.engine = ElidedLabel(self.tr("Starting"), "muted")
        self.job = QLabel()
        self.bar = QProgressBar()
        self.bar.setAccessibleName(self.tr("Progress of the running job"))
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(150)
        self.bar.setRange(0, 1000)
        self.left = QLabel()
        self.queue = QPushButton()
        self.queue.setProperty("role", "quiet")
        self.queue.clicked.connect(self.queue_wanted)
        self.device_meter = _Meter(self.tr("VRAM"))
        self.host_meter = _Meter(self.tr("RAM"))
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 0, 12, 0)
        row.setSpacing(8)
        row.addWidget(self._dot)
        row.addWidget(self.engine)
        row.addSpacing(14)
        row.addWidget(self.job)
        row.addWidget(self.bar)
        row.addWidget(self.left)
        row.addSpacing(4)
        row.addWidget(self.queue)
        row.addStretch(1)
        row.addWidget(self.device_meter)
        row.addSpacing(8)
        row.addWidget(self.host_meter)
        session.engine_changed.connect(self._show_engine)
        session.queue_changed.connect(self._show_job)
        session.progressed.connect(self._show_job)
        session.memory_changed.connect(self._show_memory)
        self._show_engine()
        self._show_job()

    def _show_engine(self) -> None:
        engine = self._session.engine
        self._dot.role = DOT_ROLES[engine.state]
        self._dot.update()
        names = {
            "starting": self.tr("Engine warming up"),
            "ready": self.tr("Engine ready"),
            "working": self.tr("Engine working"),
            "silent": self.tr("Engine does not answer"),
            "restarting": self.tr("Engine restarting"),
            "stopped": self.tr("Engine stopped"),
        }
        text = names[engine.state]
        if engine.state == "starting" and engine.text:
            text += f"  ·  {QCoreApplication.translate('Sentences', engine.text)}"
        elif engine.device is not None and engine.state in ("ready", "working"):
            text += f"  ·  {engine.device.name}"
        self.engine.set_text(text)

    def _show_job(self) -> None:
        session = self._session
        running, progress = session.running, session.progress
        for widget in (self.job, self.bar, self.left):
            widget.setVisible(running is not None)
        waiting = session.waiting
        self.queue.setVisible(waiting > 0)
        self.queue.setText(self.tr("Queue {count}").format(count=waiting))
        self.queue.setAccessibleName(self.tr("Show the queue, {count} waiting").format(count=waiting))
        if running is None:
            return
        number, total = session.place
        what = self.tr("Clip") if running.recipe.frames > 1 else self.tr("Image")
        if running.derivation is not None:
            what = derivation_title(running.derivation)
        head = self.tr("{what} {number} of {total}").format(what=what, number=number, total=total)
        if total == 1:
            head = what
        self.job.setText(f"{head}  ·  {self._stage()}")
        fraction = progress.fraction if progress else 0.0
        self.bar.setValue(round(1000 * max(0.0, min(1.0, fraction))))
        known = progress is not None and progress.seconds_left >= 0
        left = duration(progress.seconds_left) if progress is not None and known else ""
        self.left.setText(self.tr("{time} left").format(time=left) if left else "")

    def _stage(self) -> str:
        progress = self._session.progress
        if progress is None:
            return self.tr("starting")
        names = {
            "waiting": self.tr("waiting for the engine"),
            "loading": self.tr("loading the model"),
            "encoding": self.tr("reading the prompt"),
            "working": f"{progress.fraction:.0%}",
            "denoising": self.tr("step {step} / {steps}").format(step=progress.step, steps=progress.steps),
            "decoding": self.tr("decoding"),
            "enlarging": self.tr("enlarging"),
            "saving": self.tr("saving"),
        }
        return names[progress.stage]

    def _show_memory(self) -> None:
        shown = self._session.memory
        if shown is not None:
            memory = shown.memory
            self.device_meter.show_memory(memory.device_used, memory.device_total)
            self.host_meter.show_memory(memory.host_used, memory.host_total)
