"""The form's rows for inputs follow the rules of the model."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.protocol.conditioning import Range
from engine.protocol.inputs import ROLES, Input, InputRule
from ui.generate.input_rows import InputRows
from ui.generate.rows import Rows


@pytest.fixture
def rows(qtbot: QtBot) -> InputRows:
    widget = Rows()
    qtbot.addWidget(widget)
    widget.show()
    return InputRows(widget)


def test_every_role_has_a_row_of_its_own(rows: InputRows) -> None:
    rows.set_rules(tuple(InputRule(role) for role in ROLES))
    given = tuple(Input(role, f"/{role}.png", range=Range(0.1, 0.9)) for role in ROLES)
    rows.set_inputs(given)
    assert all(rows.field(role).isVisible() for role in ROLES)  # type: ignore[union-attr]
    assert set(rows.changes(())["inputs"]) == set(given), "what a row does not show stays as it is"
    rows.field("mask").remove.click()  # type: ignore[union-attr]
    assert {one.role for one in rows.changes(())["inputs"]} == set(ROLES) - {"mask"}


def test_where_several_are_taken_one_more_row_is_free(rows: InputRows) -> None:
    rows.set_rules((InputRule("control", most=3, has_strength=True),))
    shown = lambda: [field.isVisible() for field in rows._of("control")]  # noqa: E731
    assert shown() == [True, False, False]
    rows.field("control").start_from(Path("/edges.png"))  # type: ignore[union-attr]
    assert shown() == [True, True, False]
    rows.set_inputs(tuple(Input("control", f"/{n}.png") for n in range(3)))
    assert shown() == [True, True, True]
    assert [one.path for one in rows.changes(())["inputs"]] == ["/0.png", "/1.png", "/2.png"]


def test_inputs_without_a_row_stay_in_the_recipe(rows: InputRows) -> None:
    mask = Input("mask", "/m.png")
    rows.set_rules((InputRule("start"),))
    rows.set_inputs((mask,))
    assert rows.changes((mask,))["inputs"] == (mask,)
    rows.set_rules(())
    assert rows.field("start") is None and rows.changes((mask,))["inputs"] == (mask,)


def test_a_sentence_about_inputs_stands_in_a_row_that_is_shown(rows: InputRows) -> None:
    rows.set_rules((InputRule("start"), InputRule("mask"), InputRule("control", most=3)))
    assert rows._rows.shows("inputs")
    rows._rows.show_error("inputs", "It is not there.")
    assert rows._rows.error("inputs").isVisible()
    rows._rows.clear_errors()
    rows.set_rules((InputRule("mask"),))
    assert rows._rows.shows("inputs") and rows._rows.show_error("inputs", "No.") is rows.field("mask")
