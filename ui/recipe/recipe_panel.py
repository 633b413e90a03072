"""The recipe of what is shown, beside the view: every setting, and where it differs from the form."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ui.actions import Actions
from ui.recipe.described import DESCENT, NEGATIVE, PROMPT, Line, describe, describe_descent, describe_words
from ui.session import Session
from ui.widgets.labels import label

WIDTH = 270
_FILES = ("inputs", "adapters", DESCENT)  # names of files, which may be long: a line may end after an underscore


class RecipePanel(QFrame):
    """Follows the session: the item that is looked at, and the draft that stands in the form.

    Signals: ``shown(bool)`` after it was shown or hidden by the person.
    """

    shown = Signal(bool)

    def __init__(self, session: Session, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setProperty("role", "panel")
        self.setAccessibleName(self.tr("Recipe"))
        self.setFixedWidth(WIDTH)
        self.hint = label("", "muted")
        self.hint.setWordWrap(True)
        self._rows = QWidget()
        self._rows.setProperty("role", "scrolled")
        self._grid = QGridLayout(self._rows)
        self._grid.setContentsMargins(14, 4, 10, 10)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)
        self._lines: list[Line] = []
        scroll = QScrollArea()
        scroll.setWidget(self._rows)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.use = self._button(actions, "use_recipe", self.tr("Use this"))
        self.use_seed = self._button(actions, "use_seed", self.tr("Only the seed"))
        buttons = QHBoxLayout()
        buttons.setContentsMargins(14, 6, 14, 12)
        buttons.addWidget(self.use)
        buttons.addWidget(self.use_seed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 10, 0, 0)
        column.setSpacing(4)
        title = label(self.tr("RECIPE"), "section")
        title.setContentsMargins(14, 0, 0, 0)
        self.hint.setContentsMargins(14, 0, 10, 0)
        column.addWidget(title)
        column.addWidget(self.hint)
        column.addWidget(scroll, 1)
        column.addLayout(buttons)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(80)
        self._later.timeout.connect(self._show)
        for signal in (session.item_changed, session.draft_edited, session.draft_replaced):
            signal.connect(self._later.start)
        self._show()

    def setVisible(self, visible: bool) -> None:
        changed = visible == self.isHidden()
        super().setVisible(visible)
        if changed:
            self.shown.emit(visible)

    def lines(self) -> list[Line]:
        return list(self._lines)

    @staticmethod
    def _button(actions: Actions, name: str, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(text)
        action = actions.action(name)
        button.clicked.connect(action.trigger)
        action.changed.connect(lambda: button.setEnabled(action.isEnabled()))
        button.setEnabled(action.isEnabled())
        return button

    def _show(self) -> None:
        item = self._session.item
        recipe = item.recipe if item is not None else None
        draft = self._session.draft
        lines = []
        if recipe is not None:
            beside = draft.recipe.replace(seed=recipe.seed) if draft.random_seed else draft.recipe
            lines = describe(recipe, beside)
        if item is not None:
            lines = [*describe_descent(item.derivation), *lines]
        different = sum(line.other is not None for line in lines)
        if recipe is None and item is not None and item.prompt:
            lines += describe_words(item.prompt, item.negative_prompt)
            text = self.tr("Made with {program}, and a model that Laterna does not run.").format(program=item.program)
        elif recipe is None:
            text = self.tr("What is shown carries no recipe.") if item is not None else self.tr("Nothing is shown.")
        elif different:
            text = self.tr("Marked: what the form has differently.")
        else:
            text = self.tr("The form has the same settings.")
        if recipe is not None and item is not None and item.program:
            text = self.tr("Made with {program}; this is what Laterna reads of it.").format(program=item.program)
        self.hint.setText(text)
        if lines != self._lines:
            self._lines = lines
            self._fill()

    def _fill(self) -> None:
        while (child := self._grid.takeAt(0)) is not None:
            if child.widget() is not None:
                child.widget().deleteLater()
        for row in range(self._grid.rowCount()):
            self._grid.setRowStretch(row, 0)
        row = 0
        for line in self._lines:
            name, value = label(line.name, "muted"), self._value(line)
            if line.field in (PROMPT, NEGATIVE):
                self._grid.addWidget(name, row, 0, 1, 2)
                row += 1
                self._grid.addWidget(value, row, 0, 1, 2)
            else:
                name.setWordWrap(True)
                self._grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
                self._grid.addWidget(value, row, 1)
            row += 1
        self._grid.setRowStretch(row, 1)

    def _value(self, line: Line) -> QLabel:
        text = line.value
        if line.other is not None and line.field not in (PROMPT, NEGATIVE):
            text += "\n" + self.tr("form: {value}").format(value=line.other)
        broken = text.replace("_", "_\u200b") if line.field in _FILES else text
        value = label(broken, "differs" if line.other is not None else "")
        value.setWordWrap(True)
        value.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        value.setAccessibleName(f"{line.name}: {text}")
        if line.other is not None:
            value.setToolTip(self.tr("The form has: {value}").format(value=line.other))
        return value
