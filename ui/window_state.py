"""What the window keeps between two starts: its place, its panes, the drafts. Written on a thread."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QObject, QSize, QTimer

from engine.protocol.errors import LaternaError
from ui.widgets.placing import FRAME

if TYPE_CHECKING:
    from ui.main_window import MainWindow

FIRST_SIZE = (1440, 900)
FIRST_PANES = (345, 755, 340)
SAVE_AFTER_MS = 2000


class WindowState(QObject):
    """``write`` saves the window's preferences to disk; it is called on a thread, and at the end on this one."""

    def __init__(self, window: MainWindow, write: Callable[[], None]) -> None:
        super().__init__(window)
        self._window = window
        self._write = write
        self.later = QTimer(self)
        self.later.setSingleShot(True)
        self.later.setInterval(SAVE_AFTER_MS)
        self.later.timeout.connect(self._save_on_thread)

    def restore(self) -> None:
        window, preferences = self._window, self._window.preferences
        window.resize(QSize(*FIRST_SIZE).boundedTo(window.screen().availableSize() - FRAME))
        if preferences.geometry:
            window.restoreGeometry(_from_text(preferences.geometry))
        window.splitter.setSizes(list(FIRST_PANES))
        if preferences.splitter:
            window.splitter.restoreState(_from_text(preferences.splitter))

    def save_now(self) -> None:
        """At once, on another thread: what was generated from survives a kill."""
        self.later.stop()
        self._save_on_thread()

    def collect(self) -> None:
        window, preferences = self._window, self._window.preferences
        preferences.kind = window.session.kind
        preferences.drafts = window.session.drafts
        preferences.advanced_open = window.form.disclosure.isChecked()
        preferences.geometry = _to_text(window.saveGeometry())
        preferences.splitter = _to_text(window.splitter.saveState())

    def save_last(self) -> None:
        """After every thread has ended."""
        try:
            self._write()
        except LaternaError as error:
            self._window.failed(error)  # nobody sees it any more, but the log has it

    def _save_on_thread(self) -> None:
        self.collect()
        self._window.background.run(self._write, lambda _none: None, self._window.failed)


def _to_text(state: QByteArray) -> str:
    return base64.b64encode(state.data()).decode("ascii")


def _from_text(text: str) -> QByteArray:
    try:
        return QByteArray(base64.b64decode(text, validate=True))
    except ValueError:
        return QByteArray()
