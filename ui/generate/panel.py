"""``GeneratePanel``: the left side of the window. It edits the session's draft and asks for nothing by itself."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from engine.models.catalog import FAMILIES
from engine.models.lora_shelf import LoraShelf
from engine.protocol.errors import BadRecipe, ErrorInfo
from engine.protocol.recipe import Recipe
from ui.draft import Draft, Preset
from ui.generate.advanced import Advanced
from ui.generate.disclosure import Disclosure
from ui.generate.drop_targets import DropTargets
from ui.generate.drop_zone import DropZone
from ui.generate.forecast_note import ForecastNote
from ui.generate.import_report import ImportReport
from ui.generate.parameters import Parameters
from ui.generate.presets import with_settings
from ui.generate.prompts import Prompts
from ui.generate.rows import Rows
from ui.loras import Loras
from ui.prompt_tools import PromptTools, no_tools
from ui.recipe.described import shown
from ui.sentences import said
from ui.session import Session
from ui.theme import Theme
from ui.widgets.icon_button import IconButton
from ui.widgets.labels import ElidedLabel
from ui.widgets.segments import Segments
from ui.widgets.style import set_state

VALIDATE_AFTER_MS = 500
SETTLED_AFTER_MS = 40  # a new row's size goes up through the layouts around it, one event each
NOT_THE_MODELS = frozenset(("family", "model", "prompt", "negative_prompt", "seed", "inputs", "model_hashes"))


class GeneratePanel(QFrame):
    """Signals: ``generate_wanted``, ``vary_wanted``, ``combinations_wanted`` and ``cancel_wanted`` by their buttons,
    ``file_wanted`` by a drop."""

    generate_wanted = Signal()
    cancel_wanted = Signal()
    vary_wanted = Signal()
    combinations_wanted = Signal()
    file_wanted = Signal()

    def __init__(
        self,
        session: Session,
        *,
        theme: Theme,
        tools: PromptTools | None = None,
        loras: Loras | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """``tools`` has the person's styles, wildcards and earlier prompts, ``loras`` those of this machine; without
        them there are none."""
        super().__init__(parent)
        self._session = session
        self.loras = loras if loras is not None else Loras(LoraShelf(Path("/nonexistent")), self)
        self._tools = tools if tools is not None else no_tools(self)
        self._theme = theme
        self._showing = False
        self._presets: tuple[Preset, ...] = ()
        self.setProperty("role", "panel")
        self.setMinimumWidth(300)
        self.kind = Segments(self.tr("What to make"), [("video", self.tr("Video")), ("image", self.tr("Image"))])
        self.prompts = Prompts(theme=theme, tools=self._tools)
        self.drop_zone = DropZone()
        self.report = ImportReport(theme=theme)
        self.parameters = Parameters(theme=theme)
        self.disclosure = Disclosure(theme=theme)
        self.disclosure.setAccessibleName(self.tr("Advanced settings"))
        self.advanced = Advanced(theme=theme, loras=self.loras)
        self.advanced.hide()
        self.forecast = ForecastNote()
        self.right_note = ElidedLabel("", "muted")
        self.right_note.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.generate_button = QPushButton(self.tr("Generate"))
        self.vary_button = IconButton("grid", self.tr("Variations… (Ctrl+Shift+Enter)"), theme=theme, role="muted")
        self.vary_button.setFixedSize(38, 38)
        self.vary_button.clicked.connect(self.vary_wanted)
        self.generate_button.setProperty("role", "primary")
        self.generate_button.setToolTip(self.tr("Ctrl+Enter"))
        self.cancel_button = QPushButton(self.tr("Cancel"))
        self.cancel_button.setProperty("role", "cancel")
        self.cancel_button.setAccessibleName(self.tr("Cancel the running job"))
        self.cancel_button.setToolTip(self.tr("Esc"))
        self.cancel_button.hide()
        self.drop_targets = DropTargets(self)
        self.head = QHBoxLayout()
        self._lay_out()

        self._validate_later = QTimer(self)
        self._validate_later.setSingleShot(True)
        self._validate_later.setInterval(VALIDATE_AFTER_MS)
        self._validate_later.timeout.connect(self.check)
        self.kind.chosen.connect(self._kind_chosen)
        self.prompts.edited.connect(self._edited)
        self.prompts.style_chosen.connect(self._style_chosen)
        self.prompts.write_style_wanted.connect(self._write_style)
        self.prompts.edit_styles_wanted.connect(self._edit_styles)
        self.prompts.combinations_wanted.connect(self.combinations_wanted)
        self.prompts.weights_wanted.connect(self._read_weights)
        self.parameters.edited.connect(self._edited)
        self.advanced.edited.connect(self._edited)
        self.advanced.guidance_dragged.connect(self._guidance_dragged)
        self.advanced.loras.sight_wanted.connect(self._bring)
        self.advanced.loras.problem_found.connect(lambda: self.set_advanced_open(True))
        self.parameters.model_chosen.connect(session.choose_model)
        self.parameters.presets.recipe_chosen.connect(self._take_settings)
        self._rows = (self.parameters, *self.advanced.findChildren(Rows))
        for rows in self._rows:
            rows.reset_wanted.connect(self._reset)
        self.disclosure.toggled.connect(self.set_advanced_open)
        self.drop_zone.file_wanted.connect(self.file_wanted)
        self.generate_button.clicked.connect(self.generate_wanted)
        self.cancel_button.clicked.connect(self.cancel_wanted)
        session.draft_replaced.connect(self.show_draft)
        session.queue_changed.connect(self._show_running)
        session.models_changed.connect(self._show_running)
        theme.changed.connect(self._dress)
        self.show_draft()
        self._show_running()

    def _lay_out(self) -> None:
        self.head.setContentsMargins(16, 14, 16, 0)
        self.head.setSpacing(8)
        self.head.addWidget(self.kind, 1)
        form = QWidget()
        form.setProperty("role", "scrolled")
        column = self._column = QVBoxLayout(form)
        column.setContentsMargins(16, 14, 16, 8)
        column.setSpacing(8)
        column.addWidget(self.prompts, 1)
        column.addWidget(self.drop_zone)
        column.addWidget(self.report)
        column.addSpacing(3)
        column.addWidget(self.parameters)
        column.addSpacing(2)
        column.addWidget(self.disclosure)
        column.addWidget(self.advanced)
        scroll = QScrollArea()
        scroll.setWidget(form)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll = scroll
        self._notes = QWidget()
        notes = QHBoxLayout(self._notes)
        notes.setContentsMargins(0, 0, 0, 0)
        notes.addWidget(self.forecast, 1)
        notes.addWidget(self.right_note, 0, Qt.AlignmentFlag.AlignTop)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.generate_button, 1)
        buttons.addWidget(self.vary_button)
        buttons.addWidget(self.cancel_button)
        self._foot = QFrame()
        self._foot.setProperty("role", "foot")
        foot = QVBoxLayout(self._foot)
        foot.setContentsMargins(16, 7, 16, 14)
        foot.setSpacing(9)
        foot.addWidget(self._notes)
        foot.addLayout(buttons)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addLayout(self.head)
        outer.addWidget(scroll, 1)
        outer.addWidget(self._foot)
        scroll.verticalScrollBar().rangeChanged.connect(self._scrolling_changed)

    def _scrolling_changed(self, _low: int, high: int) -> None:
        """The scroll bar takes its room from the margin, so that the controls stay in line with the button."""
        set_state(self._foot, "lined", high > 0)
        room = self._scroll.verticalScrollBar().sizeHint().width() if high > 0 else 0
        self._column.setContentsMargins(16, 14, 16 - room, 8)

    # --- draft

    def show_draft(self) -> None:
        """The session's draft into the controls."""
        session = self._session
        draft, model = session.draft, session.model
        family = model.family if model else FAMILIES.get(draft.recipe.family)
        self._showing = True
        self.kind.set_current(session.kind)
        self.parameters.set_models(session.models, draft.recipe.model if model else "", session.models_known)
        if model is not None:
            self.parameters.set_rules(model.family, model.info)
        else:
            self.parameters.set_row_visible(self.parameters.length, session.kind == "video")
        if family is not None:
            given = {one.role for one in draft.recipe.inputs}
            takes = model.inputs if model is not None else ()
            self.advanced.set_rules(family, tuple(r for r in family.inputs if r in takes or r.role in given))
            if model is not None and model.info.first_frame and "first_frame" not in given:
                self.set_advanced_open(True)  # where it is chosen
        self.disclosure.setEnabled(family is not None)
        self.prompts.show_draft(draft, model)
        self.parameters.show_draft(draft)
        self.parameters.presets.set_model(model, self._presets)
        self.advanced.show_draft(draft, model)
        self._showing = False
        self.clear_errors()
        self._dress()
        if draft.recipe.family:
            self._validate_later.start()

    def read(self) -> Draft:
        """What stands in the controls, over the session's draft (which carries what no control shows)."""
        draft = self.parameters.read(self._session.draft)
        if self._session.draft.recipe.family:
            draft = self.advanced.read(draft)
        return draft.with_recipe(prompt=self.prompts.prompt.text(), negative_prompt=self.prompts.negative.text())

    def _edited(self) -> None:
        if not self._showing:
            self._session.edit(self.read())
            self.prompts.set_reading(self._session.draft, self._session.model)
            self.advanced.follow(self._session.draft.recipe)
            self._dress()
            self._validate_later.start()

    def close_down(self) -> None:
        """Wait for the threads of its parts."""
        self.prompts.close_down()
        self.loras.close()

    def _bring(self, part: QWidget) -> None:
        """Scroll to ``part`` once it has its place."""
        QTimer.singleShot(SETTLED_AFTER_MS, part, lambda: self._scroll.ensureWidgetVisible(part, 0, 50))

    def add_lora(self, path: Path) -> None:
        """The LoRA in ``path``, in sight."""
        self.set_advanced_open(True)
        self.advanced.loras.add_file(path)

    def _guidance_dragged(self, scale: float) -> None:
        """The guidance scale by the first point of its curve."""
        self.parameters.guidance.set_value(scale)
        self._edited()

    def _kind_chosen(self, kind: str) -> None:
        self._session.set_kind("video" if kind == "video" else "image")

    # --- styles and weights

    def _style_chosen(self, id: str) -> None:
        self._session.replace(self._session.draft.replace(style=id))

    def _write_style(self) -> None:
        """The style's words into the prompt itself, and no style; Ctrl+Z takes it back there."""
        draft = self._session.draft
        style = self._tools.style(draft.style)
        if style is not None:
            prompt, negative = style.apply(draft.recipe.prompt, draft.recipe.negative_prompt)
            self._session.replace(draft.with_recipe(prompt=prompt, negative_prompt=negative).replace(style=""))

    def _edit_styles(self) -> None:
        from ui.generate.style_editor import StyleEditor

        StyleEditor(self._tools, self._session.draft.style, self.window()).open()

    def _read_weights(self) -> None:
        """A weight was set by key: from now on this draft's texts are read with weights."""
        draft = self._session.draft
        if draft.recipe.text_encoding != "comfyui":
            self._session.replace(draft.with_recipe(text_encoding="comfyui"))
            self.prompts.show_hint(self.tr("Weights are read from now on, as in ComfyUI."))

    # --- the model's own values, and presets

    def set_presets(self, presets: tuple[Preset, ...]) -> None:
        """Those of every model."""
        self._presets = presets
        self.parameters.presets.set_model(self._session.model, presets)

    def reset_focused(self) -> None:
        """The model's own values into the row that has the focus."""
        focused = self.window().focusWidget()
        any(rows.reset_focused(focused) for rows in self._rows)

    def _reset(self, fields: tuple[str, ...]) -> None:
        model = self._session.model
        if model is not None:
            usual = model.info.recipe()
            names = [field for field in fields if field in Recipe.__struct_fields__]
            draft = self._session.draft.with_recipe(**{field: getattr(usual, field) for field in names})
            draft = draft.replace(count=1) if "count" in fields else draft
            self._session.replace(draft.replace(loras_off=()) if "adapters" in fields else draft)

    def _take_settings(self, preset: Recipe) -> None:
        draft = self._session.draft
        self._session.replace(draft.replace(recipe=with_settings(draft.recipe, preset)))

    def _mark_changed(self) -> None:
        """Show which values are not the model's own."""
        model, recipe = self._session.model, self._session.draft.recipe
        usual: dict[str, str] = {}
        if model is not None:
            own = model.info.recipe()
            for field in Recipe.__struct_fields__:
                if field not in NOT_THE_MODELS and getattr(own, field) != getattr(recipe, field):
                    usual[field] = shown(own, "size" if field in ("width", "height") else field)
            if {"width", "height"} <= usual.keys():
                del usual["height"]
            if self._session.draft.count != 1:
                usual["count"] = "1"
        for rows in self._rows:
            rows.mark_changed(usual)

    # --- validation

    def check(self) -> None:
        """Say under its field what is wrong with the draft, if anything is."""
        model = self._session.model
        self.clear_errors()
        if model is None:
            return
        try:
            model.check(self._session.draft.recipe)
        except BadRecipe as error:
            self.show_error(error.info(), focus=False)

    def show_error(self, error: ErrorInfo, focus: bool = True) -> bool:
        """Put the sentence under the field that it is about; False where no field is named or shown."""
        self._validate_later.stop()
        if error.field in ("prompt", "negative_prompt"):
            control = sentence = self.prompts.show_error(error.field, said(error))
        elif self.parameters.knows(error.field):
            control = self.parameters.show_error(error.field, said(error))
            sentence = self.parameters.error(error.field)
        elif self.advanced.knows(error.field):
            control = self.advanced.show_error(error.field, said(error))
            sentence = self.advanced.error(error.field)
            self.disclosure.setChecked(True)
        else:
            return False
        if focus:
            control.setFocus()
            self._bring(sentence)
            self._bring(control)
        return True

    def clear_errors(self) -> None:
        self.prompts.clear_errors()
        self.parameters.clear_errors()
        self.advanced.clear_errors()

    # --- looks

    def set_advanced_open(self, is_open: bool) -> None:
        self.disclosure.setChecked(is_open)
        self.advanced.setVisible(is_open)
        self._dress()

    def set_note(self, text: str) -> None:
        """The short text above the button, beside the forecast."""
        self.right_note.set_text(text)

    def _show_running(self) -> None:
        self.cancel_button.setVisible(self._session.running is not None)
        self.generate_button.setEnabled(self._session.model is not None)
        self.vary_button.setEnabled(self._session.model is not None and self._session.editing is None)

    def _dress(self) -> None:
        self._mark_changed()
        summary, is_open = self.advanced.summary(), not self.advanced.isHidden()
        self.disclosure.dress(self.tr("Advanced"), summary, is_open=is_open)
        count = self.parameters.count.value()
        if self._session.kind == "video":
            text = self.tr("Generate clip") if count == 1 else self.tr("Generate {count} clips").format(count=count)
        else:
            text = self.tr("Generate image") if count == 1 else self.tr("Generate {count} images").format(count=count)
        if self._session.editing is not None:
            text = self.tr("Put back into the queue")
        self.generate_button.setText(text)
        self.generate_button.setAccessibleName(text)
