"""The form draws itself from what a family says: for one with a distilled guidance value, without a negative prompt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.families.base import Family
from engine.models.installed import InstalledModel
from engine.protocol.family_info import validate
from tests.fakes.third_family.registered import registered
from ui.generate.panel import GeneratePanel
from ui.session import Session
from ui.theme import Theme


@pytest.fixture
def twofold() -> Iterator[Family]:
    with registered() as family:
        yield family


@pytest.fixture
def panel(qtbot: QtBot, session: Session, theme: Theme, twofold: Family, tmp_path: Path) -> Iterator[GeneratePanel]:
    panel = GeneratePanel(session, theme=theme)
    qtbot.addWidget(panel)
    panel.resize(345, 870)
    panel.show()
    model = InstalledModel(twofold.models[0], tmp_path / "twofold-one")
    session.set_models((*session.models, model))
    session.restore(model.info.recipe("a red apple", seed=3))
    yield panel
    session.set_models(())
    panel._validate_later.stop()  # it would find the model of a family that is not there any more


def test_its_settings_come_back_as_they_went_in(panel: GeneratePanel, session: Session, twofold: Family) -> None:
    read = panel.read().recipe
    assert read == twofold.models[0].recipe("a red apple", seed=3)
    validate(read, twofold.info)


def test_it_has_the_rows_that_it_has_a_use_for(panel: GeneratePanel) -> None:
    advanced, texts, guidance = panel.advanced, panel.advanced.texts, panel.advanced.guidance
    has = (panel.parameters.guidance, advanced.shift, advanced.step_caching, advanced.loras, texts.length)
    lacks = (panel.prompts.negative, advanced.conditioning, guidance.dynamic, guidance.skip, texts.t5, texts.mask)
    assert not any(row.isHidden() for row in has)
    assert all(row.isHidden() for row in (*lacks, guidance.changes_over_steps))
    samplers = {advanced.sampler.itemData(i) for i in range(advanced.sampler.count())}
    assert samplers == {"euler", "heun"}


def test_another_family_has_its_own_rows_again(panel: GeneratePanel, session: Session) -> None:
    session.choose_model("laterna-mini-image")
    assert not panel.prompts.negative.isHidden()
    assert not panel.advanced.guidance.skip.isHidden()
