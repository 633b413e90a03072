"""``Variations``: a small window that queues one recipe with several values of one or two settings."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QDialog, QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from engine.jobs.submission import check
from engine.jobs.variations import BOTH_TEXTS, FIELDS, Axis, parse_values, vary
from engine.models.catalog import FAMILIES
from engine.protocol.errors import BadRecipe, ErrorInfo
from engine.protocol.inputs import STARTING
from engine.protocol.recipe import Recipe
from ui.formats import duration
from ui.prompt_tools import PromptTools, Texts
from ui.sentences import said
from ui.session import Session
from ui.widgets.labels import label
from ui.widgets.style import set_state

CHECK_AFTER_MS = 150
CHECKED = 200
SHOWN_TEXTS = 12


class AxisRow(QWidget):
    """A setting and its values as a person writes them. Signals: ``edited``."""

    edited = Signal()

    def __init__(self, names: dict[str, str], chosen: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recipe = Recipe(family="", model="")
        self._combinations: Texts = []
        self.field = QComboBox()
        self.field.setAccessibleName(self.tr("Setting to vary"))
        for field, name in names.items():
            self.field.addItem(name, field)
        self.field.setCurrentIndex(self.field.findData(chosen))
        self.values = QLineEdit()
        self.values.setAccessibleName(self.tr("Its values"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.field, 2)
        row.addWidget(self.values, 3)
        self.field.currentIndexChanged.connect(self._suggest)
        self.values.textEdited.connect(self.edited)

    def set_recipe(self, recipe: Recipe) -> None:
        self._recipe = recipe
        if not self.values.text():
            self._suggest()

    def set_combinations(self, texts: Texts) -> None:
        """Every text that the alternatives of the prompts can become."""
        self._combinations = texts
        if self.field.currentData() == BOTH_TEXTS:
            self._suggest()

    def axis(self) -> Axis | None:
        """None where no setting is chosen. Raises ``BadRecipe``."""
        field = self.field.currentData()
        if field == BOTH_TEXTS:
            return Axis(field, tuple(self._combinations))
        return Axis(field, parse_values(field, self.values.text(), self._recipe)) if field else None

    def _suggest(self) -> None:
        field = self.field.currentData()
        self.values.setEnabled(bool(field) and field != BOTH_TEXTS)
        if field == BOTH_TEXTS:
            self.values.setText(self.tr("{count} combinations").format(count=len(self._combinations)))
        else:
            self.values.setText(suggestion(field, self._recipe) if field else "")
        self.values.setToolTip(self._hint(field))
        self.edited.emit()

    def _hint(self, field: str) -> str:
        family = FAMILIES.get(self._recipe.family)
        if field == "sampler" and family is not None:
            return ", ".join(family.samplers)
        if field == "scheduler" and family is not None:
            return ", ".join(family.samplers.get(self._recipe.sampler, ()))
        if field in ("prompt", "negative_prompt"):
            return self.tr("Texts with | between them; each may have alternatives in braces of its own")
        if field == BOTH_TEXTS:
            return "\n".join(prompt for prompt, _negative in self._combinations[:SHOWN_TEXTS])
        return self.tr("Values with commas between them, ranges as 3..7, 3..7 +0.5 or 3..7 x5, seeds also as x8")


class Variations(QDialog):
    """Signals: ``wanted(tuple)`` the axes of a grid."""

    wanted = Signal(tuple)

    def __init__(
        self,
        session: Session,
        seconds: Callable[[Recipe], float | None],
        tools: PromptTools,
        *,
        every_text: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        """``every_text``: begin with every combination of the prompts' alternatives."""
        super().__init__(parent)
        self._session = session
        self._seconds = seconds
        self._tools = tools
        self._axes: tuple[Axis, ...] = ()
        self._asked: tuple[str, str, str] | None = None
        self._closed = False
        self._problem: ErrorInfo | None = None
        self.setWindowTitle(self.tr("Variations"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(460)
        names = self._names()
        self.first = AxisRow(names, BOTH_TEXTS if every_text and BOTH_TEXTS in names else "seed")
        self.second = AxisRow({"": self.tr("nothing else")} | names, "")
        self.note = label("", "muted")
        self.note.setWordWrap(True)
        self.queue = QPushButton()
        self.queue.setProperty("role", "primary")
        self.queue.setDefault(True)
        self.queue.clicked.connect(self._accept)
        close = QPushButton(self.tr("Close"))
        close.clicked.connect(self.reject)
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(10)
        for number, (text, row) in enumerate(((self.tr("Vary"), self.first), (self.tr("and"), self.second))):
            grid.addWidget(label(text, "muted"), number, 0)
            grid.addWidget(row, number, 1)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(close)
        buttons.addWidget(self.queue)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(14)
        column.addLayout(grid)
        column.addWidget(self.note)
        column.addLayout(buttons)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(CHECK_AFTER_MS)
        self._later.timeout.connect(self.check)
        for row in (self.first, self.second):
            row.set_recipe(session.draft.recipe)
            row.edited.connect(self._later.start)
        session.draft_edited.connect(self._draft_changed)
        session.draft_replaced.connect(self._draft_changed)
        self.finished.connect(self._forget)
        self.first.values.setFocus()
        self.first.values.selectAll()
        self._find_combinations()
        self.check()

    def _forget(self) -> None:
        """What is still being found comes too late."""
        self._closed = True

    def _find_combinations(self) -> None:
        """Of the draft's alternatives, on a thread; each draft's once."""
        draft = self._session.draft
        texts = (draft.recipe.prompt, draft.recipe.negative_prompt, draft.style)
        if texts == self._asked:
            return
        self._asked = texts

        def found(made: Texts, problem: ErrorInfo | None = None) -> None:
            if texts == self._asked and not self._closed:
                self._problem = problem
                for row in (self.first, self.second):
                    row.set_combinations(made)
                self.check()

        self._tools.combinations(draft, found, lambda error: found([], error.info()))

    def check(self) -> None:
        """Say how many jobs this would be, or what is wrong."""
        recipe = self._session.draft.recipe
        rows = (self.first, self.second)
        if self._problem is not None and any(row.field.currentData() == BOTH_TEXTS for row in rows):
            self._axes = ()
            self._show(said(self._problem), is_wrong=True)
            return
        try:
            self._axes = tuple(axis for axis in (row.axis() for row in rows) if axis is not None)
            varied = vary(recipe, self._axes)
            for one, _label in varied[:CHECKED]:
                check(one)
        except BadRecipe as error:
            self._axes = ()
            self._show(said(error.info()), is_wrong=True)
            return
        times = [self._seconds(one) for one, _label in varied]
        known = [seconds for seconds in times if seconds is not None]
        text = self.tr("{0} jobs").format(len(varied))
        if len(known) == len(times):
            text += "  ·  ≈ " + duration(sum(known))
        self.queue.setText(self.tr("Queue {0} jobs").format(len(varied)))
        self._show(text, is_wrong=False)

    def _show(self, text: str, is_wrong: bool) -> None:
        self.note.setText(text)
        set_state(self.note, "role", "error" if is_wrong else "muted")
        self.queue.setEnabled(not is_wrong)
        if is_wrong:
            self.queue.setText(self.tr("Queue"))
        self.queue.setAccessibleName(self.queue.text())

    def _accept(self) -> None:
        self._later.stop()
        self.check()
        if self._axes:
            self.wanted.emit(self._axes)
            self.accept()

    def _draft_changed(self) -> None:
        for row in (self.first, self.second):
            row.set_recipe(self._session.draft.recipe)
        self._find_combinations()
        self._later.start()

    def _names(self) -> dict[str, str]:
        names = {
            BOTH_TEXTS: self.tr("Every alternative"),
            "seed": self.tr("Seed"),
            "steps": self.tr("Steps"),
            "guidance": self.tr("Guidance"),
            "sampler": self.tr("Sampler"),
            "scheduler": self.tr("Scheduler"),
            "shift": self.tr("Shift"),
            "prompt": self.tr("Prompt"),
            "negative_prompt": self.tr("Negative prompt"),
            "width": self.tr("Width"),
            "height": self.tr("Height"),
            "frames": self.tr("Frames"),
            "strength": self.tr("Strength of the start picture"),
            "lora_strength": self.tr("Strength of the LoRA"),
        }
        if self._session.kind == "image":
            names.pop("frames")
        if not self._tools.has_alternatives(self._session.draft):
            names.pop(BOTH_TEXTS)
        if not self._session.draft.recipe.adapters:
            names.pop("lora_strength")
        model = self._session.model
        rule = model.starting_rule if model is not None else None
        if self._session.draft.recipe.input_of(*STARTING) is None or (rule is not None and not rule.has_strength):
            names.pop("strength")
        return {field: name for field, name in names.items() if field in FIELDS}


def suggestion(field: str, recipe: Recipe) -> str:
    """Values to begin with."""
    family = FAMILIES.get(recipe.family)
    samplers = family.samplers if family is not None else {recipe.sampler: (recipe.scheduler,)}
    near = {
        "seed": "x4",
        "steps": f"{max(1, recipe.steps // 2)}, {recipe.steps}, {recipe.steps * 2}",
        "guidance": f"{max(1.0, recipe.guidance - 2):g}..{recipe.guidance + 2:g}",
        "shift": f"{max(1.0, recipe.shift - 1):g}..{recipe.shift + 1:g}",
        "strength": "0.4..0.8 +0.2",
        "lora_strength": "0..1 +0.25",
        "sampler": ", ".join(list(dict.fromkeys([recipe.sampler, *samplers]))[:3]),
        "scheduler": ", ".join(list(dict.fromkeys([recipe.scheduler, *samplers.get(recipe.sampler, ())]))[:3]),
        "prompt": recipe.prompt + " | ",
        "negative_prompt": recipe.negative_prompt + " | ",
    }
    return near.get(field, str(getattr(recipe, field, "")))
