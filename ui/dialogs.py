"""The dialogs that ask for a file or folder, and the one about Laterna. All are non-blocking."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QLabel, QVBoxLayout, QWidget

from engine.jobs.notices import EngineStateChanged
from ui.widgets.labels import label

ABOUT_WIDTH = 380


def _tr(text: str) -> str:
    return QCoreApplication.translate("Dialogs", text)


def ask_file(parent: QWidget, folder: Path, done: Callable[[Path], None]) -> QFileDialog:
    """What can be dropped on the window too: pictures, clips, workflows, texts of settings."""
    dialog = QFileDialog(parent, _tr("Reuse the recipe of a file"), str(folder))
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilter(_tr("Pictures, clips, workflows (*.png *.jpg *.jpeg *.webp *.gif *.mp4 *.json *.txt)"))
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


class AboutDialog(QDialog):
    def __init__(self, version: str, engine: EngineStateChanged, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("About Laterna"))
        lines = [self.tr("Pictures and clips from text, on your own machine.")]
        if engine.device is not None:
            lines.append(self.tr("Device: {name}").format(name=engine.device.name))
        if engine.versions:
            lines.append(", ".join(f"{name} {number}" for name, number in sorted(engine.versions.items())))
        lines.append(self.tr("Free software under the GNU General Public License, version 3 or later."))
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 24, 28, 18)
        column.setSpacing(10)
        column.addWidget(label(f"Laterna {version}", "heading"))
        for line in lines:
            shown = QLabel(line)
            shown.setTextFormat(Qt.TextFormat.PlainText)
            shown.setWordWrap(True)
            shown.setFixedWidth(ABOUT_WIDTH)
            shown.setProperty("role", "muted")
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(shown)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column.addSpacing(6)
        column.addWidget(buttons)
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
