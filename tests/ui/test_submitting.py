"""From recipes to the queue: each is checked as the form's own is, and one that cannot be made stops no other."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from app.settings import Settings
from engine.models.installed import InstalledModel
from engine.prompt.styles import StyleStore
from engine.prompt.wildcards import Wildcards
from engine.protocol.inputs import Input
from engine.protocol.recipe import Recipe
from tests.ui.conftest import MINI_IMAGE, MINI_VIDEO
from ui.prompt_tools import PromptTools
from ui.session import Session
from ui.submitting import Submitting


class Link:
    """Takes what is put on the queue."""

    def __init__(self) -> None:
        self.recipes: list[Recipe] = []

    def submit(self, recipe: Recipe, *_others: object) -> None:
        self.recipes.append(recipe)


@pytest.fixture
def submitting(qtbot: QtBot, tmp_path: Path) -> Submitting:
    """Over a model of pictures, one of clips, and one that moves a picture."""
    mover = msgspec.structs.replace(MINI_VIDEO, id="mover", first_frame=True)
    session = Session("image")
    session.set_models(tuple(InstalledModel(info, tmp_path / info.id) for info in (MINI_IMAGE, MINI_VIDEO, mover)))
    tools = PromptTools(StyleStore(tmp_path, tmp_path), Wildcards(tmp_path), session)
    made = Submitting(session, Settings(), tools, session)
    made.attach_engine(Link())  # type: ignore[arg-type]
    yield made
    tools.close()


def test_what_a_model_cannot_make_is_left_out_and_counted(submitting: Submitting) -> None:
    said: list[str] = []
    submitting.said.connect(lambda message: said.append(message.text))
    picture = MINI_IMAGE.recipe("an owl")
    moved = MINI_VIDEO.recipe("an owl").replace(model="mover")
    submitting.submit_recipes(
        [
            picture,
            picture.replace(width=100),
            picture.replace(model="elsewhere"),
            moved,  # names no picture to move
            moved.replace(inputs=(Input("first_frame", "owl.png"),)),
            moved.replace(model=MINI_VIDEO.id, inputs=(Input("first_frame", "owl.png"),)),  # words alone
        ]
    )
    assert submitting._link.recipes == [picture, moved.replace(inputs=(Input("first_frame", "owl.png"),))]
    assert len(said) == 1 and "4" in said[0]
