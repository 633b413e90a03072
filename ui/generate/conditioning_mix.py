"""An average: another text, and how much of what was there is kept."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from engine.protocol.conditioning import Mix
from ui.generate.own_text import text_field
from ui.theme import Theme
from ui.widgets.icon_button import IconButton
from ui.widgets.labels import label
from ui.widgets.numbers import FloatSpin


class MixRow(QWidget):
    """Signals: ``edited`` after the person changed it, ``remove_wanted`` by its button."""

    edited = Signal()
    remove_wanted = Signal()

    def __init__(self, mix: Mix, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mix = mix
        self.edit = text_field(self.tr("Text to average with"), self.tr("The prompt"), theme=theme)
        self.keep = FloatSpin(self.tr("How much of the prompt is kept in the average"), 0.0, 1.0, 0.05)
        self.remove = IconButton("x", self.tr("Take this average out"), theme=theme, role="muted", size=14)
        row = QHBoxLayout()
        row.addWidget(label(self.tr("Average, keep"), "muted"))
        row.addWidget(self.keep, 1)
        row.addWidget(self.remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.edit)
        self.show_mix(mix)
        self.edit.edited.connect(self._typed)
        self.keep.valueChanged.connect(self._kept)
        self.remove.clicked.connect(self.remove_wanted)

    def show_mix(self, mix: Mix) -> None:
        """Without ``edited``."""
        self._mix = mix
        self.edit.set_text(mix.words.text or "")
        self.keep.blockSignals(True)
        self.keep.set_exact(mix.keep)
        self.keep.blockSignals(False)
        self.edit.setToolTip(self.tr("Its encoding is zeros.") if mix.words.zero else "")

    def mix(self) -> Mix:
        return self._mix

    def _typed(self) -> None:
        self._mix = Mix(msgspec.structs.replace(self._mix.words, text=self.edit.text()), self._mix.keep)
        self.edited.emit()

    def _kept(self) -> None:
        self._mix = Mix(self._mix.words, self.keep.exact())
        self.edited.emit()
