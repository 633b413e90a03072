"""A driver of the engine's runner in this process, and tiny models made once a session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.protocol.commands import Generate
from engine.protocol.events import Event
from engine.protocol.recipe import Recipe
from engine.worker.progress import Progress
from engine.worker.residency.streaming import ALIGNMENT
from engine.worker.runner import Made, Runner
from tests.fakes.tiny_models import save_tiny_model

SD35 = dict(family="sd35", model="tiny", prompt="a red apple on the left", width=64, height=64, steps=4)
COGVIDEOX = dict(
    family="cogvideox",
    model="tiny",
    prompt="a dog moves right",
    width=96,
    height=64,
    frames=9,
    steps=4,
    guidance=6.0,
    sampler="ddim",
    scheduler="trailing",
    max_sequence_length=12,
)


def sd35(**changes: Any) -> Recipe:
    return Recipe(**(SD35 | dict(max_sequence_length=20, seed=7) | changes))


def cogvideox(**changes: Any) -> Recipe:
    return Recipe(**(COGVIDEOX | dict(seed=7) | changes))


@dataclass
class Driver:
    """Runs recipes and collects their events."""

    runner: Runner
    events: list[tuple[Event, bytes]] = field(default_factory=list)

    def job(self, folder: Path, recipe: Recipe, **more: Any) -> Generate:
        return Generate("job", recipe, str(folder), **({"output_folder": "", "file_stem": "out"} | more))

    def make(self, folder: Path, recipe: Recipe, **more: Any) -> Made:
        self.events.clear()
        return self.runner.make(self.job(folder, recipe, **more), Progress("job", self.emit))

    def emit(self, event: Event, blob: bytes) -> None:
        self.events.append((event, blob))

    def of(self, kind: type) -> list[Any]:
        return [event for event, _ in self.events if isinstance(event, kind)]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Tiny models gain nothing from a second thread, and lose much where tests run side by side."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``tiny(variant, dtype)`` is the folder of a tiny model; do not write into it."""
    root = tmp_path_factory.mktemp("models")

    def find(variant: str, dtype: torch.dtype = torch.float32) -> Path:
        folder = root / f"{variant}-{str(dtype).removeprefix('torch.')}"
        return folder if folder.exists() else save_tiny_model(folder, variant, dtype)

    return find


@pytest.fixture
def driver() -> Driver:
    return Driver(Runner(device=torch.device("cpu"), precision=torch.float32))


def align(network: torch.nn.Module) -> None:
    """Copy weights that are mapped from their file at an odd address: kernels sum in another order there."""
    for parameter in network.parameters():
        if parameter.data_ptr() % ALIGNMENT:
            parameter.data = parameter.data.clone()


def align_all(pipeline: Any) -> None:
    """The engine reads weights to even addresses, so that kernels sum in the same order."""
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            align(part)
