"""``WeightsChoice``: the model's weights as its files have them, or in 8 bits for a picture that differs slightly."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from engine.memory.plan import EIGHT_BITS_DIFFER
from ui.formats import number
from ui.widgets.combo import Combo


class WeightsChoice(Combo):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Weights of the model"))
        self.setToolTip(
            self.tr(
                "8 bits take half the memory of 16. Measured on the models that come with Laterna, pixels then differ "
                "by {value} of 255 on average, and what is in the picture stays."
            ).format(value=number(EIGHT_BITS_DIFFER, 1))
        )

    def set_weights(self, weights: str) -> None:
        """Without a signal."""
        self.set_choices(
            [
                (self.tr("As in the files, exact"), "native"),
                (self.tr("8 bits, less memory, slightly different"), "int8"),
            ],
            weights,
        )

    def weights(self) -> str:
        return str(self.currentData() or "native")
