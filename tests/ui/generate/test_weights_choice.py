"""The choice between a model's weights as they are and in 8 bits."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.memory.forecast import plans_for
from engine.memory.inventory import published
from engine.memory.machine import imagined
from engine.memory.plan import EIGHT_BITS_DIFFER
from engine.models.catalog import FAMILIES, MODELS
from engine.protocol.errors import BadRecipe
from engine.protocol.family_info import validate
from engine.protocol.recipe import Recipe
from ui.generate.forecast_note import Forecast, ForecastNote
from ui.generate.weights_choice import WeightsChoice
from ui.recipe.described import describe


@pytest.fixture
def choice(qtbot: QtBot) -> WeightsChoice:
    choice = WeightsChoice()
    qtbot.addWidget(choice)
    choice.set_weights("native")
    choice.show()
    return choice


def test_by_keyboard_with_a_name_and_its_measured_difference(qtbot: QtBot, choice: WeightsChoice) -> None:
    assert choice.accessibleName() and choice.weights() == "native"
    with qtbot.waitSignal(choice.activated):
        QTest.keyClick(choice, Qt.Key.Key_Down)
    assert choice.weights() == "int8"
    assert f"{EIGHT_BITS_DIFFER} of 255" in choice.toolTip()


def test_a_recipe_with_weights_that_this_laterna_has_not_is_shown_and_refused(choice: WeightsChoice) -> None:
    recipe = Recipe("sd35", "sd3.5-medium", prompt="a", weights="fp8")
    choice.set_weights(recipe.weights)
    assert choice.weights() == "fp8" and "fp8" in choice.currentText()
    with pytest.raises(BadRecipe, match="8 bits") as caught:
        validate(recipe, FAMILIES["sd35"])
    assert caught.value.field == "weights" and "int8" in caught.value.remedy


@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_form_offers_is_allowed_kept_and_told(family: str) -> None:
    model = next(info for info in MODELS.values() if info.family == family)
    recipe = model.recipe("a red apple", weights="int8")
    validate(recipe, FAMILIES[family])
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert {line.field: line.value for line in describe(recipe)}["weights"] == "8 bits"
    assert "weights" not in {line.field for line in describe(recipe.replace(weights="native"))}


def test_the_forecast_says_by_how_much_the_picture_differs(qtbot: QtBot) -> None:
    note = ForecastNote()
    qtbot.addWidget(note)
    for weights, is_told in (("int8", True), ("native", False)):
        recipe = MODELS["sd3.5-medium"].recipe("a", weights=weights)
        plan = plans_for(recipe, published("sd3.5-medium"), imagined(24, 64))[0]
        note.show_forecast(Forecast("fits", "device", 1, 2, 3.0, 0.0, plan=plan))
        assert (f"{EIGHT_BITS_DIFFER} of 255" in note.toolTip()) == is_told
