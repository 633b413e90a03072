"""The dialog about Laterna: its version, the device, and the libraries."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from engine.jobs.notices import EngineStateChanged
from ui.widgets.labels import label

ABOUT_WIDTH = 380


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
