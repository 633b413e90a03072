"""Files shown in the system's file manager, chosen there; where it cannot do that, their folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QProcess, QUrl
from PySide6.QtGui import QDesktopServices

from ui import dbus

_SERVICE, _PATH = "org.freedesktop.FileManager1", "/org/freedesktop/FileManager1"


def show_files(files: Sequence[Path]) -> None:
    """All of ``files`` on Linux; on Windows and macOS the first, which is what their file managers can."""
    first = files[0]
    if sys.platform == "win32" and first.exists():
        QProcess.startDetached("explorer", [f"/select,{first}"])
    elif sys.platform == "darwin" and first.exists():
        QProcess.startDetached("open", ["-R", str(first)])
    elif not (there := _urls(files)) or not dbus.call(_SERVICE, _PATH, _SERVICE, "ShowItems", [there, ""]):
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(first.parent)))


def _urls(files: Sequence[Path]) -> list[str]:
    """Of those that are there."""
    return [QUrl.fromLocalFile(str(file)).toString() for file in files if file.exists()]
