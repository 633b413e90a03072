"""Whether results are made larger: one click off, and what a recipe says is kept."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from engine.models.upscalers import DEFAULT, Upscalers
from engine.protocol.upscaling import Upscaling
from ui.generate.upscaling_field import UpscalingField

(SHIPPED,) = Upscalers().all()


def test_one_click_switches_it_off_and_on_again(qtbot: QtBot) -> None:
    field = UpscalingField()
    qtbot.addWidget(field)
    field.set_size(128, 128)
    field.set_upscaling(SHIPPED.upscaling(4))
    assert field.on.text() == "512 × 512" and DEFAULT in field.how.currentText()
    with qtbot.waitSignal(field.edited):
        field.on.click()
    assert field.upscaling() is None and field.on.text() == "128 × 128"
    field.on.click()
    assert field.upscaling() == SHIPPED.upscaling(4), "what was chosen comes back"


def test_choosing_how_switches_it_on(qtbot: QtBot) -> None:
    field = UpscalingField()
    qtbot.addWidget(field)
    assert field.upscaling() is None
    field.how.setCurrentIndex(1)
    field.how.activated.emit(1)
    assert field.upscaling() == SHIPPED.upscaling(3)


def test_one_that_is_not_here_stays_as_the_recipe_says(qtbot: QtBot) -> None:
    field = UpscalingField()
    qtbot.addWidget(field)
    strange = Upscaling(4, "0" * 64, "Other", 256, 32)
    field.set_upscaling(strange)
    assert field.upscaling() == strange and field.how.currentText() == "4 ×  Other"
    field.set_upscalers(Upscalers().all())
    assert field.upscaling() == strange
    field.set_upscaling(None)
    assert field.upscaling() is None
