"""``Playback``: which frame of the clip is shown, by the clock. Late frames are dropped; time never stretches."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QImage

from ui.player.decoder import MEMORY_BOUND, ClipDecoder, ClipInfo

Mode = Literal["loop", "ping-pong", "once"]


class Playback(QObject):
    """Between the in and the out point, forward again and again, to and fro, or once.

    Signals: ``opened(ClipInfo)``; ``frame_shown(int, QImage)``; ``playing_changed(bool)``; ``failed(str)``."""

    opened = Signal(object)
    frame_shown = Signal(int, QImage)
    playing_changed = Signal(bool)
    failed = Signal(str)

    def __init__(
        self,
        *,
        bound: int = MEMORY_BOUND,
        clock: Callable[[], float] = time.monotonic,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.mode: Mode = "loop"
        self._first, self._last = 0, 0
        self._bound = bound
        self._clock = clock
        self._decoder: ClipDecoder | None = None
        self._retired: list[ClipDecoder] = []
        self._info: ClipInfo | None = None
        self._index = 0
        self._shown = -1
        self._playing = False
        self._speed = 1.0
        self._since = 0.0
        self._from = 0.0
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    # state

    @property
    def info(self) -> ClipInfo | None:
        return self._info

    @property
    def index(self) -> int:
        """The frame that is shown or on its way."""
        return self._index

    @property
    def range(self) -> tuple[int, int]:
        """The first and the last frame between the in and the out point."""
        return self._first, self._last

    def set_range(self, first: int, last: int) -> None:
        """``first`` and ``last`` frame to play; in any order."""
        if self._info is not None:
            end = self._info.count - 1
            self._first, self._last = sorted((max(0, min(end, first)), max(0, min(end, last))))
            self._restart_clock()

    @property
    def playing(self) -> bool:
        return self._playing

    @property
    def speed(self) -> float:
        return self._speed

    def open(self, path: Path, *, play: bool = True) -> None:
        self.close()
        decoder = ClipDecoder(path, bound=self._bound, parent=self)
        decoder.opened.connect(self._opened)
        decoder.ready.connect(self._ready)
        decoder.failed.connect(self.failed)
        self._decoder = decoder
        self._set_playing(play)
        decoder.start()

    def close(self) -> None:
        """Let go of the clip; its thread ends by itself."""
        self._timer.stop()
        self._set_playing(False)
        self._info = None
        self._index, self._shown = 0, -1
        self._retired = [old for old in self._retired if not self._remove(old)]
        if self._decoder is not None:
            self._decoder.close()
            self._retired.append(self._decoder)
            self._decoder = None

    def wait(self) -> None:
        """Close, and wait for every thread."""
        self.close()
        for decoder in self._retired:
            decoder.wait()
            decoder.deleteLater()
        self._retired = []

    @staticmethod
    def _remove(decoder: ClipDecoder) -> bool:
        if decoder.finished:
            decoder.wait()
            decoder.deleteLater()
            return True
        return False

    # what the person does

    def play(self) -> None:
        if self._info is None:
            return
        if not self._first <= self._index <= self._last or (self.mode == "once" and self._index == self._last):
            self._index = self._first
        self._set_playing(True)
        self._restart_clock()
        self._show(self._index)

    def pause(self) -> None:
        self._timer.stop()
        self._set_playing(False)

    def toggle(self) -> None:
        if self._playing:
            self.pause()
        else:
            self.play()

    def step(self, delta: int) -> None:
        """``delta`` frames on, paused; round the end where the clip loops."""
        if self._info is None:
            return
        self.pause()
        index = self._index + delta
        if self.mode == "once":
            self.seek(index)
        elif index > self._last:
            self.seek(self._first)
        else:
            self.seek(self._last if index < self._first else index)

    def seek(self, index: int) -> None:
        if self._info is None:
            return
        self._index = max(0, min(self._info.count - 1, index))
        self._restart_clock()
        self._show(self._index)

    def set_speed(self, speed: float) -> None:
        self._restart_clock()
        self._speed = speed
        if self._playing:
            self._tick()

    def current_image(self) -> QImage | None:
        """The frame shown, as it is on the screen and in an export."""
        return self._decoder.frame(self._index) if self._decoder is not None else None

    # the clock

    def _restart_clock(self) -> None:
        """The clock counts from the in point; while playing to and fro it also counts the way back."""
        self._since = self._clock()
        info = self._info
        self._from = info.times[self._index] - info.times[self._first] if info is not None else 0.0

    def _position(self) -> float:
        return self._from + (self._clock() - self._since) * self._speed

    def _frame_at(self, info: ClipInfo, position: float) -> tuple[int, float]:
        """The frame at ``position`` seconds from the in point, and the seconds until the next one."""
        begin, length = info.times[self._first], info.times[self._last + 1] - info.times[self._first]
        back = position - length
        if back < 0:
            index = bisect_right(info.times, begin + position + 1e-6) - 1
            index = max(self._first, min(self._last, index))
            return index, info.times[index + 1] - begin - position
        # On the way back neither end is shown a second time.
        each = length / (self._last - self._first + 1)
        steps = int(back / each + 1e-6)
        return max(self._first, self._last - 1 - steps), (steps + 1) * each - back

    def _round(self, info: ClipInfo) -> float:
        """Seconds until it begins again."""
        frames = self._last - self._first + 1
        length = info.times[self._last + 1] - info.times[self._first]
        return length * (2 * frames - 2) / frames if self.mode == "ping-pong" and frames > 1 else length

    def _tick(self) -> None:
        info, decoder = self._info, self._decoder
        if info is None or decoder is None or not self._playing:
            return
        if self._shown < 0:  # the clock starts with the first picture
            decoder.want(self._index)
            self._restart_clock()
            self._timer.start(15)
            return
        position = self._position()
        whole = self._round(info)
        if position >= whole:
            if self.mode == "once":
                self._index = self._last
                self._show(self._index)
                self.pause()
                return
            position %= whole
            self._from, self._since = position, self._clock()
        index, left = self._frame_at(info, position)
        if index != self._shown:
            is_back = self.mode == "ping-pong" and self._shown > index
            lowest = index if is_back else self._shown + 1 if self._shown < index else self._first
            near = decoder.nearest_before(index, lowest)
            decoder.want(index)
            if near is not None:
                self._index = near
                self._show(near)
        self._timer.start(max(1, round(left / self._speed * 1000)))

    def _show(self, index: int) -> None:
        decoder = self._decoder
        if decoder is None:
            return
        if not self._playing:
            decoder.want(index)
        image = decoder.frame(index)
        if image is not None:
            self._shown = index
            self.frame_shown.emit(index, image)
            if self._playing and not self._timer.isActive():
                self._tick()

    def _opened(self, info: ClipInfo) -> None:
        if self.sender() is not self._decoder:
            return
        is_new = self._info is None
        self._info = info
        self._index = min(self._index, info.count - 1)
        self._first, self._last = (0, info.count - 1) if is_new else (self._first, min(self._last, info.count - 1))
        self.opened.emit(info)
        if self._playing:
            self._restart_clock()
            self._tick()

    def _ready(self, index: int) -> None:
        if self.sender() is self._decoder and index == self._index and self._shown != index:
            self._restart_clock()
            self._show(index)

    def _set_playing(self, playing: bool) -> None:
        if playing != self._playing:
            self._playing = playing
            self.playing_changed.emit(playing)
