"""The player bar: step, play, loop, time, scrub, speed."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSlider,
    QStyle,
    QStyleOptionSlider,
    QVBoxLayout,
    QWidget,
)

from ui.formats import number
from ui.player.playback import Mode
from ui.theme import Theme
from ui.widgets.icon_button import IconButton

SPEEDS = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 4.0)
ONE_ROW_FROM, NARROWEST = 580, 320
LINE_STRETCH = 1000  # all the room that there is
MODES: tuple[Mode, ...] = ("loop", "ping-pong", "once")
MODE_ICONS = {"loop": ("loop", "accent"), "ping-pong": ("ping-pong", "accent"), "once": ("loop", "muted")}


def clock(seconds: float) -> str:
    """Minutes, seconds and hundredths: 2.54 → "00:02.54"."""
    hundredths = round(max(0.0, seconds) * 100)
    return f"{hundredths // 6000:02}:{hundredths // 100 % 60:02}.{hundredths % 100:02}"


class ScrubSlider(QSlider):
    """One position for each frame; a click anywhere goes there and drags on from there. A line over the groove shows
    what lies between the in and the out point."""

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self._marked: tuple[int, int] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_marked(self, first: int, last: int) -> None:
        whole = first <= self.minimum() and last >= self.maximum()
        self._marked = None if whole else (first, last)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._marked is None:
            return
        groove, handle = self._parts()
        span = groove.width() - handle.width()
        left, right = (
            groove.x()
            + handle.width() / 2
            + QStyle.sliderPositionFromValue(self.minimum(), self.maximum(), value, span, self.isRightToLeft())
            for value in self._marked
        )
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.color("accent"), 2))
        top = groove.center().y() - 8
        painter.drawLine(QPointF(left, top), QPointF(right, top))
        for x in (left, right):
            painter.drawLine(QPointF(x, top), QPointF(x, top + 4))

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

    def _parts(self) -> tuple[QRect, QRect]:
        """Where the groove and the handle are."""
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        control, part = QStyle.ComplexControl.CC_Slider, QStyle.SubControl
        return (
            self.style().subControlRect(control, option, part.SC_SliderGroove, self),
            self.style().subControlRect(control, option, part.SC_SliderHandle, self),
        )

    def _go(self, event: QMouseEvent) -> None:
        groove, handle = self._parts()
        span = max(1, groove.width() - handle.width())
        position = round(event.position().x()) - groove.x() - handle.width() // 2
        self.setSliderPosition(
            QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), position, span, self.isRightToLeft())
        )


class Transport(QFrame):
    """Signals: ``play_toggled()``, ``step_wanted(int)``, ``seek_wanted(int)``, ``mode_changed(Mode)``,
    ``speed_changed(float)``, ``scrub_started()``, ``scrub_ended()``, ``mark_wanted(str)``: "in" or "out" at the frame
    shown."""

    play_toggled = Signal()
    step_wanted = Signal(int)
    seek_wanted = Signal(int)
    mode_changed = Signal(str)
    mark_wanted = Signal(str)
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
        self.mark_in = IconButton("mark-in", self.tr("Begin here (I)"), theme=theme, role="muted")
        self.mark_out = IconButton("mark-out", self.tr("End here (O)"), theme=theme, role="muted")
        self._mode: Mode = "loop"
        self._theme = theme
        self.now, self.total = QLabel(), QLabel()
        for time_label, name in ((self.now, self.tr("Time")), (self.total, self.tr("Length"))):
            time_label.setProperty("role", "muted")
            time_label.setMinimumWidth(56)
            time_label.setAccessibleName(name)
        self.slider = ScrubSlider(theme=theme)
        self.slider.setAccessibleName(self.tr("Frame"))
        self.speed = QComboBox()
        self.speed.setAccessibleName(self.tr("Speed"))
        for speed in SPEEDS:
            self.speed.addItem(f"{number(speed)}×", speed)
        self.speed.setCurrentIndex(SPEEDS.index(1.0))
        self._lay_out()
        self._connect()
        self.set_times((0.0, 0.0))
        self._dress_mode()

    def _lay_out(self) -> None:
        """All in one row; where that is too narrow, the time line in a row of its own over the buttons."""
        self._line = QWidget()
        line = QHBoxLayout(self._line)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(self.now)
        line.addWidget(self.slider, 1)
        line.addSpacing(4)
        line.addWidget(self.total)
        self._row = QHBoxLayout()
        self._row.setSpacing(4)
        for button in (self.back, self.play, self.forward, self.loop):
            button.setFixedSize(32, 30)
            self._row.addWidget(button)
        self._row.addStretch(1)
        for button in (self.mark_in, self.mark_out):
            button.setFixedSize(30, 30)
            self._row.addWidget(button)
        self._row.addSpacing(4)
        self._row.addWidget(self.speed)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 8, 14, 8)
        self._column.setSpacing(6)
        self._column.addWidget(self._line)
        self._column.addLayout(self._row)

    def resizeEvent(self, event: QResizeEvent) -> None:
        is_in_row = self._row.indexOf(self._line) >= 0
        if is_in_row != (self.width() >= ONE_ROW_FROM):
            if is_in_row:
                self._column.insertWidget(0, self._line)
            else:
                self._row.insertWidget(len((self.back, self.play, self.forward, self.loop)), self._line, LINE_STRETCH)
        super().resizeEvent(event)

    def minimumSizeHint(self) -> QSize:
        """What the narrower of the two needs."""
        margins = self._column.contentsMargins()
        return QSize(NARROWEST, self._row.minimumSize().height() + margins.top() + margins.bottom())

    def _connect(self) -> None:
        self.back.clicked.connect(lambda: self.step_wanted.emit(-1))
        self.forward.clicked.connect(lambda: self.step_wanted.emit(1))
        self.play.clicked.connect(self.play_toggled)
        self.loop.clicked.connect(self._next_mode)
        self.mark_in.clicked.connect(lambda: self.mark_wanted.emit("in"))
        self.mark_out.clicked.connect(lambda: self.mark_wanted.emit("out"))
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

    def set_marks(self, first: int, last: int) -> None:
        """The frames that the in and the out point are at."""
        self.slider.set_marked(first, last)
        begins, ends = first > self.slider.minimum(), last < self.slider.maximum()
        self.mark_in.set_icon("mark-in", "accent" if begins else "muted")
        self.mark_out.set_icon("mark-out", "accent" if ends else "muted")

    def set_playing(self, playing: bool) -> None:
        self.play.set_icon("pause" if playing else "play")
        self.play.set_text(self.tr("Pause") if playing else self.tr("Play"))

    def _slid(self, value: int) -> None:
        self.seek_wanted.emit(value)

    def _next_mode(self) -> None:
        self._mode = MODES[(MODES.index(self._mode) + 1) % len(MODES)]
        self._dress_mode()
        self.mode_changed.emit(self._mode)

    def _dress_mode(self) -> None:
        texts = {"loop": self.tr("Loop"), "ping-pong": self.tr("To and fro"), "once": self.tr("Once")}
        self.loop.set_icon(*MODE_ICONS[self._mode])
        self.loop.set_text(texts[self._mode])
