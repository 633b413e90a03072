"""What few change: the picture to start from, LoRAs, sampler, schedule, shift; and in sections of their own the prompts
beyond the first, guidance beyond its scale, and how texts are read."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.models.installed import InstalledModel
from engine.protocol.conditioning import WHOLE, Conditioning
from engine.protocol.family_info import FamilyInfo
from engine.protocol.inputs import InputRule
from engine.protocol.recipe import Recipe
from engine.protocol.sampling_names import SAMPLERS, SCHEDULERS, display_name
from ui.draft import Draft
from ui.generate.conditioning_editor import ConditioningEditor
from ui.generate.guidance_rows import GuidanceRows
from ui.generate.inpainting_row import InpaintingRow
from ui.generate.input_rows import InputRows
from ui.generate.lora_list import LoraList
from ui.generate.range_field import RangeField
from ui.generate.rows import Rows
from ui.generate.section import Section
from ui.generate.step_caching import StepCaching
from ui.generate.text_rows import TextRows
from ui.generate.weights_choice import WeightsChoice
from ui.loras import Loras
from ui.theme import Theme
from ui.widgets.combo import Combo
from ui.widgets.labels import ErrorLabel
from ui.widgets.numbers import FloatSpin


class Advanced(QWidget):
    """Signals: ``edited`` after the person changed a value, ``guidance_dragged(scale)`` after the guidance scale."""

    edited = Signal()
    guidance_dragged = Signal(float)

    def __init__(self, *, theme: Theme, loras: Loras, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._family: FamilyInfo | None = None
        self.loras = LoraList(loras, theme=theme)
        self.sampler = Combo(self.tr("Sampler"))
        self.scheduler = Combo(self.tr("Scheduler"))
        self.shift = FloatSpin(self.tr("Timestep shift"), 0.0, 999.0, 0.5)
        self.step_caching = StepCaching()
        self.weights = WeightsChoice()
        self.negative_range = RangeField(
            self.tr("Negative prompt from, as a fraction of the schedule"),
            self.tr("Negative prompt to, as a fraction of the schedule"),
        )
        self.conditioning = ConditioningEditor(theme=theme)
        self.rows = Rows()
        self.input_rows = Rows()
        self.inputs = InputRows(self.input_rows)
        self.inpainting = InpaintingRow()
        self.rows.add(self.tr("LoRA"), self.loras, ("adapters",), align_top=True)
        self.rows.add(self.tr("Sampler"), self.sampler, ("sampler",))
        self.rows.add(self.tr("Schedule"), self.scheduler, ("scheduler",))
        self.rows.add(self.tr("Shift"), self.shift, ("shift",))
        self.rows.add(self.tr("Speed"), self.step_caching, ("step_caching",))
        self.rows.add(self.tr("Weights"), self.weights, ("weights",))
        prompts = Rows()
        prompts.add(self.tr("Negative"), self.negative_range, ("negative_range",))
        prompts.add_wide(self.conditioning, ("conditioning",))
        self.guidance = GuidanceRows()
        self.texts = TextRows()
        self.prompts_section = Section(self.tr("Prompts over the steps"), prompts, theme=theme)
        self.guidance_section = Section(self.tr("Guidance"), self.guidance, theme=theme)
        self.texts_section = Section(self.tr("Text encoders"), self.texts, theme=theme)
        self.dynamic, self.skip = self.guidance.dynamic, self.guidance.skip
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.input_rows)
        self.inpainting_rows = Rows()
        self.inpainting_rows.add(self.tr("Part"), self.inpainting, ("inpainting",))
        column.addWidget(self.inpainting_rows)
        column.addWidget(self.rows)
        for section in self._sections():
            column.addWidget(section)
        self.inputs.edited.connect(self._inputs_edited)
        self.inpainting.edited.connect(self.edited)
        self.loras.edited.connect(self._edited)
        self.sampler.activated.connect(self._sampler_chosen)
        self.scheduler.activated.connect(self.edited)
        self.shift.valueChanged.connect(self.edited)
        self.step_caching.activated.connect(self.edited)
        self.weights.activated.connect(self._edited)
        self.negative_range.edited.connect(self._negative_range_edited)
        self.conditioning.edited.connect(self._conditioning_edited)
        self.guidance.edited.connect(self._edited)
        self.guidance.guidance_dragged.connect(self.guidance_dragged)
        self.texts.edited.connect(self._edited)

    def _sections(self) -> tuple[Section, ...]:
        return self.prompts_section, self.guidance_section, self.texts_section

    def set_rules(self, family: FamilyInfo, inputs: tuple[InputRule, ...] = ()) -> None:
        """``inputs``: those that the model takes, or that the recipe has."""
        self._family = family
        self.inputs.set_rules(inputs)
        self.rows.set_row_visible(self.loras, family.takes("adapters"))
        self.rows.set_row_visible(self.shift, family.takes("shift"))
        self.rows.set_row_visible(self.step_caching, family.takes("step_caching"))
        self.prompts_section.rows.set_row_visible(self.conditioning, family.takes("conditioning"))
        self.guidance.set_rules(family)
        self.texts.set_rules(family)
        self._show_negative_range()
        self.prompts_section.setVisible(family.takes("conditioning", "negative_range"))
        self.guidance_section.setVisible(self.guidance.is_used())
        self.texts_section.setVisible(self.texts.is_used())

    def show_draft(self, draft: Draft, model: InstalledModel | None) -> None:
        """Without ``edited``."""
        self.blockSignals(True)
        recipe = draft.recipe
        samplers = self._family.samplers if self._family else {recipe.sampler: (recipe.scheduler,)}
        choices: list[tuple[str, object]] = [(display_name(SAMPLERS, name), name) for name in samplers]
        self.sampler.set_choices(choices, recipe.sampler)
        self._show_schedulers(recipe.sampler, recipe.scheduler)
        self.inputs.set_inputs(recipe.inputs)
        self.inpainting.show_recipe(recipe)
        self._show_inpainting(recipe)
        self.loras.show_loras(recipe.adapters, draft.loras_off, model)
        self.shift.set_exact(recipe.shift)
        self.step_caching.set_tolerance(recipe.step_caching)
        self.weights.set_weights(recipe.weights)
        self.negative_range.set_range(recipe.negative_range.start, recipe.negative_range.end)
        self.conditioning.show_conditioning(recipe.conditioning, recipe.negative_range)
        self.guidance.show_recipe(recipe)
        self.texts.show_recipe(recipe)
        self._show_negative_range()
        self._summarise()
        self.blockSignals(False)

    def _inputs_edited(self) -> None:
        self._show_inpainting(Recipe("", "", inputs=self.inputs.changes(())["inputs"]))
        self.edited.emit()

    def _show_inpainting(self, recipe: Recipe) -> None:
        how = recipe.inpainting
        has_part = recipe.input_of("mask") is not None or (how is not None and how.grows)
        self.inpainting_rows.setVisible(recipe.input_of("start") is not None and has_part)

    def follow(self, recipe: Recipe) -> None:
        """Fields outside of these rows changed."""
        self.guidance.follow(recipe)

    def read(self, draft: Draft) -> Draft:
        """``draft`` with what stands in these rows; what the family has not stays as it was."""
        recipe = draft.recipe
        changes: dict[str, object] = {}
        if self.sampler.currentIndex() >= 0:
            changes |= {"sampler": self.sampler.currentData(), "scheduler": self.scheduler.currentData() or ""}
        changes |= self.inputs.changes(recipe.inputs)
        changes["inpainting"] = self.inpainting.inpainting(recipe.replace(**changes))
        if not self.loras.isHidden():
            changes["adapters"] = self.loras.adapters()
            draft = draft.replace(loras_off=self.loras.switched_off())
        if not self.shift.isHidden():
            changes["shift"] = self.shift.exact()
        changes["weights"] = self.weights.weights()
        if not self.step_caching.isHidden():
            changes["step_caching"] = self.step_caching.tolerance()
        if self._family is not None and self._family.takes("negative_range"):
            start, end = self.negative_range.values()
            changes["negative_range"] = msgspec.structs.replace(recipe.negative_range, start=start, end=end)
        if not self.conditioning.isHidden():
            said = self.conditioning.conditioning()
            changes["conditioning"] = said
            if said is not None and said.negative:
                changes["negative_range"] = WHOLE
        return draft.with_recipe(**changes, **self.guidance.changes(recipe), **self.texts.changes(recipe))

    def summary(self) -> str:
        """What is set here, in a few words."""
        parts = []
        if self.inputs.begins_with_picture():
            parts.append(self.tr("from a picture"))
        if not self.loras.isHidden():
            parts.append(self.loras.summary())
        parts += [self.sampler.currentText(), self.scheduler.currentText().lower()]
        if not self.shift.isHidden():
            parts.append(self.tr("shift {value}").format(value=self.shift.text()))
        if not self.step_caching.isHidden() and self.step_caching.tolerance():
            parts.append(self.tr("fewer steps computed"))
        if self.weights.weights() == "int8":
            parts.append(self.tr("8-bit weights"))
        if not self.conditioning.isHidden() and self.conditioning.summary():
            parts.append(self.tr("several prompts"))
        parts += [self.guidance.summary(), self.texts.summary()]
        return ", ".join(part for part in parts if part)

    # --- sentences

    def knows(self, field: str) -> bool:
        return self._rows_of(field) is not None

    def error(self, field: str) -> ErrorLabel:
        """Where the sentence about ``field`` stands, which ``knows`` says yes to."""
        rows = self._rows_of(field)
        assert rows is not None
        return rows.error(field)

    def show_error(self, field: str, sentence: str) -> QWidget:
        """Put ``sentence`` under the control of ``field``, in sight, and return that control."""
        rows = self._rows_of(field)
        assert rows is not None
        for section in self._sections():
            if section.rows is rows:
                section.set_open(True)
        return rows.show_error(field, sentence)

    def clear_errors(self) -> None:
        for rows in self._all_rows():
            rows.clear_errors()

    def _all_rows(self) -> tuple[Rows, ...]:
        return (self.input_rows, self.rows, *(section.rows for section in self._sections()))

    def _rows_of(self, field: str) -> Rows | None:
        """The rows that have a control in use for ``field``."""
        return next((rows for rows in self._all_rows() if rows.shows(field)), None)

    # --- inner

    def _edited(self) -> None:
        self._summarise()
        self.edited.emit()

    def _negative_range_edited(self) -> None:
        start, end = self.negative_range.values()
        self.conditioning.set_negative_range(msgspec.structs.replace(WHOLE, start=start, end=end))
        self._edited()

    def _conditioning_edited(self) -> None:
        """Negative prompts in a list have ranges of their own; with the list gone, the one prompt holds throughout."""
        if self.conditioning.negative.entries():
            self.negative_range.set_range(WHOLE.start, WHOLE.end)
            self.conditioning.set_negative_range(WHOLE)
        self._show_negative_range()
        self._edited()

    def _show_negative_range(self) -> None:
        has = self._family is not None and self._family.takes("negative_range")
        listed = not self.conditioning.isHidden() and bool(self.conditioning.negative.entries())
        self.prompts_section.rows.set_row_visible(self.negative_range, has and not listed)

    def _summarise(self) -> None:
        said = self.conditioning.conditioning() or Conditioning()
        start, end = self.negative_range.values()
        text = self.conditioning.summary()
        if not said.negative and (start, end) != (0.0, 1.0):
            negative = self.tr("negative {start} to {end}").format(start=f"{start:.0%}", end=f"{end:.0%}")
            text = f"{text}, {negative}" if text else negative
        self.prompts_section.set_summary(text)
        self.guidance_section.set_summary(self.guidance.summary())
        self.texts_section.set_summary(self.texts.summary())

    def _show_schedulers(self, sampler: str, current: str) -> None:
        names = self._family.samplers.get(sampler, (current,)) if self._family else (current,)
        self.scheduler.set_choices([(display_name(SCHEDULERS, name), name) for name in names], current)

    def _sampler_chosen(self) -> None:
        sampler = str(self.sampler.currentData())
        names = self._family.samplers.get(sampler, ()) if self._family else ()
        current = str(self.scheduler.currentData())
        self._show_schedulers(sampler, current if current in names or not names else names[0])
        self.edited.emit()
