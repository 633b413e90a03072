"""An upscaler on the models page: what it is, and the button that takes an imported one out."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.models.upscalers import Upscaler
from ui.widgets.labels import label


class UpscalerRow(QFrame):
    """Signals: ``removal_wanted(str)`` with its name."""

    removal_wanted = Signal(str)

    def __init__(self, one: Upscaler, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setAccessibleName(one.name)
        facts = one.facts
        text = self.tr("{scale} times larger  ·  {architecture}  ·  about {memory} MB")
        if one.ships:
            text += "  ·  " + self.tr("ships with Laterna, {licence}").format(licence=facts.licence)
        memory = facts.tile_memory // 1_000_000
        what = label(text.format(scale=facts.scale, architecture=facts.architecture, memory=memory), "muted")
        what.setWordWrap(True)
        self.remove = QPushButton(self.tr("Remove"), self)
        self.remove.setProperty("role", "quiet")
        self.remove.setAccessibleName(self.tr("Remove {name}").format(name=one.name))
        self.remove.setVisible(not one.ships)
        self.remove.clicked.connect(lambda: self.removal_wanted.emit(one.name))
        texts = QVBoxLayout()
        texts.addWidget(label(one.name, "title"))
        texts.addWidget(what)
        row = QHBoxLayout(self)
        row.addLayout(texts, 1)
        row.addWidget(self.remove)
