"""How the text encoders read what is written: which reading, T5, its length, its mask."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QWidget

from engine.protocol.family_info import FamilyInfo
from engine.protocol.recipe import Recipe
from ui.generate.rows import Rows
from ui.widgets.combo import Combo
from ui.widgets.numbers import IntSpin

MOST_TOKENS = 512


class TextRows(Rows):
    """Signals: ``edited`` after the person changed a value."""

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._family: FamilyInfo | None = None
        self.reading = Combo(self.tr("How prompts are read"))
        self.t5 = QCheckBox(self.tr("Read the prompt with T5 too"))
        self.length = IntSpin(self.tr("Tokens that the text encoder reads"), 1, MOST_TOKENS, self.tr(" tokens"))
        self.mask = QCheckBox(self.tr("Hide T5's padding"))
        for check in (self.t5, self.mask):
            check.setAccessibleName(check.text())
        self.mask.setToolTip(self.tr("The model was trained with the padding in sight; hiding it changes the picture."))
        self.add(self.tr("Reading"), self.reading, ("text_encoding",))
        self.add("", self.t5, ("use_t5",))
        self.add(self.tr("Text length"), self.length, ("max_sequence_length",))
        self.add("", self.mask, ("t5_mask",))
        self.reading.activated.connect(self._reading_chosen)
        self.t5.toggled.connect(self._toggled)
        self.length.valueChanged.connect(self.edited)
        self.mask.toggled.connect(self.edited)

    def set_rules(self, family: FamilyInfo) -> None:
        self._family = family
        self.set_row_visible(self.reading, len(family.text_encodings) > 1)
        self.set_row_visible(self.t5, family.takes("use_t5"))
        self.set_row_visible(self.length, family.takes("max_sequence_length"))
        self.set_row_visible(self.mask, family.takes("t5_mask"))

    def is_used(self) -> bool:
        """Whether the family has anything to set here."""
        return not all(control.isHidden() for control in (self.reading, self.t5, self.length, self.mask))

    def show_recipe(self, recipe: Recipe) -> None:
        """Show ``recipe`` without ``edited``."""
        names = {"diffusers": self.tr("As diffusers, as written"), "comfyui": self.tr("As ComfyUI, with (weights:1.2)")}
        encodings = self._family.text_encodings if self._family else (recipe.text_encoding,)
        for control in (self.t5, self.length, self.mask):
            control.blockSignals(True)
        self.reading.set_choices([(names.get(one, one), one) for one in encodings], recipe.text_encoding)
        self.t5.setChecked(recipe.use_t5)
        self.length.setValue(recipe.max_sequence_length)
        self.mask.setChecked(recipe.t5_mask)
        for control in (self.t5, self.length, self.mask):
            control.blockSignals(False)
        self._tell()

    def changes(self, recipe: Recipe) -> dict[str, object]:
        """What stands here, by the recipe's fields; what the family has not is left out."""
        found: dict[str, object] = {}
        if not self.reading.isHidden() and self.reading.currentIndex() >= 0:
            found["text_encoding"] = self.reading.currentData()
        if not self.t5.isHidden():
            found["use_t5"] = self.t5.isChecked()
        if not self.length.isHidden() and self.length.value() != min(recipe.max_sequence_length, MOST_TOKENS):
            found["max_sequence_length"] = self.length.value()
        if not self.mask.isHidden():
            found["t5_mask"] = self.mask.isChecked()
        return found

    def summary(self) -> str:
        parts = []
        if not self.reading.isHidden() and self.reading.currentData() == "comfyui":
            parts.append(self.tr("ComfyUI's reading"))
        if not self.t5.isHidden() and not self.t5.isChecked():
            parts.append(self.tr("without T5"))
        elif not self.mask.isHidden() and self.mask.isChecked():
            parts.append(self.tr("padding hidden"))
        return ", ".join(parts)

    def _reading_chosen(self) -> None:
        self._tell()
        self.edited.emit()

    def _toggled(self) -> None:
        self._tell()
        self.edited.emit()

    def _tell(self) -> None:
        """What the length means, and whether it counts."""
        counts = self.t5.isHidden() or self.t5.isChecked()
        self.length.setEnabled(counts)
        self.mask.setEnabled(counts)
        comfyui = self.reading.currentData() == "comfyui"
        self.length.setToolTip(
            self.tr("The encoder reads any length; a shorter text is padded to this.")
            if comfyui
            else self.tr("The encoder reads this many tokens; a longer text is cut, a shorter one padded.")
        )
