"""Memory that runs out, in any stage and at any step: the job goes on, and ends with the pixels it would have had."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.protocol.events import PlanLowered, StageChanged, StepDone
from engine.worker import pipelines
from engine.worker.residency.residency import FreeMemory
from engine.worker.runner import Runner
from tests.engine.worker.conftest import Driver, cogvideox, sd35

GIB = 2**30
CPU = torch.device("cpu")
CASES = [("sd35-large", sd35(sampler="dpmpp_sde", batch=2)), ("cogvideox-5b", cogvideox(sampler="dpm"))]


def planned() -> Driver:
    """An engine with plenty of memory, whose planner plans."""
    return Driver(Runner(device=CPU, free=lambda device: FreeMemory(device, 64 * GIB)))


class RunsOut:
    """Fails as CUDA does when the ``at``th call of ``method`` of a family comes, ``times`` times."""

    def __init__(self, monkeypatch: Any, family: str, method: str, at: int = 1, times: int = 1) -> None:
        self.calls, self._at, self._times = 0, at, times
        cls = type(pipelines.get(family))
        original = getattr(cls, method)

        def call(*arguments: Any) -> Any:
            self.calls += 1
            if at <= self.calls < at + times:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return original(*arguments)

        monkeypatch.setattr(cls, method, call)


@pytest.mark.parametrize(("variant", "recipe"), CASES, ids=["picture", "clip"])
@pytest.mark.parametrize("times", [1, 2])
def test_while_the_prompt_is_read(variant: str, recipe, times: int, tiny: Callable[..., Path], monkeypatch) -> None:
    whole = planned().make(tiny(variant), recipe)
    RunsOut(monkeypatch, recipe.family, "encode", at=2, times=times)
    driver = planned()
    assert torch.equal(driver.make(tiny(variant), recipe).frames, whole.frames)
    lowered = driver.of(PlanLowered)
    assert [event.stage for event in lowered] == ["encoding"] * times
    assert "while reading the prompt" in lowered[0].message


@pytest.mark.parametrize(("variant", "recipe"), CASES, ids=["picture", "clip"])
@pytest.mark.parametrize("step", [1, 2, 4])
def test_in_a_step(variant: str, recipe, step: int, tiny: Callable[..., Path], monkeypatch) -> None:
    """It goes on from the last whole step, with the same noise and the same history."""
    whole = planned().make(tiny(variant), recipe)
    driver = planned()
    family = pipelines.get(recipe.family)
    denoiser, failed = type(family).denoiser, []

    def fails_in_a_step(self, *arguments: Any) -> Any:
        denoise = denoiser(self, *arguments)

        def call(x: Any, point: Any) -> Any:
            result = denoise(x, point)
            if point.index == step - 1 and not failed:
                failed.append(point.index)
                raise torch.OutOfMemoryError("CUDA out of memory")
            return result

        return call

    monkeypatch.setattr(type(family), "denoiser", fails_in_a_step)
    made = driver.make(tiny(variant), recipe)
    assert failed and torch.equal(made.latents, whole.latents) and torch.equal(made.frames, whole.frames)
    assert [done.step for done in driver.of(StepDone)] == list(range(1, len(driver.of(StepDone)) + 1))
    [event] = driver.of(PlanLowered)
    assert event.stage == "denoising" and "while denoising" in event.message


def test_while_decoding_a_batch_comes_one_by_one(tiny: Callable[..., Path], monkeypatch) -> None:
    recipe = sd35(batch=2, steps=2)
    whole = planned().make(tiny("sd35-large"), recipe)
    RunsOut(monkeypatch, "sd35", "decode")
    driver = planned()
    assert torch.equal(driver.make(tiny("sd35-large"), recipe).frames, whole.frames)
    assert [event.stage for event in driver.of(PlanLowered)] == ["decoding"]


def test_decoding_that_runs_out_again_and_again_ends_in_tiles(tiny: Callable[..., Path], monkeypatch) -> None:
    family = type(pipelines.get("sd35"))
    decode = family.decode

    def needs_tiles(self, model: Any, vae: Any, *arguments: Any) -> Any:
        if not vae.use_tiling:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return decode(self, model, vae, *arguments)

    monkeypatch.setattr(family, "decode", needs_tiles)
    driver = planned()
    frames = driver.make(tiny("sd35-large"), sd35(steps=1, width=320, height=320)).frames
    assert frames.shape == (1, 1, 320, 320, 3)
    messages = [event.message for event in driver.of(PlanLowered)]
    assert "tiles" in messages[-1] and len(messages) <= 4


def test_where_nothing_needs_less_the_job_fails(tiny: Callable[..., Path], monkeypatch) -> None:
    RunsOut(monkeypatch, "sd35", "encode", times=100)
    driver = planned()
    with pytest.raises(torch.OutOfMemoryError):
        driver.make(tiny("sd35-large"), sd35(steps=1))
    assert 1 <= len(driver.of(PlanLowered)) < 50


def test_another_error_changes_no_plan(tiny: Callable[..., Path], monkeypatch) -> None:
    def broken(*arguments: Any) -> Any:
        raise RuntimeError("a kernel is missing")

    monkeypatch.setattr(type(pipelines.get("sd35")), "decode", broken)
    driver = planned()
    with pytest.raises(RuntimeError, match="kernel"):
        driver.make(tiny("sd35-large"), sd35(steps=1))
    assert not driver.of(PlanLowered)


def test_an_engine_that_died_of_it_begins_lower(tiny: Callable[..., Path], tmp_path: Path) -> None:
    model, recipe, file = tiny("sd35-large"), sd35(), str(tmp_path / "c.safetensors")
    driver = planned()
    whole = driver.make(model, recipe)
    needs = []
    for level in range(4):
        opened, _ = driver.runner._open(model, recipe, pipelines.get("sd35"), level)
        assert opened.residency.plan is not None
        needs.append(opened.residency.plan.host)
    assert needs == sorted(needs, reverse=True) and needs[0] > needs[1] > needs[2]
    assert torch.equal(driver.make(model, recipe, memory_level=2, checkpoint=file).frames, whole.frames)


def test_what_is_kept_free_counts(tiny: Callable[..., Path]) -> None:
    driver = Driver(Runner(device=CPU, free=lambda device: FreeMemory(device, 4 * GIB)))
    driver.make(tiny("sd35-large"), sd35(steps=1))
    assert "loading" in [event.stage for event in driver.of(StageChanged)]
    driver.make(tiny("sd35-large"), sd35(steps=1, seed=8))
    assert "loading" not in [event.stage for event in driver.of(StageChanged)]
    driver.make(tiny("sd35-large"), sd35(steps=1, seed=9), keep_free=4 * GIB)  # nothing is left to stay in
    assert "loading" in [event.stage for event in driver.of(StageChanged)]
