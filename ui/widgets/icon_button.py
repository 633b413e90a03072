"""A flat button that shows a theme icon and keeps its colour when the theme changes."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QToolButton, QWidget

from ui.theme import Theme


class IconButton(QToolButton):
    """``name`` is an icon of ``resources/icons``; ``text`` its accessible name and tooltip."""

    def __init__(
        self, name: str, text: str, *, theme: Theme, role: str = "text", size: int = 18, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._name = name
        self._role = role
        self.setIconSize(QSize(size, size))
        self.setAutoRaise(True)
        self.set_text(text)
        theme.changed.connect(self._draw)
        self._draw()

    def set_text(self, text: str) -> None:
        self.setAccessibleName(text)
        self.setToolTip(text)

    def set_icon(self, name: str, role: str | None = None) -> None:
        """Another icon, and another colour token where ``role`` is given."""
        role = role or self._role
        if (name, role) != (self._name, self._role):
            self._name, self._role = name, role
            self._draw()

    def _draw(self) -> None:
        self.setIcon(self._theme.icon(self._name, self._role))
