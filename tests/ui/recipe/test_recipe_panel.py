from __future__ import annotations

from pathlib import Path

import msgspec
from pytestqt.qtbot import QtBot

from engine.protocol.recipe import Recipe
from tests.fakes.fake_library import make_item
from ui.window.main_window import MainWindow


def test_follows_what_is_shown_and_what_is_typed(qtbot: QtBot, window: MainWindow) -> None:
    panel = window.recipe_panel
    assert panel is not None and panel.isHidden()
    window.actions_.action("toggle_recipe").trigger()
    assert not panel.isHidden() and window.view.header.recipe.isChecked() and window.preferences.recipe_open
    recipe = Recipe(family="sd35", model="laterna-mini-image", prompt="an owl", width=128, height=128, seed=7)
    window.session.set_item(make_item(1, recipe=recipe))
    qtbot.waitUntil(lambda: bool(panel.lines()))
    assert {line.field for line in panel.lines() if line.other is not None} >= {"prompt", "steps"}
    panel.use.click()
    qtbot.waitUntil(lambda: not [line for line in panel.lines() if line.other is not None])
    assert window.session.draft.recipe.prompt == "an owl"
    window.form.parameters.steps.spin.setValue(3)
    qtbot.waitUntil(lambda: [line.field for line in panel.lines() if line.other is not None] == ["steps"])
    window.session.set_item(None)
    qtbot.waitUntil(lambda: not panel.lines())


def test_what_other_programs_made(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    """Their words and settings are shown with the program's name; using them reads the file, with a report."""
    panel = window.recipe_panel
    assert panel is not None
    window.actions_.action("toggle_recipe").trigger()
    flux = msgspec.structs.replace(make_item(1), recipe=None, program="ComfyUI", prompt="a kite", negative_prompt="fog")
    window.session.set_item(flux)
    qtbot.waitUntil(lambda: [line.value for line in panel.lines()] == ["a kite", "fog"])
    assert "ComfyUI" in panel.hint.text() and not panel.use.isEnabled()
    recipe = Recipe(family="sd35", model="laterna-mini-image", prompt="a kite", width=128, height=128)
    path = tmp_path / "kite.png"
    window.session.set_item(msgspec.structs.replace(make_item(2, recipe=recipe), path=path, program="SwarmUI"))
    qtbot.waitUntil(lambda: "SwarmUI" in panel.hint.text())
    with qtbot.waitSignal(window.actions_.file_wanted) as wanted:
        panel.use.click()
    assert wanted.args == [path]


def test_it_has_room_in_the_smallest_window_that_is_usual(qtbot: QtBot, window: MainWindow) -> None:
    """At 1100 pixels its right edge once lay under the gallery."""
    window.resize(1100, 700)
    window.actions_.action("toggle_recipe").trigger()
    panel = window.recipe_panel
    assert panel is not None
    qtbot.waitUntil(lambda: panel.mapTo(window.centre, panel.rect().topRight()).x() < window.centre.width())
