"""Guidance beyond its one scale: over the steps, dynamic, and by skipped layers."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QWidget

from engine.protocol.conditioning import GuidancePoint
from engine.protocol.family_info import FamilyInfo
from engine.protocol.recipe import Recipe, SkipLayerGuidance
from ui.generate.guidance_curve import GuidanceCurve
from ui.generate.range_field import RangeField
from ui.generate.rows import Rows
from ui.widgets.combo import Combo
from ui.widgets.numbers import FIELD_HEIGHT, FloatSpin


class GuidanceRows(Rows):
    """Signals: ``edited`` after the person changed a value, ``guidance_dragged(scale)`` when that was the guidance
    scale itself, by the first point of the curve."""

    edited = Signal()
    guidance_dragged = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._most = 30.0
        self.dynamic = QCheckBox(self.tr("Dynamic guidance"))
        self.changes_over_steps = QCheckBox(self.tr("Change it over the steps"))
        self.curve = GuidanceCurve(self.tr("Guidance over the steps"))
        self.skip = QCheckBox(self.tr("Skip-layer guidance"))
        self.skip_scale = FloatSpin(self.tr("Skip-layer guidance scale"), 0.0, 99.0, 0.1)
        self.skip_window = Combo(self.tr("Skip-layer guidance window"))
        self.skip_range = RangeField(
            self.tr("Skip-layer guidance from, as a fraction"), self.tr("Skip-layer guidance to, as a fraction")
        )
        self.skip_layers = QLineEdit()
        self.skip_layers.setFixedHeight(FIELD_HEIGHT)
        self.skip_layers.setAccessibleName(self.tr("Layers to skip, by number"))
        for check in (self.dynamic, self.changes_over_steps, self.skip):
            check.setAccessibleName(check.text())
        self.add("", self.dynamic, ("dynamic_guidance",))
        self.add("", self.changes_over_steps, ("guidance_schedule",))
        self.add("", self.curve)
        self.add("", self.skip, ("skip_layer_guidance",))
        self.add(self.tr("Scale"), self.skip_scale)
        self.add(self.tr("Window"), self.skip_window)
        self.add(self.tr("Range"), self.skip_range)
        self.add(self.tr("Layers"), self.skip_layers)
        self.curve.edited.connect(self.edited)
        self.curve.start_dragged.connect(self.guidance_dragged)
        self.skip_scale.valueChanged.connect(self.edited)
        self.skip_window.activated.connect(self.edited)
        self.skip_range.edited.connect(self.edited)
        self.skip_layers.textEdited.connect(self.edited)
        self.changes_over_steps.toggled.connect(self._curve_toggled)
        for check in (self.dynamic, self.skip):
            check.toggled.connect(self._toggled)

    def set_rules(self, family: FamilyInfo) -> None:
        self._most = family.max_guidance
        self.set_row_visible(self.dynamic, family.takes("dynamic_guidance"))
        self.set_row_visible(self.changes_over_steps, family.takes("guidance_schedule"))
        self.set_row_visible(self.skip, family.takes("skip_layer_guidance"))
        self._show_parts()

    def is_used(self) -> bool:
        """Whether the family has anything to set here."""
        return not all(control.isHidden() for control in (self.dynamic, self.changes_over_steps, self.skip))

    def show_recipe(self, recipe: Recipe) -> None:
        """Show ``recipe`` without ``edited``."""
        self.blockSignals(True)
        self.dynamic.setChecked(recipe.dynamic_guidance)
        self.changes_over_steps.setChecked(bool(recipe.guidance_schedule))
        self.curve.set_curve(recipe.guidance, recipe.guidance_schedule, recipe.steps, self._most)
        skip = recipe.skip_layer_guidance
        self.skip.setChecked(skip is not None)
        skip = skip or SkipLayerGuidance()
        self.skip_scale.set_exact(skip.scale)
        windows: list[tuple[str, object]] = [(self.tr("In steps"), "steps"), (self.tr("In noise levels"), "sigma")]
        self.skip_window.set_choices(windows, skip.window)
        self.skip_range.set_range(skip.start, skip.end)
        self.skip_layers.setText(", ".join(map(str, skip.layers)))
        self._show_parts()
        self.blockSignals(False)

    def follow(self, recipe: Recipe) -> None:
        """Other fields changed: the curve starts at another scale, or has other steps."""
        self.curve.set_curve(recipe.guidance, self.curve.points(), recipe.steps, self._most)

    def changes(self, recipe: Recipe) -> dict[str, object]:
        """What stands here, by the recipe's fields; what the family has not is left out."""
        found: dict[str, object] = {}
        if not self.dynamic.isHidden():
            found["dynamic_guidance"] = self.dynamic.isChecked()
        if not self.changes_over_steps.isHidden():
            found["guidance_schedule"] = self.curve.points() if self.changes_over_steps.isChecked() else ()
        if not self.skip.isHidden():
            found["skip_layer_guidance"] = self._skip_value(recipe) if self.skip.isChecked() else None
        return found

    def summary(self) -> str:
        parts = []
        if not self.dynamic.isHidden() and self.dynamic.isChecked():
            parts.append(self.tr("dynamic guidance"))
        if not self.changes_over_steps.isHidden() and self.changes_over_steps.isChecked():
            parts.append(self.tr("changes over the steps"))
        if not self.skip.isHidden() and self.skip.isChecked():
            parts.append(self.tr("skip layers"))
        return ", ".join(parts)

    def _skip_value(self, recipe: Recipe) -> SkipLayerGuidance:
        layers = tuple(int(word) for word in self.skip_layers.text().replace(",", " ").split() if word.isdecimal())
        start, end = self.skip_range.values()
        return msgspec.structs.replace(
            recipe.skip_layer_guidance or SkipLayerGuidance(),
            scale=self.skip_scale.exact(),
            layers=layers,
            start=start,
            end=end,
            window=self.skip_window.currentData(),
        )

    def _curve_toggled(self, on: bool) -> None:
        """A new curve is flat, so that nothing changes before a point is moved."""
        if on and not self.curve.points():
            start = self.curve.start()
            self.curve.set_points((GuidancePoint(0.5, start), GuidancePoint(1.0, start)))
        self._toggled()

    def _toggled(self) -> None:
        self._show_parts()
        self.edited.emit()

    def _show_parts(self) -> None:
        over_steps = not self.changes_over_steps.isHidden() and self.changes_over_steps.isChecked()
        self.set_row_visible(self.curve, over_steps)
        skips = not self.skip.isHidden() and self.skip.isChecked()
        for control in (self.skip_scale, self.skip_window, self.skip_range, self.skip_layers):
            self.set_row_visible(control, skips)
