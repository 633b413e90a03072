"""LoRAs in the form: chosen, weighed, switched off, taken out, missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.models.lora_shelf import LoraShelf
from engine.protocol.recipe import Adapter, Recipe
from tests.fakes.loras import write_lora
from ui.draft import Draft, SwitchedOff
from ui.generate.lora_list import LoraList
from ui.generate.panel import GeneratePanel
from ui.loras import Loras
from ui.session import Session
from ui.theme import Theme

RECIPE = Recipe("sd35", "laterna-mini-image", prompt="an owl")


@pytest.fixture
def panel(qtbot: QtBot, session: Session, theme: Theme, tmp_path: Path) -> Iterator[GeneratePanel]:
    panel = GeneratePanel(session, theme=theme, loras=Loras(LoraShelf(tmp_path / "loras")))
    qtbot.addWidget(panel)
    panel.resize(345, 870)
    panel.show()
    panel.set_advanced_open(True)
    yield panel
    panel.close_down()


@pytest.fixture
def list_(panel: GeneratePanel) -> LoraList:
    return panel.advanced.loras


@pytest.fixture
def ink(tmp_path: Path) -> Path:
    return write_lora(tmp_path / "elsewhere" / "ink.safetensors")


def add(qtbot: QtBot, list_: LoraList, path: Path) -> None:
    with qtbot.waitSignal(list_.edited):
        list_.add_file(path)


def test_a_chosen_file_goes_into_the_recipe(
    qtbot: QtBot, panel: GeneratePanel, list_: LoraList, session: Session, ink: Path
) -> None:
    add(qtbot, list_, ink)
    (adapter,) = session.draft.recipe.adapters
    assert (adapter.name, adapter.strength, len(adapter.sha256)) == ("ink.safetensors", 1.0, 64)
    row = list_.rows[0]
    row.strength.spin.setValue(0.65)
    assert session.draft.recipe.adapters[0].strength == 0.65
    assert "one LoRA" in panel.advanced.summary()
    list_.add_file(ink)
    qtbot.waitUntil(lambda: row.strength.spin.hasFocus() or not row.strength.isActiveWindow())
    assert len(list_.rows) == 1  # it is there already


def test_a_recipes_loras_are_kept_as_they_are(panel: GeneratePanel, session: Session) -> None:
    adapters = (Adapter("a.safetensors", "ab", 0.333, 0.5), Adapter("b.safetensors", "", -1.25))
    session.restore(RECIPE.replace(adapters=adapters))
    assert panel.read().recipe.adapters == adapters


def test_switched_off_it_stays_in_its_place(
    panel: GeneratePanel, list_: LoraList, session: Session, qtbot: QtBot
) -> None:
    first, second, third = (Adapter(f"{name}.safetensors", "", 0.5) for name in "abc")
    session.restore(RECIPE.replace(adapters=(first, second, third)))
    QTest.keyClick(list_.rows[1].switch, Qt.Key.Key_Space)
    assert session.draft.recipe.adapters == (first, third)
    assert session.draft.loras_off == (SwitchedOff(1, second),)
    session.replace(session.draft)
    assert [row.adapter() for row in list_.rows] == [first, second, third]
    assert not list_.rows[1].is_on() and not list_.rows[1].strength.isEnabled()
    QTest.keyClick(list_.rows[1].switch, Qt.Key.Key_Space)
    assert session.draft.recipe.adapters == (first, second, third) and not session.draft.loras_off


def test_taken_out_and_back_to_none(panel: GeneratePanel, list_: LoraList, session: Session) -> None:
    session.restore(RECIPE.replace(adapters=(Adapter("a.safetensors"), Adapter("b.safetensors"))))
    list_.rows[0].remove.click()
    assert [one.name for one in session.draft.recipe.adapters] == ["b.safetensors"]
    list_.rows[0].switch.setChecked(False)
    panel._reset(("adapters",))
    assert not list_.rows and not session.draft.loras_off


def test_a_missing_file_is_said_and_another_takes_its_place(
    qtbot: QtBot, panel: GeneratePanel, list_: LoraList, session: Session, ink: Path
) -> None:
    panel.set_advanced_open(False)
    session.restore(RECIPE.replace(adapters=(Adapter("lost.safetensors", "ab" * 32, 0.4, 0.2),)))
    row = list_.rows[0]
    qtbot.waitUntil(lambda: not row.problem.isHidden())
    assert "not on this machine" in row.problem.text() and row.find.isVisible()
    assert not panel.advanced.isHidden()  # it is in sight
    list_._loras.add(ink, 0.4, lambda adapter: list_._replace(row, row.adapter(), adapter))
    qtbot.waitUntil(lambda: session.draft.recipe.adapters[0].name == "ink.safetensors")
    adapter = session.draft.recipe.adapters[0]
    assert (adapter.strength, adapter.text_strength) == (0.4, 0.2)
    assert list_.rows[0].find.isHidden()


def test_one_for_another_model_says_so(qtbot: QtBot, list_: LoraList, tmp_path: Path) -> None:
    add(qtbot, list_, write_lora(tmp_path / "clip.safetensors", "cogvideox"))
    row = list_.rows[0]
    qtbot.waitUntil(lambda: not row.problem.isHidden())
    assert row.problem.text() == "Made for CogVideoX: it does not fit Laterna Mini Image."


def test_what_is_no_lora_is_refused_in_its_place(
    qtbot: QtBot, list_: LoraList, session: Session, tmp_path: Path
) -> None:
    list_.add_file(write_lora(tmp_path / "flux.safetensors", "flux"))
    qtbot.waitUntil(lambda: not list_.refused.isHidden())
    assert "Flux" in list_.refused.text() and not session.draft.recipe.adapters
    session.set_kind("video")
    assert list_.refused.isHidden()


def test_those_used_before_are_offered(
    qtbot: QtBot, panel: GeneratePanel, list_: LoraList, session: Session, ink: Path, tmp_path: Path
) -> None:
    write_lora(tmp_path / "loras" / "grain.safetensors")
    write_lora(tmp_path / "loras" / "camera move.safetensors", "cogvideox")
    add(qtbot, list_, ink)
    qtbot.waitUntil(lambda: len(list_._loras.known) == 3)
    list_._fill()
    assert [action.text() for action in list_.add_button.menu().actions() if action.text()] == [
        "grain",
        "Choose a file…",
        "Open the folder of LoRAs",
    ]
    list_.rows[0].remove.click()
    list_._fill()
    assert [action.text() for action in list_.add_button.menu().actions()][:2] == ["ink", "grain"]


def test_a_tag_of_another_program_in_the_prompt_is_told(qtbot: QtBot, panel: GeneratePanel) -> None:
    panel.prompts.prompt.replace_text("an owl <lora:ink:0.8>")
    qtbot.waitUntil(lambda: "Advanced" in panel.prompts.unknown.text())
    panel.prompts.prompt.replace_text("an owl")
    qtbot.waitUntil(lambda: "Advanced" not in panel.prompts.unknown.text())


def test_they_go_along_within_a_family_and_are_kept_in_another(session: Session) -> None:
    adapter = Adapter("a.safetensors")
    session.edit(Draft(RECIPE.replace(adapters=(adapter,)), loras_off=(SwitchedOff(0, Adapter("b.safetensors")),)))
    model = session.model
    assert model is not None
    session.edit(session.draft.with_recipe(model="another"))
    session.choose_model(model.info.id)
    assert session.draft.recipe.adapters == (adapter,)
    session.edit(session.draft.with_recipe(model="another", family="cogvideox"))
    session.choose_model(model.info.id)
    assert session.draft.recipe.adapters == ()
    assert [one.adapter.name for one in session.draft.loras_off] == ["b.safetensors", "a.safetensors"]
