"""Marks where a value is not the model's own, ways back, hints, and presets."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.models.catalog import MODELS
from engine.models.installed import InstalledModel
from ui.generate.panel import GeneratePanel
from ui.generate.presets import settings_of
from ui.session import Session
from ui.theme import Theme
from ui.window.main_window import MainWindow


@pytest.fixture
def panel(qtbot: QtBot, session: Session, theme: Theme) -> GeneratePanel:
    panel = GeneratePanel(session, theme=theme)
    qtbot.addWidget(panel)
    panel.resize(345, 870)
    panel.show()
    return panel


def marked(panel: GeneratePanel) -> set[str]:
    return {name.text() for rows in panel._rows for _, name, _ in rows._names if name.changed}


def test_what_is_not_the_models_own_is_marked_and_goes_back(panel: GeneratePanel, session: Session) -> None:
    assert marked(panel) == set()
    panel.parameters.steps.spin.setValue(33)
    panel.parameters.size_field.width_spin.setValue(64)
    panel.parameters.count.setValue(3)
    assert marked(panel) == {"Steps", "Size", "Batch"}
    label = next(name for _, name, _ in panel.parameters._names if name.text() == "Steps")
    assert "20" in label.toolTip()
    QTest.mouseClick(label, Qt.MouseButton.LeftButton)
    assert session.draft.recipe.steps == 20 and panel.parameters.steps.value() == 20
    panel.parameters.size_field.width_spin.setFocus()
    panel.parameters.reset_focused(panel.parameters.size_field.width_spin)
    panel.parameters.reset_focused(panel.parameters.count)
    assert (session.draft.recipe.width, session.draft.count) == (128, 1) and marked(panel) == set()


@pytest.fixture
def with_models(session: Session, panel: GeneratePanel) -> Session:
    found = session.all_models[0]
    session.set_models(tuple(InstalledModel(info, found.folder) for info in MODELS.values()))
    return session


@pytest.mark.parametrize(
    ("model", "width", "height", "expected"),
    [
        ("sd3.5-large", 1024, 1024, ""),
        ("sd3.5-large", 1344, 768, ""),
        ("sd3.5-large", 512, 512, "about 1.0 megapixels"),
        ("sd3.5-large", 2048, 2048, "about 1.0 megapixels"),
        ("sd3.5-medium", 1440, 1440, ""),
        ("sd3.5-medium", 512, 512, ""),
        ("sd3.5-medium", 256, 256, "0.26 to 2.1 megapixels"),
        ("cogvideox-5b", 1360, 768, "720 × 480"),
    ],
)
def test_sizes_that_a_model_was_not_made_for_are_said(
    panel: GeneratePanel, with_models: Session, model: str, width: int, height: int, expected: str
) -> None:
    with_models.set_kind(MODELS[model].kind)
    with_models.choose_model(model)
    with_models.replace(with_models.draft.with_recipe(width=width, height=height))
    hint = panel.parameters.size_field.hint
    assert hint.isHidden() == (not expected) and (not expected or expected in hint.text())


def test_the_native_size_is_named(panel: GeneratePanel, with_models: Session) -> None:
    with_models.choose_model("sd3.5-large")
    combo = panel.parameters.size_field.combo
    assert combo.itemText(0) == "1024 × 1024  (1:1)  ·  native"


def test_long_clips_are_said(panel: GeneratePanel, with_models: Session) -> None:
    with_models.set_kind("video")
    with_models.choose_model("cogvideox-5b")
    length = panel.parameters.length
    assert length.hint.isHidden() and "8 · N + 1" in length.toolTip()
    length.frames.setValue(81)
    assert not length.hint.isHidden() and "49" in length.hint.text()


def test_presets_of_a_model(qtbot: QtBot, window: MainWindow) -> None:
    form = window.form
    form.prompts.prompt.replace_text("an owl")
    form.parameters.steps.spin.setValue(7)
    form.parameters.presets.kept.emit("Quick")
    kept = window.preferences.presets
    assert [one.name for one in kept] == ["Quick"] and kept[0].recipe.prompt == "" and kept[0].recipe.steps == 7
    form.parameters.steps.spin.setValue(30)
    menu = form.parameters.presets.menu()
    menu.aboutToShow.emit()
    next(action for action in menu.actions() if action.text() == "Quick").trigger()
    assert window.session.draft.recipe.steps == 7 and window.session.draft.recipe.prompt == "an owl"
    form.parameters.presets.removed.emit("Quick")
    assert window.preferences.presets == ()
    window.messages.messages()[-1].action()
    assert window.preferences.presets == kept


def test_a_preset_keeps_no_words() -> None:
    recipe = settings_of(MODELS["sd3.5-large"].recipe("a secret", seed=5, negative_prompt="b"))
    assert (recipe.prompt, recipe.negative_prompt, recipe.seed) == ("", "", 0)
