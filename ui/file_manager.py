"""Files shown in the system's file manager, chosen there; where it cannot do that, their folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QProcess, QUrl
from PySide6.QtGui import QDesktopServices

_SERVICE, _PATH = "org.freedesktop.FileManager1", "/org/freedesktop/FileManager1"


def show_files(files: Sequence[Path]) -> None:
    """All of ``files`` on Linux; on Windows and macOS the first, which is what their file managers can."""
    first = files[0]
    if sys.platform == "win32" and first.exists():
        QProcess.startDetached("explorer", [f"/select,{first}"])
    elif sys.platform == "darwin" and first.exists():
        QProcess.startDetached("open", ["-R", str(first)])
    elif not _show_over_dbus([file for file in files if file.exists()]):
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(first.parent)))


def _show_over_dbus(files: Sequence[Path]) -> bool:
    """Ask for it; True where there is a file manager that was asked. Its answer is not waited for."""
    if not files:
        return False
    from PySide6.QtDBus import QDBusConnection, QDBusMessage

    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return False
    names = bus.interface()
    if not (names.isServiceRegistered(_SERVICE).value() or _SERVICE in names.activatableServiceNames().value()):
        return False
    message = QDBusMessage.createMethodCall(_SERVICE, _PATH, _SERVICE, "ShowItems")
    message.setArguments([[QUrl.fromLocalFile(str(file)).toString() for file in files], ""])
    return bus.send(message)
