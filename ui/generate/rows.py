"""Rows of label and control, each with room for a sentence under it."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.generate.field_help import help_for
from ui.generate.field_label import FieldLabel
from ui.widgets.labels import ErrorLabel, label
from ui.widgets.style import set_state

LABEL_WIDTH = 60
ROW_HEIGHT = 38


class Rows(QWidget):
    """A form of rows. ``add(text, control, fields)``: ``fields`` are the recipe's fields that the control shows.

    Signals: ``reset_wanted(fields)`` when the person wants the model's own values of a row.
    """

    reset_wanted = Signal(tuple)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(0)
        self._grid.setColumnMinimumWidth(0, LABEL_WIDTH)
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[QWidget, QWidget, ErrorLabel]] = []
        self._errors: dict[str, tuple[ErrorLabel, QWidget]] = {}
        self._names: list[tuple[tuple[str, ...], FieldLabel, QWidget]] = []

    def add(self, text: str, control: QWidget, fields: tuple[str, ...] = (), align_top: bool = False) -> None:
        row = 2 * len(self._rows)
        help = help_for(fields)
        name = FieldLabel(text, help)
        name.setBuddy(control)
        if help and not control.whatsThis():
            control.setWhatsThis(help)
        name.reset_wanted.connect(lambda: self.reset_wanted.emit(fields))
        self._names.append((fields, name, control))
        if align_top:
            name.setFixedHeight(ROW_HEIGHT)
        error = ErrorLabel()
        error.setContentsMargins(0, 3, 0, 0)
        alignment = Qt.AlignmentFlag.AlignTop if align_top else Qt.AlignmentFlag.AlignVCenter
        self._grid.addWidget(name, row, 0, alignment)
        self._grid.addWidget(control, row, 1)
        self._grid.addWidget(error, row + 1, 1)
        self._grid.setRowMinimumHeight(row, ROW_HEIGHT)
        self._rows.append((name, control, error))
        self.register(fields, error, control)

    def add_wide(self, control: QWidget, fields: tuple[str, ...] = ()) -> None:
        """A control that takes the whole width, without a label."""
        row = 2 * len(self._rows)
        error = ErrorLabel()
        self._grid.addWidget(control, row, 0, 1, 2)
        self._grid.addWidget(error, row + 1, 0, 1, 2)
        self._rows.append((label(""), control, error))
        self.register(fields, error, control)

    def register(self, fields: tuple[str, ...], error: ErrorLabel, control: QWidget) -> None:
        """Sentences about ``fields`` go to ``error``, and ``control`` is marked."""
        for field in fields:
            self._errors[field] = (error, control)

    def point(self, field: str, control: QWidget) -> None:
        """Of several rows for ``field``, that of ``control`` is the one in which sentences about it stand."""
        self._errors[field] = next((error, shown) for _name, shown, error in self._rows if shown is control)

    def set_row_visible(self, control: QWidget, visible: bool) -> None:
        for index, (name, shown, error) in enumerate(self._rows):
            if shown is control:
                is_labelled = self._grid.indexOf(name) >= 0
                name.setVisible(visible and is_labelled)
                shown.setVisible(visible)
                error.setVisible(visible and bool(error.text()))
                self._grid.setRowMinimumHeight(2 * index, ROW_HEIGHT if visible and is_labelled else 0)

    def mark_changed(self, usual: Mapping[str, str]) -> None:
        """``usual``: the model's own value of each field that has another now."""
        for fields, name, _control in self._names:
            values = [usual[field] for field in fields if field in usual]
            name.set_usual(", ".join(values))

    def reset_focused(self, focused: QWidget | None) -> bool:
        """Ask for the model's own values of the row that ``focused`` is in; False where it is in none of these."""
        for fields, name, control in self._names:
            if focused is not None and name.changed and (control is focused or control.isAncestorOf(focused)):
                self.reset_wanted.emit(fields)
                return True
        return False

    def knows(self, field: str) -> bool:
        return field in self._errors

    def shows(self, field: str) -> bool:
        """Whether a control for ``field`` is in use: the family may have none."""
        return field in self._errors and not self._errors[field][1].isHidden()

    def error(self, field: str) -> ErrorLabel:
        """Where the sentence about ``field`` stands."""
        return self._errors[field][0]

    def show_error(self, field: str, sentence: str) -> QWidget:
        """Put ``sentence`` under the control of ``field``, and return that control."""
        error, control = self._errors[field]
        error.set_sentence(sentence)
        set_state(control, "invalid", True)
        control.setAccessibleDescription(sentence)
        return control

    def clear_errors(self) -> None:
        for error, control in self._errors.values():
            if error.text():
                error.set_sentence("")
                set_state(control, "invalid", False)
                control.setAccessibleDescription("")
