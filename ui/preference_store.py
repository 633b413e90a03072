"""What the window keeps between two starts: set in one place, told to whoever shows or uses it, written on a thread."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from engine.protocol.errors import LaternaError
from ui.background import Background
from ui.preferences import Preferences

SAVE_AFTER_MS = 2000


class PreferenceStore(QObject):
    """Signals: ``changed(str)`` the name of a field, after ``set``; ``saving`` before they are written, for whoever
    keeps a value only then; ``failed(LaternaError)`` they could not be written."""

    changed = Signal(str)
    saving = Signal()
    failed = Signal(object)

    def __init__(self, values: Preferences, write: Callable[[], None], parent: QObject | None = None) -> None:
        """``write`` saves ``values`` to disk; it is called on a thread, and at the end on this one."""
        super().__init__(parent)
        self.values = values
        self._write = write
        self._background = Background(1, self)
        self.later = QTimer(self)
        self.later.setSingleShot(True)
        self.later.setInterval(SAVE_AFTER_MS)
        self.later.timeout.connect(self.save_now)

    def set(self, field: str, value: object) -> None:
        """Jobs read theirs when they begin; what can change at once does, by ``changed``."""
        setattr(self.values, field, value)
        self.changed.emit(field)
        self.save_soon()

    def save_soon(self) -> None:
        """Once the person pauses."""
        self.later.start()

    def save_now(self) -> None:
        """At once, on another thread: what was generated from survives a kill."""
        self.later.stop()
        self.saving.emit()
        self._background.run(self._write, lambda _none: None, self.failed.emit)

    def collect(self) -> None:
        """The last values of all, while there is still a window to ask; ``close`` writes them."""
        self.later.stop()
        self.saving.emit()

    def close(self) -> None:
        """Write a last time, after every other thread has ended."""
        self._background.close()
        try:
            self._write()
        except LaternaError as error:
            self.failed.emit(error)  # nobody sees it any more, but the log has it
