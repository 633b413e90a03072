"""The rows that are always there: model, size, length, steps, guidance, seed, batch."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from engine.models.installed import InstalledModel
from engine.protocol.family_info import FamilyInfo, ModelInfo
from ui.draft import Draft
from ui.formats import number
from ui.generate.presets import PresetButton
from ui.generate.rows import Rows
from ui.generate.seed_field import SeedField
from ui.generate.size_field import SizeField
from ui.generate.upscaling_field import UpscalingField
from ui.models.catalogue_texts import told
from ui.theme import Theme
from ui.widgets.combo import Combo
from ui.widgets.labels import label
from ui.widgets.numbers import FloatSpin, IntSpin, SliderSpin

MAX_COUNT = 999


class LengthField(QWidget):
    """Frames and frames per second.

    Signals: ``edited`` after the person changed one of them.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._usual: tuple[int, ...] = ()
        self._step = 0
        self.hint = label("", "muted")
        self.hint.setWordWrap(True)
        self.hint.hide()
        self.frames = IntSpin(self.tr("Number of frames"), 1, 9999, self.tr(" frames"))
        self.fps = IntSpin(self.tr("Frames per second"), 1, 999, self.tr(" fps"))
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.frames, 2)
        row.addWidget(self.fps, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 4)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.hint)
        self.setFocusProxy(self.frames)
        for spin in (self.frames, self.fps):
            spin.setMinimumWidth(72)  # long units must not widen the form
            spin.valueChanged.connect(self._changed)

    def set_rules(self, usual: tuple[int, ...], step: int) -> None:
        """``usual`` are the lengths in frames that the model was made for, ``step`` that of the family's rule."""
        self._usual, self._step = usual, step
        self.frames.set_grid(step, 1)
        self._tell()

    def set_values(self, frames: int, fps: int) -> None:
        """Without ``edited``."""
        for spin, value in ((self.frames, frames), (self.fps, fps)):
            spin.blockSignals(True)
            spin.setValue(value)
            spin.blockSignals(False)
        self._tell()

    def _changed(self) -> None:
        self._tell()
        self.edited.emit()

    def _tell(self) -> None:
        seconds = self.frames.value() / self.fps.value()
        tips = [self.tr("{seconds} seconds").format(seconds=number(seconds, 1))]
        if self._step:
            tips.append(self.tr("{step} · N + 1 frames").format(step=self._step))
        if self._usual:
            usual = ", ".join(map(str, self._usual))
            tips.append(self.tr("This model was made for {frames} frames.").format(frames=usual))
        self.setToolTip("\n".join(tips))
        longest = max(self._usual, default=0)
        too_long = bool(longest) and self.frames.value() > longest
        self.hint.setText(self.tr("Longer than the {frames} frames this model was made for.").format(frames=longest))
        self.hint.setVisible(too_long)


class Parameters(Rows):
    """Signals: ``edited`` after the person changed a value, ``model_chosen(id)`` after another model."""

    edited = Signal()
    model_chosen = Signal(str)

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = Combo(self.tr("Model"))
        self.size_field = SizeField(theme=theme)
        self.upscaling = UpscalingField()
        self.length = LengthField()
        self.steps = SliderSpin(self.tr("Steps"), (1, 60), IntSpin(self.tr("Number of steps"), 1, 9999))
        self.guidance = SliderSpin(
            self.tr("Guidance"), (1.0, 12.0), FloatSpin(self.tr("Guidance scale"), 0.0, 999.0, 0.5)
        )
        self.seed = SeedField(theme=theme)
        self.count = IntSpin(self.tr("Number of variations"), 1, MAX_COUNT)
        self.presets = PresetButton(theme=theme)
        model_row = QWidget()
        row = QHBoxLayout(model_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.model, 1)
        row.addWidget(self.presets)
        model_row.setFocusProxy(self.model)
        self.add(self.tr("Model"), model_row, ("model", "family"))
        self.add(self.tr("Size"), self.size_field, ("width", "height"), align_top=True)
        self.add(self.tr("Larger"), self.upscaling, ("upscaling",))
        self.add(self.tr("Length"), self.length, ("frames", "fps"))
        self.add(self.tr("Steps"), self.steps, ("steps",))
        self.add(self.tr("Guidance"), self.guidance, ("guidance",))
        self.add(self.tr("Seed"), self.seed, ("seed",))
        self.add(self.tr("Batch"), self.count, ("batch", "count"))
        self.model.activated.connect(lambda: self.model_chosen.emit(str(self.model.currentData())))
        for part in (self.size_field, self.upscaling, self.length, self.steps, self.guidance, self.seed):
            part.edited.connect(self.edited)
        self.count.valueChanged.connect(self._counted)

    def set_models(self, models: tuple[InstalledModel, ...], current: str, known: bool) -> None:
        choices: list[tuple[str, object]] = [(found.info.name, found.info.id) for found in models]
        self.model.set_choices(choices, current)
        self.model.setEnabled(bool(models))
        self.model.setPlaceholderText("" if models else self.tr("No model") if known else self.tr("Looking…"))
        for index, found in enumerate(models):
            tip = told(found.info.summary) or str(found.folder)
            self.model.setItemData(index, tip, Qt.ItemDataRole.ToolTipRole)

    def set_rules(self, family: FamilyInfo, info: ModelInfo) -> None:
        native = (info.defaults.width, info.defaults.height)
        self.size_field.set_rules(info.sizes, family.size_multiple, native)
        self.length.set_rules(info.frames, family.frame_step)
        self.set_row_visible(self.length, family.kind == "video")
        usual = max(60, min(family.max_steps, 2 * info.defaults.steps))
        self.steps.set_slider_range(1, usual if info.defaults.steps > 8 else 20)
        self.steps.set_mark(info.defaults.steps)
        self.guidance.set_mark(info.defaults.guidance)

    def show_draft(self, draft: Draft) -> None:
        recipe = draft.recipe
        self.size_field.set_size(recipe.width, recipe.height)
        has_own_size = recipe.inpainting is not None or recipe.input_of("mask") is not None  # that of its picture
        self.upscaling.set_size(*((0, 0) if has_own_size else (recipe.width, recipe.height)))
        self.upscaling.set_upscaling(recipe.upscaling)
        self.length.set_values(recipe.frames, recipe.fps)
        self.steps.set_value(recipe.steps)
        self.guidance.set_value(recipe.guidance)
        self.seed.set_seed(recipe.seed, draft.random_seed)
        self.count.blockSignals(True)
        self.count.setValue(draft.count)
        self.count.blockSignals(False)
        self._tell_count()

    def read(self, draft: Draft) -> Draft:
        """``draft`` with what stands in these rows."""
        width, height = self.size_field.size_value()
        if draft.recipe.inpainting is None and draft.recipe.input_of("mask") is None:
            self.upscaling.set_size(width, height)
        values: dict[str, object] = {"width": width, "height": height, "upscaling": self.upscaling.upscaling()}
        if not self.length.isHidden():
            values |= {"frames": self.length.frames.value(), "fps": self.length.fps.value()}
        values |= {"steps": int(self.steps.value()), "guidance": self.guidance.value(), "seed": self.seed.seed()}
        return draft.with_recipe(**values).replace(count=self.count.value(), random_seed=self.seed.is_random())

    def _counted(self) -> None:
        self._tell_count()
        self.edited.emit()

    def _tell_count(self) -> None:
        self.count.setSuffix(self.tr(" variation") if self.count.value() == 1 else self.tr(" variations"))
