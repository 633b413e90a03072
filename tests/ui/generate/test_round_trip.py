"""Every recipe that comes into the form leaves it as it was."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from pytestqt.qtbot import QtBot

from engine.models.catalog import FAMILIES
from engine.models.installed import InstalledModel
from engine.protocol.recipe import Recipe
from tests.engine.interop.recipes import cogvideox_recipes, few, sd3_recipes
from ui.generate.panel import GeneratePanel
from ui.session import Session
from ui.theme import Theme

within = settings(few, suppress_health_check=[HealthCheck.function_scoped_fixture])
MODELS = {"sd35": "laterna-mini-image", "cogvideox": "laterna-mini-video"}


@pytest.fixture
def panel(qtbot: QtBot, session: Session, theme: Theme) -> GeneratePanel:
    panel = GeneratePanel(session, theme=theme)
    qtbot.addWidget(panel)
    return panel


def back(panel: GeneratePanel, session: Session, recipe: Recipe) -> Recipe:
    """``recipe`` through the form, after an edit of something else that is taken back."""
    session.restore(recipe)
    assert panel.read() == session.draft
    count = panel.parameters.count
    count.setValue(count.value() + 1)
    count.setValue(count.value() - 1)
    return session.draft.recipe


def here(recipe: Recipe, models: tuple[InstalledModel, ...]) -> Recipe:
    """With a model of this machine; a recipe's hashes are those of the machine that made it."""
    samplers = FAMILIES[recipe.family].samplers
    sampler = recipe.sampler if recipe.sampler in samplers else next(iter(samplers))
    scheduler = recipe.scheduler if recipe.scheduler in samplers[sampler] else samplers[sampler][0]
    return recipe.replace(model=MODELS[recipe.family], model_hashes={}, sampler=sampler, scheduler=scheduler)


@within
@given(recipe=sd3_recipes())
def test_any_picture(
    panel: GeneratePanel, session: Session, models: tuple[InstalledModel, ...], recipe: Recipe
) -> None:
    recipe = here(recipe, models)
    assert back(panel, session, recipe) == recipe


@within
@given(recipe=cogvideox_recipes())
def test_any_clip(panel: GeneratePanel, session: Session, models: tuple[InstalledModel, ...], recipe: Recipe) -> None:
    recipe = here(recipe, models)
    assert back(panel, session, recipe) == recipe
