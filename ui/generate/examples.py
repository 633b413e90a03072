"""The examples that a model brings along, and the words it knows."""

from __future__ import annotations

import random

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QMenu, QPlainTextEdit, QToolButton, QVBoxLayout, QWidget

from engine.protocol.family_info import ModelInfo
from ui.theme import Theme
from ui.widgets.icon_button import IconButton

SHOWN = 12
SHOWN_CHARS = 60


class ExamplesButton(IconButton):
    """Signals: ``chosen(str)`` a prompt."""

    chosen = Signal(str)

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("sparkle", "", theme=theme, role="muted", size=16, parent=parent)
        self._info: ModelInfo | None = None
        self.set_text(self.tr("Examples for this model"))
        self.setFixedSize(26, 26)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        menu.aboutToShow.connect(self._fill)
        self.setMenu(menu)

    def set_model(self, info: ModelInfo | None) -> None:
        self._info = info
        self.setVisible(bool(info and (info.examples or info.vocabulary)))

    def _fill(self) -> None:
        menu = self.menu()
        menu.clear()
        if self._info is None:
            return
        examples = list(self._info.examples)
        if examples:
            menu.addAction(self.tr("Surprise me"), lambda: self.chosen.emit(random.choice(examples)))
            menu.addSeparator()
        for text in examples[:SHOWN]:
            shown = text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 2] + " …"
            menu.addAction(shown.replace("&", "&&"), lambda text=text: self.chosen.emit(text))
        if self._info.vocabulary:
            menu.addSeparator()
            menu.addAction(self.tr("Words this model knows…"), self._show_vocabulary)

    def _show_vocabulary(self) -> None:
        assert self._info is not None
        dialog = QDialog(self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(self.tr("Words that {model} knows").format(model=self._info.name))
        words = QPlainTextEdit(", ".join(sorted(self._info.vocabulary)))
        words.setReadOnly(True)
        words.setAccessibleName(dialog.windowTitle())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(dialog.reject)
        column = QVBoxLayout(dialog)
        column.addWidget(words)
        column.addWidget(buttons)
        dialog.resize(480, 420)
        dialog.open()
