"""A clip and its player bar: which frame is shown, where it begins and ends, how it is to be exported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from ui.player.decoder import ClipInfo
from ui.player.playback import Mode, Playback
from ui.player.transport import Transport
from ui.theme import Theme

if TYPE_CHECKING:
    from engine.media.export import ClipExport, Format


class ClipPlayer(QObject):
    """Signals: ``opened()`` its frames are known; ``frame_shown(QImage)``; ``failed(str)`` with a sentence."""

    opened = Signal()
    frame_shown = Signal(QImage)
    failed = Signal(str)

    def __init__(self, memory_bound: int, *, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self.playback = Playback(bound=memory_bound, parent=self)
        self.transport = Transport(theme=theme)
        self.transport.hide()
        self.info: ClipInfo | None = None
        self._resume = False
        playback, transport = self.playback, self.transport
        transport.play_toggled.connect(playback.toggle)
        transport.step_wanted.connect(playback.step)
        transport.seek_wanted.connect(playback.seek)
        transport.mode_changed.connect(self._set_mode)
        transport.mark_wanted.connect(self.mark)
        transport.speed_changed.connect(playback.set_speed)
        transport.scrub_started.connect(self._begin_scrub)
        transport.scrub_ended.connect(self._end_scrub)
        playback.opened.connect(self._opened)
        playback.frame_shown.connect(self._shown)
        playback.playing_changed.connect(transport.set_playing)
        playback.failed.connect(self.failed)

    @property
    def is_open(self) -> bool:
        """Whether its frames are known."""
        return self.info is not None

    def open(self, path: Path, seconds: float) -> None:
        """``seconds`` is its length, as far as it is known."""
        self.transport.set_times((0.0, seconds))
        self.playback.open(path)

    def close(self) -> None:
        self.playback.close()
        self.info = None

    def mark(self, which: str) -> None:
        """Put the in or the out point ("in", "out") at the frame shown, or take both away ("none")."""
        if self.info is None:
            return
        first, last = self.playback.range
        index, end = self.playback.index, self.info.count - 1
        if which == "in":
            first, last = index, last if last >= index else end
        elif which == "out":
            first, last = first if first <= index else 0, index
        else:
            first, last = 0, end
        self.playback.set_range(first, last)
        self.transport.set_marks(*self.playback.range)

    def go_to_end(self, *, first: bool) -> None:
        """The first frame, or the last."""
        if self.info is not None:
            self.playback.pause()
            self.playback.seek(0 if first else self.info.count - 1)

    def export_wanted(self, last: ClipExport | None, usual: Format = "mp4") -> ClipExport:
        """The part between the in and the out point, otherwise as it was exported ``last``."""
        from engine.media.export import ClipExport

        first, end = self.playback.range
        whole = self.info is None or (first, end) == (0, self.info.count - 1)
        export = last or ClipExport(usual, speed=self.playback.speed, to_and_fro=self.playback.mode == "ping-pong")
        return msgspec.structs.replace(export, first=first, last=None if whole else end)

    def _opened(self, info: ClipInfo) -> None:
        index = self.playback.index
        self.info = info
        self.transport.set_times(info.times)
        self.transport.set_frame(index)
        self.transport.set_marks(*self.playback.range)
        self.opened.emit()

    def _shown(self, index: int, image: QImage) -> None:
        self.frame_shown.emit(image)
        self.transport.set_frame(index)

    def _set_mode(self, mode: Mode) -> None:
        self.playback.mode = mode

    def _begin_scrub(self) -> None:
        self._resume = self.playback.playing
        self.playback.pause()

    def _end_scrub(self) -> None:
        if self._resume:
            self.playback.play()
