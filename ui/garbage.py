"""Python's cycle collector on the window's thread only.

It runs on whatever thread happens to allocate; a widget that it finds on another thread would be destroyed there, which
Qt does not allow (seen as rare crashes in painting).
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS = 700
FULL_AFTER = 40  # collections of the young for one of everything


class GuiGarbage(QObject):
    """From ``begin`` on, collect from a timer only. ``stop`` gives the collector back to Python."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rounds = 0
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self.collect)

    def begin(self) -> None:
        """Before the first widget: while the window starts, other threads import and would collect most of all."""
        gc.disable()
        self._timer.start()

    def start(self) -> None:
        """What is there now (modules, classes) stays for good, and need not be looked at again."""
        self.begin()
        gc.freeze()

    def collect(self) -> None:
        self._rounds += 1
        if self._rounds % FULL_AFTER == 0:
            gc.collect()
        elif gc.get_count()[0] > gc.get_threshold()[0]:
            gc.collect(1)

    def stop(self) -> None:
        self._timer.stop()
        gc.unfreeze()
        gc.enable()
