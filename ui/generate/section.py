"""A part of the form that opens: a line that says what is set in it, and its rows below."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.generate.disclosure import Disclosure
from ui.generate.rows import Rows
from ui.theme import Theme


class Section(QWidget):
    """``rows`` are shown once the person opens it; closed, its line says in a few words what is set there."""

    def __init__(self, title: str, rows: Rows, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._summary = ""
        self.rows = rows
        self.disclosure = Disclosure(theme=theme)
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
        self.disclosure.dress(self._title, self._summary, is_open=not self.rows.isHidden())
