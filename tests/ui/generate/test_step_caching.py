"""The choice between every step and fewer of them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.memory.forecast import Forecast
from engine.models.catalog import FAMILIES
from engine.protocol.family_info import MAX_STEP_CACHING, validate
from ui.generate.forecast_note import ForecastNote
from ui.generate.step_caching import BIT, MORE, StepCaching
from ui.recipe.described import describe


@pytest.fixture
def choice(qtbot: QtBot) -> StepCaching:
    choice = StepCaching()
    qtbot.addWidget(choice)
    choice.set_tolerance(0.0)
    choice.show()
    return choice


def test_by_keyboard_and_with_a_name(qtbot: QtBot, choice: StepCaching) -> None:
    assert choice.accessibleName() and choice.tolerance() == 0.0
    with qtbot.waitSignal(choice.activated):
        QTest.keyClick(choice, Qt.Key.Key_Down)
    assert choice.tolerance() == BIT
    QTest.keyClick(choice, Qt.Key.Key_Down)
    assert choice.tolerance() == MORE
    assert 0 < BIT < MORE <= MAX_STEP_CACHING


def test_a_tolerance_from_elsewhere_stays_what_it_is(choice: StepCaching) -> None:
    choice.set_tolerance(0.15)
    assert choice.tolerance() == 0.15 and "0.15" in choice.currentText()
    choice.set_tolerance(MORE)
    assert choice.tolerance() == MORE and choice.count() == 3


def test_what_the_form_offers_is_allowed_and_is_told_with_the_recipe(session) -> None:
    recipe = session.draft.recipe.replace(prompt="a red apple", step_caching=MORE)
    validate(recipe, FAMILIES[recipe.family])
    assert "step_caching" in [line.field for line in describe(recipe)]
    assert "step_caching" not in [line.field for line in describe(recipe.replace(step_caching=0.0))]


def test_the_forecast_says_that_it_is_not_exact(qtbot: QtBot) -> None:
    note = ForecastNote()
    qtbot.addWidget(note)
    note.show_forecast(Forecast("fits", "host", 1, 2, 3.0, 0.0, left_out=9))
    assert "9 steps are left out" in note.toolTip() and "differs" in note.toolTip()
    note.show_forecast(Forecast("fits", "host", 1, 2, 3.0, 0.0))
    assert "left out" not in note.toolTip()
