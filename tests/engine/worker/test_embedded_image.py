"""The picture model that ships with Laterna, with every sampler: each ends near where Euler with many steps ends."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.models.catalog import FAMILIES, MINI_IMAGE
from engine.models.installed import open_folder
from engine.worker.runner import Made, Runner

from .conftest import Driver

FOLDER = Path(__file__).resolve().parents[3] / "resources" / "models" / MINI_IMAGE
NOISY = {"euler_ancestral": 30, "lcm": 30, "dpmpp_2m_sde": 16, "dpmpp_3m_sde": 16, "dpmpp_sde": 12}


@pytest.fixture(scope="module")
def embedded() -> Driver:
    return Driver(Runner(device=torch.device("cpu")))


def make(driver: Driver, sampler: str, steps: int, scheduler: str = "sgm_uniform") -> Made:
    recipe = open_folder(FOLDER).info.recipe("a red apple on the left, blue background", seed=5)
    return driver.make(FOLDER, recipe.replace(sampler=sampler, scheduler=scheduler, steps=steps), preview_interval=-1.0)


@pytest.fixture(scope="module")
def reference(embedded: Driver) -> Made:
    return make(embedded, "euler", 30, "normal")


@pytest.mark.parametrize("sampler", FAMILIES["sd35"].samplers)
def test_every_sampler_draws_the_same_picture(sampler: str, embedded: Driver, reference: Made) -> None:
    made = make(embedded, sampler, NOISY.get(sampler, 12))
    assert torch.isfinite(made.latents).all()
    difference = (made.frames.float() - reference.frames.float()).abs().mean()
    assert difference < 8, f"{difference} of 255 on the mean"
