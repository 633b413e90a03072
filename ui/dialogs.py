"""The dialogs that ask for a file or folder. All are non-blocking."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from engine.media.pictures import ENDINGS

AskTarget = Callable[[QWidget, str, Path, Callable[[Path], None]], object]
"""``ask(parent, title, suggestion, then)`` calls ``then`` with the path that the person chose, if any."""


def _tr(text: str) -> str:
    return QCoreApplication.translate("Dialogs", text)


def ask_file(parent: QWidget, folder: Path, done: Callable[[Path], None]) -> QFileDialog:
    """What can be dropped on the window too: pictures, clips, workflows, texts of settings."""
    dialog = QFileDialog(parent, _tr("Reuse the recipe of a file"), str(folder))
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    endings = " ".join(f"*{ending}" for ending in (*ENDINGS, ".mp4", ".mov", ".webm", ".mkv", ".json", ".txt"))
    dialog.setNameFilter(f"{_tr('Pictures, clips, workflows')} ({endings})")
    return _open(dialog, done)


def ask_target(parent: QWidget, title: str, suggestion: Path, done: Callable[[Path], None]) -> QFileDialog:
    """Where to save a file."""
    dialog = QFileDialog(parent, title, str(suggestion.parent))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(suggestion.suffix.lstrip("."))
    dialog.selectFile(suggestion.name)
    return _open(dialog, done)


def ask_folder(parent: QWidget, folder: Path, done: Callable[[Path], None]) -> QFileDialog:
    dialog = QFileDialog(parent, _tr("Folder for new files"), str(folder))
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    return _open(dialog, done)


def _open(dialog: QFileDialog, done: Callable[[Path], None]) -> QFileDialog:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(lambda name: done(Path(name)))
    dialog.open()
    return dialog
