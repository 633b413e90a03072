"""The form's rows for what a generation is given besides words, one for each input that the model takes."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication, QObject, Signal

from engine.protocol.inputs import STARTING, Input, InputRule, Role
from ui.generate.input_field import InputField
from ui.generate.rows import Rows

MOST_ROWS = 4
"""Of one role; a recipe that has more keeps the others."""


class InputRows(QObject):
    """Fills ``rows`` with a row for each rule as the rules need them; a role that may have several inputs shows one
    empty row behind those that are filled.

    Signals: ``edited`` after the person chose, removed or changed something; ``paint_wanted`` to paint the mask.
    """

    edited = Signal()
    paint_wanted = Signal()

    def __init__(self, rows: Rows) -> None:
        super().__init__(rows)
        self._rows = rows
        self._rules: tuple[InputRule, ...] = ()
        self._fields: dict[tuple[Role, int], InputField] = {}

    def set_rules(self, rules: tuple[InputRule, ...]) -> None:
        self._rules = rules
        for rule in rules:
            for number in range(min(rule.most, MOST_ROWS)):
                self._field(rule.role, number).set_rule(rule)
        self._show()

    def set_inputs(self, inputs: tuple[Input, ...]) -> None:
        """Without ``edited``."""
        for (role, number), field in self._fields.items():
            of_role = [one for one in inputs if one.role == role]
            field.set_input(of_role[number] if number < len(of_role) else None)
        self._show()

    def changes(self, inputs: tuple[Input, ...]) -> Mapping[str, tuple[Input, ...]]:
        """``inputs`` with what stands in the rows in place of theirs; those of roles without a row stay."""
        shown = [rule.role for rule in self._rules]
        found: list[Input] = []
        for role in shown:
            found += [one for field in self._of(role) if (one := field.input()) is not None]
            found += [one for one in inputs if one.role == role][MOST_ROWS:]
        return {"inputs": (*found, *(one for one in inputs if one.role not in shown))}

    def begins_with_picture(self) -> bool:
        return any(
            field.input() is not None for rule in self._rules if rule.role in STARTING for field in self._of(rule.role)
        )

    def field(self, *roles: Role) -> InputField | None:
        """The first field of the first of ``roles`` that has one now."""
        return next((self._of(rule.role)[0] for rule in self._rules if rule.role in roles), None)

    def _of(self, role: Role) -> list[InputField]:
        return [field for (of, _number), field in self._fields.items() if of == role]

    def _field(self, role: Role, number: int) -> InputField:
        if (role, number) not in self._fields:
            field = self._fields[(role, number)] = InputField(role)
            self._rows.add(row_title(role), field, ("inputs",))
            field.edited.connect(self._edited)
            field.paint_wanted.connect(self.paint_wanted)
        return self._fields[(role, number)]

    def _edited(self) -> None:
        self._show()
        self.edited.emit()

    def _show(self) -> None:
        most = {rule.role: rule.most for rule in self._rules}
        if any(rule.role in STARTING for rule in self._rules) and not self.begins_with_picture():
            most["mask"] = sum(field.input() is not None for field in self._of("mask"))  # there is nothing to mask
        first: InputField | None = None
        for role in dict.fromkeys(role for role, _number in self._fields):
            is_free_shown = False
            for number, field in enumerate(self._of(role)):
                is_shown = number < most.get(role, 0) and (field.input() is not None or not is_free_shown)
                is_free_shown = is_free_shown or field.input() is None
                self._rows.set_row_visible(field, is_shown)
                first = field if is_shown and first is None else first
        if first is not None:
            self._rows.point("inputs", first)


def row_title(role: Role) -> str:
    return {
        "start": QCoreApplication.translate("InputRows", "Start"),
        "mask": QCoreApplication.translate("InputRows", "Mask"),
        "first_frame": QCoreApplication.translate("InputRows", "Start"),
        "last_frame": QCoreApplication.translate("InputRows", "End"),
        "reference": QCoreApplication.translate("InputRows", "Like"),
        "control": QCoreApplication.translate("InputRows", "Control"),
        "source_clip": QCoreApplication.translate("InputRows", "Clip"),
    }[role]
