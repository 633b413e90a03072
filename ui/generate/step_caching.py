"""``StepCaching``: all steps, or fewer of them and a picture that differs slightly."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from ui.formats import number
from ui.widgets.combo import Combo

BIT, MORE = 0.1, 0.2
"""Tolerances."""
BIT_ERROR, MORE_ERROR = 0.3, 0.7
"""Mean difference of pixels with them, of 255, as ``bench caching`` measured it (``docs/speed.md``)."""


class StepCaching(Combo):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Speed against exactness"))
        self.setToolTip(
            self.tr(
                "Steps at which little changes are not computed. Measured on the models that come with Laterna: “a bit"
                " faster” leaves out a quarter of the steps, and pixels differ by {bit} of 255 on average; “faster”"
                " leaves out almost half, and they differ by {more}. What is in the picture stays."
            ).format(bit=number(BIT_ERROR), more=number(MORE_ERROR))
        )

    def set_tolerance(self, tolerance: float) -> None:
        """Without a signal. A tolerance of a recipe from elsewhere gets an entry of its own."""
        choices: list[tuple[str, object]] = [
            (self.tr("Every step, exact"), 0.0),
            (self.tr("A bit faster, slightly different"), BIT),
            (self.tr("Faster, slightly different"), MORE),
        ]
        if tolerance not in (0.0, BIT, MORE):
            choices.append((self.tr("Tolerance {value}").format(value=number(tolerance)), tolerance))
        self.set_choices(choices, tolerance)

    def tolerance(self) -> float:
        return float(self.currentData() or 0.0)
