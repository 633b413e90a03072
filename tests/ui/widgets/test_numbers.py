from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QLocale, Qt
from pytestqt.qtbot import QtBot

from ui.formats import file_size, number
from ui.theme import Theme
from ui.widgets.numbers import FloatSpin, IntSpin, SliderSpin


@pytest.fixture
def guidance(qtbot: QtBot, theme: Theme) -> SliderSpin:
    spin = SliderSpin("Guidance", (1.0, 12.0), FloatSpin("Guidance scale", 0.0, 999.0, 0.5))
    qtbot.addWidget(spin)
    spin.show()
    return spin


def test_exact_value_survives_what_is_shown(guidance: SliderSpin) -> None:
    guidance.set_value(3.14159)
    assert guidance.value() == 3.14159
    assert guidance.spin.text() == "3.14"


def test_slider_and_field_follow_each_other(qtbot: QtBot, guidance: SliderSpin) -> None:
    with qtbot.waitSignal(guidance.edited):
        guidance.slider.setValue(45)
    assert guidance.value() == 4.5
    with qtbot.waitSignal(guidance.edited):
        guidance.spin.setValue(7.25)
    assert guidance.value() == 7.25 and guidance.slider.value() == 72


def test_field_reaches_beyond_the_slider(guidance: SliderSpin) -> None:
    guidance.set_value(25.0)
    assert guidance.value() == 25.0
    assert guidance.slider.value() == guidance.slider.maximum()


def test_setting_a_value_is_no_edit(qtbot: QtBot, guidance: SliderSpin) -> None:
    with qtbot.assertNotEmitted(guidance.edited):
        guidance.set_value(5.0)


def test_steps_are_whole(qtbot: QtBot, theme: Theme) -> None:
    steps = SliderSpin("Steps", (1, 60), IntSpin("Number of steps", 1, 9999))
    qtbot.addWidget(steps)
    steps.show()
    steps.set_value(30)
    steps.slider.setFocus()
    qtbot.keyClick(steps.slider, Qt.Key.Key_Right)
    assert steps.value() == 31
    qtbot.keyClick(steps.spin, Qt.Key.Key_Up)
    assert steps.value() == 32


@pytest.fixture
def portuguese() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale("pt_BR"))
    yield
    QLocale.setDefault(before)


@pytest.mark.usefixtures("portuguese")
@pytest.mark.parametrize("typed", ["7,25", "7.25"])
def test_in_portuguese_a_comma_is_shown_and_a_point_is_understood(qtbot: QtBot, theme: Theme, typed: str) -> None:
    spin = FloatSpin("Guidance scale", 0.0, 9999.0, 0.5)
    qtbot.addWidget(spin)
    spin.set_exact(1234.5)
    assert spin.text() == "1234,5"
    spin.show()
    spin.selectAll()
    qtbot.keyClicks(spin, typed)
    assert spin.exact() == 7.25
    spin.clearFocus()
    assert spin.text() == "7,25"


@pytest.mark.usefixtures("portuguese")
def test_numbers_in_sentences_have_the_comma_too() -> None:
    assert (number(4.5), number(7), number(12.345, 1), file_size(13.3e9)) == ("4,5", "7", "12,3", "13,3 GB")


def test_in_english_numbers_have_a_point() -> None:
    assert (number(4.5), number(0.25, 2), file_size(13.3e9)) == ("4.5", "0.25", "13.3 GB")


@pytest.mark.parametrize(
    ("step", "offset", "value", "by", "expected"),
    [
        (8, 1, 17, 1, 25),
        (8, 1, 20, 1, 25),
        (8, 1, 20, -1, 17),
        (8, 1, 20, 2, 33),
        (16, 0, 130, -1, 128),
        (1, 0, 5, 1, 6),
    ],
)
def test_arrows_go_to_values_that_the_model_takes(
    qtbot: QtBot, step: int, offset: int, value: int, by: int, expected: int
) -> None:
    spin = IntSpin("Frames", 1, 999)
    qtbot.addWidget(spin)
    spin.set_grid(step, offset)
    spin.setValue(value)
    assert spin.value() == value  # any other can be typed
    spin.stepBy(by)
    assert spin.value() == expected


def test_the_usual_value_is_marked_below_the_slider(qtbot: QtBot, guidance: SliderSpin) -> None:
    plain = guidance.slider.grab().toImage()
    guidance.set_mark(7.0)
    assert guidance.slider.grab().toImage() != plain
    guidance.set_mark(None)
    assert guidance.slider.grab().toImage() == plain
