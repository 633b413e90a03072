"""The name before a field: it shows where the value is not the model's own, and a click brings that back."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QLabel, QWidget

from ui.widgets.style import set_state


class FieldLabel(QLabel):
    """Signals: ``reset_wanted`` after a click while the value is not the model's own."""

    reset_wanted = Signal()

    def __init__(self, text: str, help: str = "", parent: QWidget | None = None) -> None:
        """``help`` says what the field does."""
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", "muted")
        self._help = help
        self._usual = ""
        self.setToolTip(help)

    @property
    def changed(self) -> bool:
        return bool(self._usual)

    def set_usual(self, usual: str) -> None:
        """``usual`` is the model's own value where the field has another; empty where it is that one."""
        self._usual = usual
        set_state(self, "changed", bool(usual))
        tip = self.tr("The model's own: {value}. Click to go back to it (Alt+Home).").format(value=usual)
        self.setToolTip("\n\n".join(part for part in (self._help, tip if usual else "") if part))
        if usual:
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        else:
            self.unsetCursor()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        inside = self.rect().contains(event.position().toPoint())
        if self._usual and inside and event.button() == Qt.MouseButton.LeftButton:
            self.reset_wanted.emit()
