"""What the view says where there is no picture: how to begin, or why a file cannot be shown."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ui.theme import Theme

MARGIN = 32
MAX_TEXT_WIDTH = 460


class ViewNotice(QWidget):
    """An icon, a title and a sentence in the middle of the canvas."""

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon_name = "sparkle"
        self._icon = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._title = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._title.setProperty("role", "title")
        self._text = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._text.setProperty("role", "muted")
        layout = QVBoxLayout(self)
        layout.setSpacing(8)
        layout.addStretch(4)
        layout.addWidget(self._icon)
        layout.addSpacing(4)
        layout.addWidget(self._title)
        layout.addWidget(self._text)
        layout.addStretch(5)
        theme.changed.connect(self._draw)

    def text(self) -> str:
        return f"{self._title.text()} {self._text.text()}".strip()

    def show_text(self, icon: str, title: str, text: str) -> None:
        self._icon_name = icon
        self._title.setText(title)
        self._text.setText(text)
        self.setAccessibleName(self.text())
        self._draw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lines of text stay readable however wide the view is."""
        side = max(MARGIN, (self.width() - MAX_TEXT_WIDTH) // 2)
        self.layout().setContentsMargins(side, MARGIN, side, MARGIN)
        super().resizeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(event.rect(), QColor(self._theme.tokens.canvas))

    def _draw(self) -> None:
        self._icon.setPixmap(self._theme.icon(self._icon_name, "muted").pixmap(36, 36))
        self.update()
