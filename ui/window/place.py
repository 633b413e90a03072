"""Where the window was and how its panes were divided: restored at the start, kept with the preferences."""

from __future__ import annotations

import base64

from PySide6.QtCore import QByteArray, QObject, QSize
from PySide6.QtWidgets import QMainWindow, QSplitter

from ui.preference_store import PreferenceStore
from ui.widgets.placing import FRAME

FIRST_SIZE = (1440, 900)
FIRST_PANES = (345, 755, 340)


class WindowPlace(QObject):
    def __init__(self, window: QMainWindow, splitter: QSplitter, store: PreferenceStore) -> None:
        super().__init__(window)
        self._window = window
        self._splitter = splitter
        self._store = store
        store.saving.connect(self._keep)

    def restore(self) -> None:
        window, preferences = self._window, self._store.values
        window.resize(QSize(*FIRST_SIZE).boundedTo(window.screen().availableSize() - FRAME))
        if preferences.geometry:
            window.restoreGeometry(_from_text(preferences.geometry))
        self._splitter.setSizes(list(FIRST_PANES))
        if preferences.splitter:
            self._splitter.restoreState(_from_text(preferences.splitter))

    def _keep(self) -> None:
        preferences = self._store.values
        preferences.geometry = _to_text(self._window.saveGeometry())
        preferences.splitter = _to_text(self._splitter.saveState())


def _to_text(state: QByteArray) -> str:
    return base64.b64encode(state.data()).decode("ascii")


def _from_text(text: str) -> QByteArray:
    try:
        return QByteArray(base64.b64decode(text, validate=True))
    except ValueError:
        return QByteArray()
