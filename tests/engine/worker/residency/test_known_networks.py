"""What was simulated on this machine decides the plan of a job, where it is told of the folder."""

from __future__ import annotations

from pathlib import Path

import msgspec
import torch

from engine.memory.footprints import Footprints
from engine.worker.residency.residency import FreeMemory
from engine.worker.runner import Runner
from tests.engine.worker.conftest import Driver, sd35

GIB = 2**30


def test_a_simulated_network_is_planned_as_it_was_simulated(tiny, tmp_path: Path) -> None:
    driver = Driver(Runner(device=torch.device("cpu"), free=lambda device: FreeMemory(device, 64 * GIB)))
    folder, recipe = tiny("sd35-medium"), sd35(steps=1)

    def denoising_peak() -> int:
        planned = driver.runner.open(folder, recipe).residency.plan
        assert planned is not None
        return planned.stages[1].host

    guessed = denoising_peak()
    part = driver.runner.open(folder, recipe).folder.parts["transformer"]
    scaled = Footprints().find_or_scale("SD3Transformer2DModel", part.config, part.parameters)
    assert scaled is not None
    calls = {
        name: msgspec.structs.replace(lines, peak=tuple(100 * value for value in lines.peak))
        for name, lines in scaled.calls.items()
    }
    Footprints(tmp_path / "memory").keep(msgspec.structs.replace(scaled, calls=calls))
    driver.make(folder, recipe, footprints_folder=str(tmp_path / "memory"))
    assert denoising_peak() > 2 * guessed
    driver.make(folder, recipe)
    assert denoising_peak() == guessed
