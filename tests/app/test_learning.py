"""``generate`` learns as the window does: what was expected of a run and what it took stay."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from app.cli.learning import Learning
from app.paths import EMBEDDED_MODELS, Paths
from engine.memory.history import History
from engine.models.installed import open_folder
from engine.protocol.events import DeviceInfo, JobFinished, MemoryChanged

FOLDER = EMBEDDED_MODELS / "laterna-mini-image"
DEVICE = DeviceInfo("cpu", "a processor", 0, flops=1e11, bandwidth=1e10, operator=1e-5)
MEMORY = MemoryChanged(0, 16 * 10**9, 4 * 10**9)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.find(str(tmp_path / "home"))


def took(expected: float, factor: float) -> JobFinished:
    return JobFinished("j", (), {"denoising": expected * factor, "saving": 9.0}, 700_000_000)


def test_what_a_run_took_counts_in_the_next_forecast(paths: Paths) -> None:
    recipe = open_folder(FOLDER).info.recipe("a red apple")
    first = Learning(paths).begin(recipe, FOLDER, DEVICE, MEMORY)
    assert first is not None and not first.learned and first.plan is not None
    denoising = next(stage.seconds for stage in first.plan.stages if stage.stage == "denoising")
    for _ in range(3):
        learning = Learning(paths)
        assert learning.begin(recipe, FOLDER, DEVICE, MEMORY) is not None
        learning.end(recipe, FOLDER, took(denoising, 4.0))
    later = Learning(paths).begin(recipe, FOLDER, DEVICE, MEMORY)
    assert later is not None and later.learned and later.plan is not None
    assert later.plan.stages[1].seconds == pytest.approx(4 * denoising)
    [(model, predicted, measured), *_] = History(paths.runs).peaks()
    assert (model, measured) == (recipe.model, 700_000_000) and predicted > 0


def test_runs_with_step_caching_are_learned_apart(paths: Paths) -> None:
    exact = open_folder(FOLDER).info.recipe("a red apple")
    cached = exact.replace(step_caching=0.2)
    learning = Learning(paths)
    expected = [learning.begin(recipe, FOLDER, DEVICE, MEMORY) for recipe in (cached, exact)]
    assert expected[0] is not None and expected[1] is not None and expected[0].seconds < expected[1].seconds
    assert expected[0].left_out > 0 == expected[1].left_out
    learning.end(exact, FOLDER, took(1.0, 1.0))
    learning.end(cached, FOLDER, took(100.0, 1.0))
    again = learning.begin(exact, FOLDER, DEVICE, MEMORY)
    assert again is not None and again.plan is not None
    assert again.plan.stages[1].seconds == pytest.approx(1.0)


def test_rates_that_runs_were_learned_against_stay(paths: Paths) -> None:
    recipe = open_folder(FOLDER).info.recipe("a red apple")
    learning = Learning(paths)
    first = learning.begin(recipe, FOLDER, DEVICE, MEMORY)
    learning.end(recipe, FOLDER, took(first.plan.stages[1].seconds, 1.0))  # type: ignore[union-attr]
    busy = msgspec.structs.replace(DEVICE, flops=1e10, bandwidth=1e9, operator=1e-4)
    again = Learning(paths).begin(recipe, FOLDER, busy, MEMORY)
    assert again.plan.stages[1].seconds == pytest.approx(first.plan.stages[1].seconds)  # type: ignore[union-attr]


def test_nothing_of_it_stops_a_job(paths: Paths, tmp_path: Path) -> None:
    recipe = open_folder(FOLDER).info.recipe("a red apple")
    learning = Learning(paths)
    assert learning.begin(recipe, FOLDER, None, MEMORY) is None
    learning.end(recipe, FOLDER, took(1.0, 1.0))
    broken = tmp_path / "broken"
    shutil.copytree(FOLDER / "scheduler", broken / "scheduler")
    assert learning.begin(recipe, broken, DEVICE, MEMORY) is None
    learning.end(recipe, broken, took(1.0, 1.0))
    paths.runs.unlink()
    paths.runs.mkdir()
    assert Learning(paths).begin(recipe, FOLDER, DEVICE, MEMORY) is not None
    Learning(paths).end(recipe, FOLDER, took(1.0, 1.0))
