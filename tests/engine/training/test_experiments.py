"""The experiments that cost next to nothing say what the documentation says; the others are only listed."""

from __future__ import annotations

import pytest
import torch

from engine.training.experiments import EXPERIMENTS
from engine.training.experiments.terminal_snr import best_v, spread
from engine.training.experiments.toy import ToySetting, ToyTask, draw
from engine.training.schedule import Schedule


def test_zero_terminal_snr_brings_back_the_brightness() -> None:
    assert spread(False, "leading") < 0.6
    assert spread(True, "trailing") > 0.8


def test_the_best_denoiser_beats_any_other() -> None:
    generator = torch.Generator().manual_seed(0)
    picture = torch.randn(20_000, 1, generator=generator).expand(-1, 16)
    noise = torch.randn(20_000, 16, generator=generator)
    alpha = torch.tensor(0.3)
    x = alpha.sqrt() * picture + (1 - alpha).sqrt() * noise
    wanted = alpha.sqrt() * noise - (1 - alpha).sqrt() * picture
    error = (best_v(x, alpha) - wanted).square().mean()
    for factor in (0.9, 1.1):
        assert error < (best_v(x, alpha) * factor - wanted).square().mean()
    assert error == pytest.approx((wanted - best_v(x, alpha)).var().item(), rel=0.01)  # unbiased


def test_the_toy_is_drawn_alike_at_every_resolution_and_learns() -> None:
    low, classes = draw(8, 8, torch.Generator().manual_seed(0))
    high, same = draw(8, 16, torch.Generator().manual_seed(0))
    assert torch.equal(classes, same)
    assert (torch.nn.functional.avg_pool2d(high, 2) - low).abs().mean() < 0.2
    task = ToyTask(ToySetting(), layers=1)
    loss, _ = task.loss(0, Schedule(steps=2, batch=4))
    loss.backward()
    assert torch.isfinite(loss)


def test_gradient_checkpointing_is_measured_to_save_memory() -> None:
    found = EXPERIMENTS["gradient-checkpointing"]()
    assert found["with"]["kept_mib"] < 0.5 * found["without"]["kept_mib"]
    assert found["with"]["gradient_norm"] == pytest.approx(found["without"]["gradient_norm"], rel=1e-4)
