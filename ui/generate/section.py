"""A part of the form that opens: a line that says what is set in it, and its rows below."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from ui.generate.rows import Rows
from ui.theme import Theme


class Section(QWidget):
    """``rows`` are shown once the person opens it; closed, its line says in a few words what is set there."""

    def __init__(self, title: str, rows: Rows, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._summary = ""
        self._theme = theme
        self.rows = rows
        self.disclosure = QPushButton()
        self.disclosure.setProperty("role", "disclosure")
        self.disclosure.setCheckable(True)
        self.disclosure.setAccessibleName(title)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 2)
        column.setSpacing(2)
        column.addWidget(self.disclosure)
        column.addWidget(rows)
        rows.hide()
        self.disclosure.toggled.connect(self.set_open)
        theme.changed.connect(self._dress)
        self._dress()

    def set_open(self, is_open: bool) -> None:
        self.disclosure.setChecked(is_open)
        self.rows.setVisible(is_open)
        self._dress()

    def set_summary(self, summary: str) -> None:
        self._summary = summary
        self._dress()

    def _dress(self) -> None:
        is_open = not self.rows.isHidden()
        self.disclosure.setIcon(self._theme.icon("chevron-down" if is_open else "chevron-right", "muted"))
        text = f"  {self._title}"
        room = self.disclosure.width() - 60
        if self._summary and not is_open:
            whole = f"{text}  ·  {self._summary}"
            text = self.disclosure.fontMetrics().elidedText(whole, Qt.TextElideMode.ElideRight, max(room, 160))
        self.disclosure.setText(text.replace("&", "&&"))
        self.disclosure.setAccessibleDescription(self._summary)
