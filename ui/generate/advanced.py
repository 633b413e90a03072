"""The rows that few change: sampler, scheduler, shift, skip-layer guidance, ranges, T5."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from engine.protocol.family_info import FamilyInfo
from engine.protocol.recipe import Recipe, SkipLayerGuidance
from engine.protocol.sampling_names import SAMPLERS, SCHEDULERS, display_name
from ui.generate.combo import Combo
from ui.generate.rows import Rows
from ui.generate.start_picture import StartPicture
from ui.generate.timeline import Timeline
from ui.widgets.labels import label
from ui.widgets.numbers import FIELD_HEIGHT, FloatSpin


class RangeField(QWidget):
    """A part of the schedule, from start to end, as fractions.

    Signals: ``edited`` after the person changed it.
    """

    edited = Signal()

    def __init__(self, start_name: str, end_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.start = FloatSpin(start_name, 0.0, 1.0, 0.05)
        self.end = FloatSpin(end_name, 0.0, 1.0, 0.05)
        self.timeline = Timeline(self.tr("Drag the ends"))
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.start, 1)
        row.addWidget(label(self.tr("to"), "muted"))
        row.addWidget(self.end, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.timeline)
        self.setFocusProxy(self.start)
        self.start.valueChanged.connect(self._typed)
        self.end.valueChanged.connect(self._typed)
        self.timeline.range_dragged.connect(self._dragged)

    def _typed(self) -> None:
        self.timeline.set_range(*self.values())
        self.edited.emit()

    def _dragged(self, start: float, end: float) -> None:
        self.set_range(start, end)
        self.edited.emit()

    def set_range(self, start: float, end: float) -> None:
        """Without ``edited``."""
        self.timeline.set_range(start, end)
        for spin, value in ((self.start, start), (self.end, end)):
            spin.blockSignals(True)
            spin.set_exact(value)
            spin.blockSignals(False)

    def values(self) -> tuple[float, float]:
        return self.start.exact(), self.end.exact()


class Advanced(Rows):
    """Signals: ``edited`` after the person changed a value."""

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._family: FamilyInfo | None = None
        self.sampler = Combo(self.tr("Sampler"))
        self.scheduler = Combo(self.tr("Scheduler"))
        self.shift = FloatSpin(self.tr("Timestep shift"), 0.0, 999.0, 0.5)
        self.negative_range = RangeField(
            self.tr("Negative prompt from, as a fraction of the steps"),
            self.tr("Negative prompt to, as a fraction of the steps"),
        )
        self.dynamic = QCheckBox(self.tr("Dynamic guidance"))
        self.t5 = QCheckBox(self.tr("Read the prompt with T5 too"))
        self.skip = QCheckBox(self.tr("Skip-layer guidance"))
        self.skip_scale = FloatSpin(self.tr("Skip-layer guidance scale"), 0.0, 99.0, 0.1)
        self.skip_range = RangeField(
            self.tr("Skip-layer guidance from, as a fraction of the steps"),
            self.tr("Skip-layer guidance to, as a fraction of the steps"),
        )
        self.skip_layers = QLineEdit()
        for check in (self.dynamic, self.t5, self.skip):
            check.setAccessibleName(check.text())
        self.skip_layers.setFixedHeight(FIELD_HEIGHT)
        self.skip_layers.setAccessibleName(self.tr("Layers to skip, by number"))
        self.start_picture = StartPicture()
        self.add(self.tr("Start"), self.start_picture, ("input",))
        self.add(self.tr("Sampler"), self.sampler, ("sampler",))
        self.add(self.tr("Schedule"), self.scheduler, ("scheduler",))
        self.add(self.tr("Shift"), self.shift, ("shift",))
        self.add(self.tr("Negative"), self.negative_range, ("negative_range",))
        self.add("", self.dynamic, ("dynamic_guidance",))
        self.add("", self.t5, ("use_t5", "max_sequence_length"))
        self.add("", self.skip, ("skip_layer_guidance",))
        self.add(self.tr("Scale"), self.skip_scale)
        self.add(self.tr("Range"), self.skip_range)
        self.add(self.tr("Layers"), self.skip_layers)
        self.start_picture.edited.connect(self.edited)
        self.sampler.activated.connect(self._sampler_chosen)
        self.scheduler.activated.connect(self.edited)
        self.shift.valueChanged.connect(self.edited)
        self.skip_scale.valueChanged.connect(self.edited)
        self.negative_range.edited.connect(self.edited)
        self.skip_range.edited.connect(self.edited)
        self.skip_layers.textEdited.connect(self.edited)
        for check in (self.dynamic, self.t5, self.skip):
            check.toggled.connect(self._toggled)

    def set_rules(self, family: FamilyInfo) -> None:
        self._family = family
        self.set_row_visible(self.start_picture, family.has_input_image)
        self.set_row_visible(self.shift, family.has_shift)
        self.set_row_visible(self.negative_range, family.has_negative_range)
        self.set_row_visible(self.dynamic, family.has_dynamic_guidance)
        self.set_row_visible(self.t5, len(family.text_encoders) > 1 and "T5" in family.text_encoders)
        self.set_row_visible(self.skip, family.has_skip_layer_guidance)
        self._show_skip()

    def show_recipe(self, recipe: Recipe) -> None:
        """Show ``recipe`` without ``edited``."""
        self.blockSignals(True)
        samplers = self._family.samplers if self._family else {recipe.sampler: (recipe.scheduler,)}
        choices: list[tuple[str, object]] = [(display_name(SAMPLERS, name), name) for name in samplers]
        self.sampler.set_choices(choices, recipe.sampler)
        self._show_schedulers(recipe.sampler, recipe.scheduler)
        self.start_picture.set_media(recipe.input)
        self.shift.set_exact(recipe.shift)
        self.negative_range.set_range(recipe.negative_range.start, recipe.negative_range.end)
        self.dynamic.setChecked(recipe.dynamic_guidance)
        self.t5.setChecked(recipe.use_t5)
        skip = recipe.skip_layer_guidance
        self.skip.setChecked(skip is not None)
        skip = skip or SkipLayerGuidance()
        self.skip_scale.set_exact(skip.scale)
        self.skip_range.set_range(skip.start, skip.end)
        self.skip_layers.setText(", ".join(map(str, skip.layers)))
        self._show_skip()
        self.blockSignals(False)

    def read(self, recipe: Recipe) -> Recipe:
        """``recipe`` with what stands in these rows; what the family has not stays as it was."""
        changes: dict[str, object] = {}
        if self.sampler.currentIndex() >= 0:
            changes |= {"sampler": self.sampler.currentData(), "scheduler": self.scheduler.currentData() or ""}
        if not self.start_picture.isHidden():
            changes["input"] = self.start_picture.media()
        if not self.shift.isHidden():
            changes["shift"] = self.shift.exact()
        if not self.negative_range.isHidden():
            start, end = self.negative_range.values()
            changes["negative_range"] = msgspec.structs.replace(recipe.negative_range, start=start, end=end)
        if not self.dynamic.isHidden():
            changes["dynamic_guidance"] = self.dynamic.isChecked()
        if not self.t5.isHidden():
            changes["use_t5"] = self.t5.isChecked()
        if not self.skip.isHidden():
            changes["skip_layer_guidance"] = self._skip_value(recipe) if self.skip.isChecked() else None
        return msgspec.structs.replace(recipe, **changes)

    def summary(self) -> str:
        """What is set here, in a few words."""
        parts = [self.sampler.currentText(), self.scheduler.currentText().lower()]
        parts = [part for part in parts if part]
        if not self.start_picture.isHidden() and self.start_picture.media() is not None:
            parts.append(self.tr("from a picture"))
        if not self.shift.isHidden():
            parts.append(self.tr("shift {value}").format(value=self.shift.text()))
        if not self.dynamic.isHidden() and self.dynamic.isChecked():
            parts.append(self.tr("dynamic guidance"))
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
        )

    def _show_schedulers(self, sampler: str, current: str) -> None:
        names = self._family.samplers.get(sampler, (current,)) if self._family else (current,)
        self.scheduler.set_choices([(display_name(SCHEDULERS, name), name) for name in names], current)

    def _sampler_chosen(self) -> None:
        sampler = str(self.sampler.currentData())
        names = self._family.samplers.get(sampler, ()) if self._family else ()
        current = str(self.scheduler.currentData())
        self._show_schedulers(sampler, current if current in names or not names else names[0])
        self.edited.emit()

    def _toggled(self) -> None:
        self._show_skip()
        self.edited.emit()

    def _show_skip(self) -> None:
        shown = not self.skip.isHidden() and self.skip.isChecked()
        for control in (self.skip_scale, self.skip_range, self.skip_layers):
            self.set_row_visible(control, shown)
