"""The seed: a number in groups of three, a die for another one, a lock that keeps it."""

from __future__ import annotations

from PySide6.QtCore import QRegularExpression, Signal
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from engine.protocol.family_info import MAX_SEED
from ui.draft import draw_seed
from ui.theme import Theme
from ui.widgets.icon_button import IconButton
from ui.widgets.numbers import FIELD_HEIGHT


def seed_text(seed: int) -> str:
    return f"{seed:,}".replace(",", " ")


class SeedField(QWidget):
    """Signals: ``edited`` after the person changed the seed or the lock."""

    edited = Signal()

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._seed = 0
        self.line = QLineEdit(self)
        self.line.setAccessibleName(self.tr("Seed"))
        self.line.setPlaceholderText(self.tr("Random"))
        self.line.setFixedHeight(FIELD_HEIGHT)
        self.line.setValidator(QRegularExpressionValidator(QRegularExpression(r"[\d\s.,']{0,40}"), self.line))
        self.dice = IconButton("dice", self.tr("Draw another seed"), theme=theme)
        self.lock = IconButton("lock", self.tr("Keep this seed"), theme=theme)
        self.lock.setCheckable(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.line, 1)
        row.addSpacing(2)
        row.addWidget(self.dice)
        row.addWidget(self.lock)
        self.setFocusProxy(self.line)
        self.line.textEdited.connect(self._typed)
        self.line.editingFinished.connect(lambda: self._show(self._seed))
        self.dice.clicked.connect(self.draw)
        self.lock.toggled.connect(self._locked)
        self._dress_lock()

    def seed(self) -> int:
        return self._seed

    def is_random(self) -> bool:
        return not self.lock.isChecked()

    def set_seed(self, seed: int, is_random: bool) -> None:
        """Without ``edited``."""
        self.lock.blockSignals(True)
        self.lock.setChecked(not is_random)
        self.lock.blockSignals(False)
        self._dress_lock()
        self._show(seed)

    def draw(self) -> None:
        """Another seed."""
        self._show(draw_seed())
        self.edited.emit()

    def _show(self, seed: int) -> None:
        self._seed = seed
        text = seed_text(seed) if seed or not self.is_random() else ""  # none was drawn yet
        if self.line.text() != text:
            self.line.setText(text)
            self.line.setCursorPosition(0)

    def _typed(self, text: str) -> None:
        digits = "".join(character for character in text if character in "0123456789")
        self._seed = min(int(digits or 0), 2 * MAX_SEED)  # too large a one stays, for the sentence under the field
        if not self.lock.isChecked():
            self.lock.blockSignals(True)
            self.lock.setChecked(True)  # who types a seed wants that seed
            self.lock.blockSignals(False)
            self._dress_lock()
        self.edited.emit()

    def _locked(self) -> None:
        self._dress_lock()
        self.edited.emit()

    def _dress_lock(self) -> None:
        locked = self.lock.isChecked()
        self.lock.set_icon("lock" if locked else "unlock", "accent" if locked else "muted")
        self.lock.set_text(
            self.tr("This seed is kept; click for a new one each time")
            if locked
            else self.tr("A new seed is drawn each time; click to keep this one")
        )
