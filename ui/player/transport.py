"""The player bar: step, play, loop, time, scrub, speed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QSlider, QStyle, QStyleOptionSlider, QWidget

from ui.theme import Theme
from ui.widgets.icon_button import IconButton

SPEEDS = (0.25, 0.5, 1.0, 2.0)


def clock(seconds: float) -> str:
    """Minutes, seconds and hundredths: 2.54 → "00:02.54"."""
    hundredths = round(max(0.0, seconds) * 100)
    return f"{hundredths // 6000:02}:{hundredths // 100 % 60:02}.{hundredths % 100:02}"


class ScrubSlider(QSlider):
    """One position for each frame; a click anywhere goes there and drags on from there."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self._go(event)
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self._go(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.setSliderDown(False)

    def _go(self, event: QMouseEvent) -> None:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        style = self.style()
        control, part = QStyle.ComplexControl.CC_Slider, QStyle.SubControl
        groove = style.subControlRect(control, option, part.SC_SliderGroove, self)
        handle = style.subControlRect(control, option, part.SC_SliderHandle, self)
        span = max(1, groove.width() - handle.width())
        position = round(event.position().x()) - groove.x() - handle.width() // 2
        self.setSliderPosition(
            QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), position, span, option.upsideDown)
        )


class Transport(QFrame):
    """Signals: ``play_toggled()``, ``step_wanted(int)``, ``seek_wanted(int)``, ``loop_changed(bool)``,
    ``speed_changed(float)``, ``scrub_started()``, ``scrub_ended()``."""

    play_toggled = Signal()
    step_wanted = Signal(int)
    seek_wanted = Signal(int)
    loop_changed = Signal(bool)
    speed_changed = Signal(float)
    scrub_started = Signal()
    scrub_ended = Signal()

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setAccessibleName(self.tr("Player"))
        self._times: tuple[float, ...] = (0.0, 0.0)
        self.back = IconButton("step-back", self.tr("Previous frame"), theme=theme)
        self.play = IconButton("play", self.tr("Play"), theme=theme, size=20)
        self.forward = IconButton("step-forward", self.tr("Next frame"), theme=theme)
        self.loop = IconButton("loop", self.tr("Loop"), theme=theme)
        self.loop.setCheckable(True)
        self.loop.setChecked(True)
        self._theme = theme
        self.now, self.total = QLabel(), QLabel()
        for time_label, name in ((self.now, self.tr("Time")), (self.total, self.tr("Length"))):
            time_label.setProperty("role", "muted")
            time_label.setMinimumWidth(56)
            time_label.setAccessibleName(name)
        self.slider = ScrubSlider()
        self.slider.setAccessibleName(self.tr("Frame"))
        self.speed = QComboBox()
        self.speed.setAccessibleName(self.tr("Speed"))
        for speed in SPEEDS:
            self.speed.addItem(f"{speed:g}×", speed)
        self.speed.setCurrentIndex(SPEEDS.index(1.0))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 14, 8)
        row.setSpacing(4)
        for button in (self.back, self.play, self.forward, self.loop):
            button.setFixedSize(32, 30)
            row.addWidget(button)
        row.addSpacing(6)
        row.addWidget(self.now)
        row.addWidget(self.slider, 1)
        row.addSpacing(4)
        row.addWidget(self.total)
        row.addSpacing(4)
        row.addWidget(self.speed)
        self._connect()
        self.set_times((0.0, 0.0))
        self._dress_loop(True)

    def _connect(self) -> None:
        self.back.clicked.connect(lambda: self.step_wanted.emit(-1))
        self.forward.clicked.connect(lambda: self.step_wanted.emit(1))
        self.play.clicked.connect(self.play_toggled)
        self.loop.toggled.connect(self._dress_loop)
        self.loop.toggled.connect(self.loop_changed)
        self.slider.valueChanged.connect(self._slid)
        self.slider.sliderPressed.connect(self.scrub_started)
        self.slider.sliderReleased.connect(self.scrub_ended)
        self.speed.currentIndexChanged.connect(lambda index: self.speed_changed.emit(SPEEDS[index]))

    def set_times(self, times: tuple[float, ...]) -> None:
        """``times[i]`` is when frame ``i`` begins; the last entry is the length, in seconds. Until frames are known,
        (0, length)."""
        self._times = times
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(0, len(times) - 2))
        self.slider.setPageStep(max(1, len(times) // 10))
        self.slider.blockSignals(False)
        self.total.setText(clock(times[-1]))
        self.set_frame(0 if len(times) > 2 else -1)

    def set_frame(self, index: int) -> None:
        """Frame ``index`` is shown; the time is that of its end, so the last frame reads as the length."""
        if not self.slider.isSliderDown():
            self.slider.blockSignals(True)
            self.slider.setValue(max(0, index))
            self.slider.blockSignals(False)
        self.now.setText(clock(self._times[min(index + 1, len(self._times) - 1)]))

    def set_playing(self, playing: bool) -> None:
        self.play.set_icon("pause" if playing else "play")
        self.play.set_text(self.tr("Pause") if playing else self.tr("Play"))

    def _slid(self, value: int) -> None:
        self.seek_wanted.emit(value)

    def _dress_loop(self, on: bool) -> None:
        self.loop.set_icon("loop", "accent" if on else "text")
