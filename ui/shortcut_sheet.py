"""The sheet of shortcuts (F1), made from the actions themselves."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from ui.action_table import GROUPS, ROWS
from ui.widgets.labels import label


def shown_keys(keys: tuple[str, ...]) -> str:
    """The first of ``keys`` as keyboards name it: the key that Qt calls Return is labelled Enter."""
    if not keys:
        return ""
    text = QKeySequence(keys[0]).toString(QKeySequence.SequenceFormat.NativeText)
    return text.replace("Return", "Enter")


class ShortcutSheet(QDialog):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        columns = QHBoxLayout()
        columns.setSpacing(40)
        for pair in (GROUPS[:1] + GROUPS[3:], GROUPS[1:3]):
            column = QVBoxLayout()
            column.setSpacing(8)
            for group in pair:
                column.addWidget(label(QCoreApplication.translate("Actions", group).upper(), "section"))
                column.addLayout(self._rows(group))
                column.addSpacing(12)
            column.addStretch(1)
            columns.addLayout(column, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 16)
        outer.addLayout(columns)
        outer.addWidget(buttons)

    def _rows(self, group: str) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(28)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(0, 1)
        shown = [row for row in ROWS if row.group == group and row.keys]
        for number, row in enumerate(shown):
            keys = label(shown_keys(row.keys), "muted")
            keys.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(label(QCoreApplication.translate("Actions", row.text)), number, 0)
            grid.addWidget(keys, number, 1)
        return grid
