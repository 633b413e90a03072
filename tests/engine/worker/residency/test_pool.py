"""Loaded parts are shared by the models that have them, kept while there is room, and never there twice."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from engine.protocol.events import StageChanged
from engine.worker.residency.pool import ComponentPool, Held
from engine.worker.residency.residency import FreeMemory
from engine.worker.runner import Runner
from tests.engine.worker.conftest import Driver, cogvideox, sd35

GIB = 2**30
CPU = torch.device("cpu")


def loaded(driver: Driver) -> list[str]:
    return [event.detail for event in driver.of(StageChanged) if event.stage == "loading" and event.detail]


@pytest.fixture
def driver() -> Driver:
    return Driver(Runner(device=CPU, free=lambda device: FreeMemory(device, 64 * GIB)))


def test_switching_between_two_models_that_fit_loads_nothing(tiny: Callable[..., Path], driver: Driver) -> None:
    pictures, clips = (tiny("sd35-large"), sd35(steps=1)), (tiny("cogvideox-2b"), cogvideox(steps=1))
    driver.make(*pictures)
    driver.make(*clips)
    for seed in (1, 2):
        for model, recipe in (pictures, clips):
            driver.make(model, recipe.replace(seed=seed, prompt=f"a dog {seed}"))
            assert not loaded(driver)


def test_two_models_with_the_same_file_share_what_is_in_it(
    tiny: Callable[..., Path], driver: Driver, tmp_path: Path
) -> None:
    """As the store links contents: one file, two models."""
    first, second = tiny("sd35-large"), tmp_path / "second"
    shutil.copytree(first, second)
    weights = Path("text_encoder_3") / "model.safetensors"
    (second / weights).unlink()
    os.link(first / weights, second / weights)
    one = driver.make(first, sd35(steps=1))
    before = driver.runner.memory.pool.bytes
    other = driver.make(second, sd35(steps=1))
    assert "T5 text encoder" not in loaded(driver) and "transformer" in loaded(driver)
    shared = driver.runner.open(first).folder.parts["text_encoder_3"].held_bytes(4)
    assert driver.runner.memory.pool.bytes == 2 * before - shared
    assert torch.equal(one.frames, other.frames)


def test_a_changed_configuration_is_another_part(tiny: Callable[..., Path], driver: Driver, tmp_path: Path) -> None:
    first, second = tiny("sd35-large"), shutil.copytree(tiny("sd35-large"), tmp_path / "second")
    for file in (first / "transformer").glob("*.safetensors"):
        (second / "transformer" / file.name).unlink()
        os.link(file, second / "transformer" / file.name)
    config = second / "transformer" / "config.json"
    config.write_text(config.read_text().replace('"patch_size": 2', '"patch_size": 2, "note": 1'))
    driver.make(first, sd35(steps=1))
    driver.make(second, sd35(steps=1))
    assert "transformer" in loaded(driver)


def test_what_was_used_least_recently_goes_first(tiny: Callable[..., Path]) -> None:
    free = [64 * GIB]
    driver = Driver(Runner(device=CPU, free=lambda device: FreeMemory(device, free[0])))
    driver.make(tiny("sd35-large"), sd35(steps=1))
    driver.make(tiny("cogvideox-2b"), cogvideox(steps=1))
    free[0] = GIB  # another program took the rest
    driver.make(tiny("cogvideox-5b"), cogvideox(steps=1, sampler="dpm"))
    driver.make(tiny("sd35-large"), sd35(steps=1, prompt="another"))
    assert "transformer" in loaded(driver)


def test_make_room_spares_what_is_kept_and_stops_in_time() -> None:
    pool = ComponentPool()
    for name in ("a", "b", "c", "d"):
        pool.put((name,), Held(name, 10))
    pool.get(("a",))  # used again
    pool.make_room({("b",)}, lambda: pool.bytes <= 20)
    assert [name for name in "abcd" if (name,) in pool] == ["a", "b"]
    pool.put(("a", "other form"), Held("a", 5))
    assert ("a",) not in pool and ("a", "other form") in pool
