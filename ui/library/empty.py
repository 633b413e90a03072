"""What the gallery shows where there is nothing to show, and what to do about it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from ui.theme import Theme


class EmptyState(QWidget):
    """Signals: ``clear_wanted()`` when the person wants all of the library back."""

    clear_wanted = Signal()

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._title = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._title.setProperty("role", "title")
        self._hint = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._hint.setProperty("role", "muted")
        self._clear = QPushButton(self.tr("Show everything"))
        self._clear.clicked.connect(self.clear_wanted)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.setSpacing(8)
        layout.addStretch(2)
        for part in (self._icon, self._title, self._hint):
            layout.addWidget(part)
        layout.addSpacing(6)
        layout.addWidget(self._clear, alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)
        self._icon_name = "image"
        theme.changed.connect(self._draw)
        self.show_nothing_made()

    def show_nothing_made(self) -> None:
        self._show(
            "sparkle",
            self.tr("Nothing here yet"),
            self.tr("Describe a picture in the prompt and press Generate. Everything you make appears here."),
            clear=False,
        )

    def show_nothing_found(self, text: str) -> None:
        title = self.tr("Nothing matches “{0}”").format(text[:40]) if text else self.tr("Nothing of this kind yet")
        self._show("search", title, self.tr("Try fewer words, or another filter."), clear=True)

    def show_nothing_deleted(self) -> None:
        self._show(
            "trash",
            self.tr("Nothing was deleted"),
            self.tr("What you delete goes to the system's trash, and can be put back from here until that is emptied."),
            clear=True,
        )

    def show_no_favourites(self) -> None:
        self._show(
            "star",
            self.tr("No favourites yet"),
            self.tr("Press the star above a picture to keep it here."),
            clear=True,
        )

    def _show(self, icon: str, title: str, hint: str, *, clear: bool) -> None:
        self._icon_name = icon
        self._title.setText(title)
        self._hint.setText(hint)
        self._clear.setVisible(clear)
        self._draw()

    def _draw(self) -> None:
        self._icon.setPixmap(self._theme.icon(self._icon_name, "muted").pixmap(36, 36))
