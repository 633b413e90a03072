"""Several prompts in the form: their texts, ranges, encoders, strengths and averages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.models.catalog import FAMILIES
from engine.models.lora_shelf import LoraShelf
from engine.protocol.conditioning import Conditioning, Entry, Mix, Range, Words
from engine.protocol.family_info import validate
from engine.protocol.recipe import Recipe
from ui.draft import Draft
from ui.generate.advanced import Advanced
from ui.loras import Loras
from ui.theme import Theme

RECIPE = Recipe("sd35", "laterna-mini-image", prompt="a cat", negative_prompt="a dog")


@pytest.fixture
def advanced(qtbot: QtBot, theme: Theme) -> Iterator[Advanced]:
    loras = Loras(LoraShelf(Path("/nonexistent")))
    made = Advanced(theme=theme, loras=loras)
    qtbot.addWidget(made)
    made.set_rules(FAMILIES["sd35"])
    made.show_draft(Draft(RECIPE), None)
    made.show()
    yield made
    loras.close()


def test_one_prompt_a_side_is_no_list(advanced: Advanced) -> None:
    assert advanced.read(Draft(RECIPE)).recipe == RECIPE
    assert not advanced.conditioning.positive.cards() and not advanced.negative_range.isHidden()


def test_a_second_prompt_takes_over_half_of_the_steps(advanced: Advanced, qtbot: QtBot) -> None:
    side = advanced.conditioning.positive
    with qtbot.waitSignal(advanced.edited):
        side.add.click()
    first, second = side.cards()
    assert not first.text.isVisible() and first.remove.isHidden()
    first.range.end.setValue(0.5)
    second.range.start.setValue(0.5)
    with qtbot.waitSignal(advanced.edited):
        qtbot.keyClicks(second.text.edit, "a lion")
    made = advanced.read(Draft(RECIPE)).recipe
    assert made.conditioning == Conditioning((Entry(range=Range(0, 0.5)), Entry("a lion", range=Range(0.5, 1))))
    validate(made, FAMILIES["sd35"])
    assert made.positive_entries()[0].text == "a cat"
    second.remove_wanted.emit()
    first.range.end.setValue(1.0)
    first.remove_wanted.emit()
    assert advanced.read(Draft(RECIPE)).recipe == RECIPE


def test_negative_prompts_take_the_range_over(advanced: Advanced) -> None:
    recipe = RECIPE.replace(negative_range=Range(0, 0.1))
    advanced.show_draft(Draft(recipe), None)
    before = recipe.negative_entries()
    advanced.conditioning.negative.add.click()
    made = advanced.read(Draft(recipe)).recipe
    assert made.negative_range == Range()
    assert made.negative_entries()[:-1] == before  # the same as the range alone said, and one more
    assert advanced.negative_range.isHidden()
    validate(made, FAMILIES["sd35"])


def test_encoders_strength_zeros_and_averages(advanced: Advanced, qtbot: QtBot) -> None:
    side = advanced.conditioning.positive
    side.open.click()
    (card,) = side.cards()
    assert card.details.isVisibleTo(card)
    card.clip_l.switch.setChecked(True)
    qtbot.keyClicks(card.clip_l.edit, "oil")
    card.strength.setValue(2.0)
    card.average.click()
    qtbot.keyClicks(card._mixes[0].edit, "fog")
    made = advanced.read(Draft(RECIPE)).recipe
    entry = Entry(clip_l="oil", strength=2.0, mix=(Mix(Words("fog"), 0.5),))
    assert made.conditioning == Conditioning((entry,))
    validate(made, FAMILIES["sd35"])
    card._mixes[0].remove_wanted.emit()
    card.zero.setChecked(True)
    assert advanced.read(Draft(RECIPE)).recipe.positive_entries()[0] == Entry(
        "a cat", clip_l="oil", zero=True, strength=2.0
    )


def test_texts_that_are_not_touched_stay_exact(advanced: Advanced) -> None:
    text = "a\u00a0b\u2028c\r\nd"  # a text field would say these in other characters
    recipe = RECIPE.replace(conditioning=Conditioning((Entry(clip_g=text), Entry(text))))
    advanced.show_draft(Draft(recipe), None)
    advanced.conditioning.positive.cards()[1].strength.setValue(3.0)
    said = advanced.read(Draft(recipe)).recipe.conditioning
    assert said is not None
    assert (said.positive[0].clip_g, said.positive[1].text, said.positive[1].strength) == (text, text, 3.0)


def test_a_hole_between_ranges_is_told_there(advanced: Advanced) -> None:
    sentence = "No positive prompt covers 40% to 100% of the schedule."
    advanced.show_error("conditioning", sentence)
    assert advanced.prompts_section.disclosure.isChecked()
    assert advanced.error("conditioning").text() == sentence
    advanced.clear_errors()
    assert advanced.error("conditioning").text() == ""


def test_fields_that_a_family_has_not_are_not_known(advanced: Advanced) -> None:
    assert advanced.knows("conditioning") and advanced.knows("t5_mask")
    advanced.set_rules(FAMILIES["cogvideox"])
    advanced.show_draft(Draft(Recipe("cogvideox", "laterna-mini-video", sampler="ddim", scheduler="trailing")), None)
    assert not advanced.knows("conditioning") and not advanced.knows("t5_mask")
    assert not advanced.prompts_section.isVisibleTo(advanced)
    assert advanced.knows("max_sequence_length")


def test_every_control_has_a_name(advanced: Advanced) -> None:
    from PySide6.QtWidgets import QAbstractSpinBox, QCheckBox, QComboBox, QLineEdit, QPushButton, QToolButton, QWidget

    advanced.conditioning.positive.add.click()
    advanced.conditioning.positive.cards()[1].average.click()
    for kind in (QAbstractSpinBox, QCheckBox, QComboBox, QPushButton, QToolButton):
        for control in advanced.findChildren(kind):
            assert control.accessibleName() or getattr(control, "text", lambda: "")(), control
    assert isinstance(advanced.guidance.curve, QWidget) and advanced.guidance.skip_layers.accessibleName()
    assert isinstance(advanced.guidance.skip_layers, QLineEdit)
