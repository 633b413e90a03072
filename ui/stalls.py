"""How long the window's thread was busy without looking at its events: the longest, and each one over a limit."""

from __future__ import annotations

import faulthandler
import tempfile
import threading
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, QTimer

BEAT_MS = 5


@dataclass(frozen=True)
class Stall:
    """``seconds`` between two beats; ``where`` is the stack of the window's thread in the middle of it, if seen."""

    seconds: float
    where: str = ""


class StallMonitor(QObject):
    """Start it on the window's thread. A timer beats every few milliseconds; with ``places`` a thread watches the beat
    and writes down where the window's thread is when a beat is late (``limit`` in seconds)."""

    def __init__(self, limit: float = 0.05, *, places: bool = False, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.limit = limit
        self._places = places
        self.longest = 0.0
        self.beats = 0
        self.stalls: list[Stall] = []
        self.late = array("d")  # of each beat, in seconds
        self.busy = array("d")  # processor time of the window's thread between two beats, in seconds
        self._used = 0.0
        self._where = ""
        self._last = 0.0
        self._main = threading.get_ident()
        self._stop = threading.Event()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._beat)
        self._watcher: threading.Thread | None = None

    def start(self) -> None:
        self._last, self._used = time.monotonic(), time.thread_time()
        self._timer.start()
        if not self._places:
            return
        self._watcher = threading.Thread(target=self._watch, name="stall-watcher", daemon=True)
        self._watcher.start()

    @staticmethod
    def quantile(values: Sequence[float], share: float) -> float:
        """The value that ``share`` of ``values`` do not exceed; 0 without any."""
        ordered = sorted(values)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def stop(self) -> float:
        """End it; returns the longest stall in seconds."""
        if self._timer.isActive():
            self._beat()
        self._timer.stop()
        self._stop.set()
        if self._watcher is not None:
            self._watcher.join()
        return self.longest

    def _beat(self) -> None:
        self.beats += 1
        now, used = time.monotonic(), time.thread_time()
        late = now - self._last - BEAT_MS / 1000
        self.late.append(max(0.0, late))
        self.busy.append(used - self._used)
        self._last, self._used = now, used
        self.longest = max(self.longest, late)
        if late > self.limit:
            self.stalls.append(Stall(late, self._where))
        self._where = ""

    def _watch(self) -> None:
        while not self._stop.wait(self.limit / 2):
            if time.monotonic() - self._last > self.limit and not self._where:
                self._where = self._main_stack()

    def _main_stack(self) -> str:
        """The innermost lines of the window's thread. ``sys._current_frames`` would hand out frames that are running,
        which crashed; ``faulthandler`` reads them without touching them."""
        with tempfile.TemporaryFile("w+") as file:
            faulthandler.dump_traceback(file, all_threads=True)
            file.seek(0)
            threads = file.read().split("\n\n")
        main = f"0x{self._main:016x}"
        return next((text for text in threads if main in text.partition("\n")[0]), "")
