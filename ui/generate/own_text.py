"""A text that is there or not: a switch, and a field below it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from ui.generate.prompt_edit import PromptEdit
from ui.theme import Theme

LINES_HEIGHT = 46


def text_field(name: str, placeholder: str, *, theme: Theme) -> PromptEdit:
    """A prompt field of two lines."""
    edit = PromptEdit(name, placeholder, theme=theme)
    edit.setMinimumHeight(LINES_HEIGHT)
    edit.setMaximumHeight(LINES_HEIGHT)
    return edit


class OwnText(QWidget):
    """``value()`` is None while the switch is off. A text that was set stays exact until the person types.

    Signals: ``edited`` after the person changed it.
    """

    edited = Signal()

    def __init__(self, switch: str, name: str, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._exact = ""
        self.switch = QCheckBox(switch)
        self.switch.setAccessibleName(switch)
        self.edit = text_field(name, "", theme=theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.switch)
        column.addWidget(self.edit)
        self.setFocusProxy(self.switch)
        self.switch.toggled.connect(self._toggled)
        self.edit.edited.connect(self._typed)
        self.edit.hide()

    def set_value(self, text: str | None) -> None:
        """Without ``edited``."""
        self.switch.blockSignals(True)
        self.switch.setChecked(text is not None)
        self.switch.blockSignals(False)
        self.edit.setVisible(text is not None)
        if text is not None:
            self._exact = text
            self.edit.set_text(text)

    def value(self) -> str | None:
        return self._exact if self.switch.isChecked() else None

    def _typed(self) -> None:
        self._exact = self.edit.text()
        self.edited.emit()

    def _toggled(self, on: bool) -> None:
        self.edit.setVisible(on)
        self.edited.emit()
