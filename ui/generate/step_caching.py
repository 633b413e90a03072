"""``StepCaching``: all steps, or fewer of them and a picture that differs slightly."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from ui.formats import number
from ui.generate.combo import Combo

BIT, MORE = 0.1, 0.2
"""Tolerances; ``docs/speed.md`` has what was measured with them."""


class StepCaching(Combo):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Speed against exactness"))
        self.setToolTip(
            self.tr(
                "Steps at which little changes are not computed. Details differ slightly; what is in the picture stays."
            )
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
