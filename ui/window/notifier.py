"""Tells the person that a long job has ended while they look at something else."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from engine.jobs.notices import JobEnded, JobProgressed
from ui import dbus
from ui.library.captions import recipe_title
from ui.preferences import Preferences

LONG_SECONDS = 10.0
SHOWN_MS = 8000
PORTAL, PORTAL_PATH = "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"
PORTAL_INTERFACE = "org.freedesktop.portal.Notification"


class Notifier(QObject):
    """One for each stretch of work: where more jobs wait, only the last one is told, and the whole stretch counts."""

    def __init__(self, window: QWidget, preferences: Preferences) -> None:
        super().__init__(window)
        self._window = window
        self._preferences = preferences
        self._began: float | None = None
        self._tray: QSystemTrayIcon | None = None
        self.told: list[str] = []

    def progressed(self, _progress: JobProgressed) -> None:
        if self._began is None:
            self._began = time.monotonic()

    def ended(self, ended: JobEnded, waiting: int) -> None:
        """``waiting`` jobs are left in the queue."""
        is_long = self._began is not None and time.monotonic() - self._began >= LONG_SECONDS
        if not waiting:
            self._began = None
        failed = ended.job.state == "failed"
        if not self._preferences.notify or self._in_front() or not (is_long or failed):
            return
        if ended.job.state not in ("done", "failed") or (waiting and not failed):
            return
        title = self.tr("A job failed") if failed else self.tr("Done")
        self._tell(title, recipe_title(ended.job.recipe))

    def _in_front(self) -> bool:
        state = QGuiApplication.applicationState()
        return state == Qt.ApplicationState.ApplicationActive and not self._window.isMinimized()

    def _tell(self, title: str, text: str) -> None:
        self.told.append(f"{title}: {text}")
        QApplication.alert(self._window)
        if not QSystemTrayIcon.isSystemTrayAvailable():  # as on GNOME, whose portal shows notifications all the same
            dbus.call(PORTAL, PORTAL_PATH, PORTAL_INTERFACE, "AddNotification", ["job", {"title": title, "body": text}])
            return
        if self._tray is None:
            icon = self._window.windowIcon()
            self._tray = QSystemTrayIcon(icon if not icon.isNull() else QIcon(), self)
            self._tray.messageClicked.connect(self._come_forward)
            self._tray.activated.connect(lambda _why: self._come_forward())
        self._tray.show()
        self._tray.showMessage(title, text, self._tray.icon(), SHOWN_MS)
        QTimer.singleShot(SHOWN_MS, self, self._tray.hide)

    def _come_forward(self) -> None:
        self._window.showNormal() if self._window.isMinimized() else self._window.show()
        self._window.raise_()
        self._window.activateWindow()
