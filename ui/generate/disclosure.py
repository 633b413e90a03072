"""The line that opens a part of the form."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QWidget

from ui.theme import Theme

AROUND_TEXT = 60  # the arrow and the margins of the style sheet, in pixels


class Disclosure(QPushButton):
    """An arrow, a title, and while it is closed a few words about what is inside.

    It takes the width that it is given: what does not fit is cut with an ellipsis, and whole in the tooltip.
    """

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._whole = ""
        self.setProperty("role", "disclosure")
        self.setCheckable(True)

    def dress(self, title: str, summary: str, *, is_open: bool) -> None:
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        closed = "chevron-left" if mirrored else "chevron-right"
        self.setIcon(self._theme.icon("chevron-down" if is_open else closed, "muted"))
        self._whole = f"{title}  ·  {summary}" if summary and not is_open else title
        self.setAccessibleDescription(summary)
        self._elide()

    def minimumSizeHint(self) -> QSize:
        return QSize(AROUND_TEXT, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        room = max(self.width() - AROUND_TEXT, 1)
        shown = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, room)
        self.setText("  " + shown.replace("&", "&&"))
        self.setToolTip(self._whole if shown != self._whole else "")
