"""What only a CUDA device can show. Run with ``python3 start.py test tests/gpu``; without a device these fail."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.models.installed import open_folder
from engine.protocol.commands import Generate
from engine.protocol.errors import Cancelled
from engine.protocol.events import Event, StepDone
from engine.worker.cancel import Cancellation
from engine.worker.progress import Progress
from engine.worker.runner import Runner

pytestmark = pytest.mark.gpu

MODELS = Path(__file__).resolve().parents[2] / "resources" / "models"
PROMPTS = {
    "laterna-mini-image": "a red apple on the left, blue sky background",
    "laterna-mini-video": "a red apple moving right, meadow background",
}


def job(model: str) -> Generate:
    folder = MODELS / model
    return Generate("job", open_folder(folder).info.recipe(PROMPTS[model], seed=1), str(folder), "", "out")


def ignore(event: Event, blob: bytes) -> None:
    pass


@pytest.mark.parametrize("model", PROMPTS)
def test_a_seed_gives_nearly_the_same_pixels_as_on_the_cpu(model: str) -> None:
    on_cpu = Runner(device=torch.device("cpu")).make(job(model), Progress("job", ignore)).frames
    on_gpu = Runner(device=torch.device("cuda")).make(job(model), Progress("job", ignore)).frames
    error = np.mean((on_cpu.numpy().astype(float) - on_gpu.cpu().numpy().astype(float)) ** 2)
    assert 10 * np.log10(255**2 / max(error, 1e-9)) > 25


@pytest.mark.parametrize("model", PROMPTS)
def test_the_same_seed_twice_is_bit_equal(model: str) -> None:
    runner = Runner(device=torch.device("cuda"))
    first, second = (runner.make(job(model), Progress("job", ignore)).frames for _ in range(2))
    assert torch.equal(first, second)


def test_cancel_takes_less_than_a_step_and_the_next_job_works() -> None:
    cancellation = Cancellation()
    runner = Runner(cancellation, device=torch.device("cuda"))
    runner.make(job("laterna-mini-image"), Progress("job", ignore))
    asked = 0.0

    def cancel_at_the_third_step(event: Event, blob: bytes) -> None:
        nonlocal asked
        if isinstance(event, StepDone) and event.step == 3:
            asked = time.monotonic()
            cancellation.request()

    with pytest.raises(Cancelled):
        runner.make(job("laterna-mini-image"), Progress("job", cancel_at_the_third_step))
    assert time.monotonic() - asked < 0.5
    cancellation.reset()
    assert runner.make(job("laterna-mini-image"), Progress("job", ignore)).frames.any()


def test_memory_is_given_back() -> None:
    runner = Runner(device=torch.device("cuda"))
    runner.make(job("laterna-mini-image"), Progress("job", ignore))
    runner.release()
    torch.cuda.empty_cache()
    assert torch.cuda.memory_allocated() < 16 * 2**20
