"""A model that moves a picture: the form asks for it, and takes no strength."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.models.catalog import MODELS
from engine.models.installed import InstalledModel
from engine.protocol.errors import BadRecipe
from engine.protocol.inputs import Input
from ui.generate.panel import GeneratePanel
from ui.session import Session
from ui.theme import Theme

MOVES = "cogvideox-5b-i2v"


@pytest.fixture
def panel(qtbot: QtBot, session: Session, models: tuple[InstalledModel, ...], theme: Theme) -> GeneratePanel:
    session.set_models((*models, InstalledModel(MODELS[MOVES], Path("/models") / MOVES)))
    session.set_kind("video")
    panel = GeneratePanel(session, theme=theme)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def test_the_form_opens_where_the_picture_is_chosen(panel: GeneratePanel, session: Session) -> None:
    assert panel.advanced.inputs.field("first_frame") is None
    session.choose_model(MOVES)
    start = panel.advanced.inputs.field("first_frame")
    assert start is not None and start.isVisible()
    start.start_from(Path("/a.png"))
    assert not start.strength.isVisible()
    media = panel.read().recipe.input_of("first_frame")
    assert media is not None and media.path == "/a.png"
    session.choose_model("laterna-mini-video")
    assert not start.isVisible()
    assert panel.read().recipe.inputs == ()


def test_a_picture_that_the_model_cannot_use_can_be_taken_out(panel: GeneratePanel, session: Session) -> None:
    session.replace(session.draft.with_recipe(inputs=(Input("first_frame", "/a.png"),)))
    panel.set_advanced_open(True)
    start = panel.advanced.inputs.field("first_frame")
    assert start is not None and start.isVisible()
    start.remove.click()
    assert panel.read().recipe.inputs == ()


def test_what_is_wrong_with_the_picture_is_said_at_its_row(panel: GeneratePanel, session: Session) -> None:
    session.choose_model(MOVES)
    panel.show_error(BadRecipe("It is not there.", "Choose it again.", field="inputs").info())
    start = panel.advanced.inputs.field("first_frame")
    assert start is not None and "It is not there." in start.accessibleDescription()
