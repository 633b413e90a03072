"""``InpaintingRow``: how the part of a picture that its mask names is made anew."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QWidget

from engine.protocol.inpainting import MOST_PIXELS, Inpainting
from engine.protocol.recipe import Recipe
from ui.widgets.numbers import IntSpin


class InpaintingRow(QWidget):
    """Signals: ``edited`` after the person changed it."""

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = Inpainting()
        self.close_up = QCheckBox(self.tr("Close up"))
        self.close_up.setAccessibleName(self.tr("Work on the masked part alone, at the model's full size"))
        self.close_up.setToolTip(self.close_up.accessibleName())
        self.margin = IntSpin(self.tr("Pixels around the mask that are seen"), 0, MOST_PIXELS, self.tr(" px around"))
        self.feather = IntSpin(
            self.tr("Width of the soft edge within the mask, in pixels"), 0, MOST_PIXELS, self.tr(" px soft edge")
        )
        for spin in (self.margin, self.feather):
            spin.setToolTip(spin.accessibleName())
        row = QGridLayout(self)
        row.setContentsMargins(0, 2, 0, 2)
        row.setSpacing(6)
        row.addWidget(self.close_up, 0, 0)
        row.addWidget(self.margin, 0, 1)
        row.addWidget(self.feather, 1, 0, 1, 2)
        row.setColumnStretch(1, 1)
        self.setFocusProxy(self.close_up)
        self.close_up.toggled.connect(self._changed)
        self.margin.valueChanged.connect(self._changed)
        self.feather.valueChanged.connect(self._changed)
        self.show_recipe(Recipe("", ""))

    def show_recipe(self, recipe: Recipe) -> None:
        """Without ``edited``."""
        self._shown = how = recipe.inpainting or Inpainting()
        for widget in (self.close_up, self.margin, self.feather):
            widget.blockSignals(True)
        self.close_up.setChecked(how.only_masked)
        self.margin.setValue(how.margin)
        self.feather.setValue(how.feather)
        self.margin.setEnabled(how.only_masked)
        for widget in (self.close_up, self.margin, self.feather):
            widget.blockSignals(False)

    def inpainting(self, recipe: Recipe) -> Inpainting | None:
        """For ``recipe`` with what stands in this row; None where nothing of its picture is made anew."""
        has_mask = recipe.input_of("mask") is not None
        if recipe.input_of("start") is None or not (has_mask or self._shown.grows):
            return None
        return msgspec.structs.replace(
            self._shown,
            only_masked=self.close_up.isChecked(),
            margin=self.margin.value(),
            feather=self.feather.value(),
        )

    def _changed(self) -> None:
        self.margin.setEnabled(self.close_up.isChecked())
        self.edited.emit()
