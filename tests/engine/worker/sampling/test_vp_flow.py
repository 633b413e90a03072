"""Samplers of rectified flow on a variance-preserving diffusion: against known solutions, diffusers and DDIM."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.families.cogvideox.network.sampling import OWN, CogVideoXDDIM, make_scheduler, vp_sampler
from engine.models.catalog import FAMILIES
from engine.worker.sampling.base import Point, Prediction, SamplerState
from engine.worker.sampling.flow import FlowSchedule
from engine.worker.sampling.flow_samplers import SAMPLERS
from engine.worker.sampling.vp_flow import VPFlow, level, vp_schedule

from ..conftest import Driver, cogvideox
from .flows import MEAN, SPREAD, begin, between, follow

CONFIG: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "clip_sample": False,
    "set_alpha_to_one": True,
    "snr_shift_scale": 1.0,
}
OFFERED = [name for name in FAMILIES["cogvideox"].samplers if name not in OWN]
NOISY = {"euler_ancestral", "dpmpp_2m_sde", "dpmpp_sde", "dpmpp_3m_sde"}
STEPS = 8  # divides 1000, so that diffusers' DDIM ends without noise


def prediction(x0: torch.Tensor, x: torch.Tensor, point: Point) -> Prediction:
    """``x0`` as a v-prediction."""
    v = (point.signal * x - x0) / point.sigma
    return Prediction(v, lambda v: point.signal * x - point.sigma * v)


def gaussian(x: torch.Tensor, point: Point) -> Prediction:
    """The exact prediction where the data are normal with MEAN and SPREAD."""
    signal, sigma = float(point.signal), float(point.sigma)
    gain = signal * SPREAD**2 / ((signal * SPREAD) ** 2 + sigma**2)
    return prediction(MEAN + gain * (x - signal * MEAN), x, point)


def crooked(x: torch.Tensor, point: Point) -> Prediction:
    v = torch.tanh(1.3 * x) * (0.2 + float(point.sigma)) + 0.1 * x.roll(1, -1)
    return Prediction(v, lambda v: point.signal * x - point.sigma * v)


def run(sampler: Any, model: Any, state: SamplerState) -> torch.Tensor:
    for _ in sampler(model, state):
        pass
    return state.latents


def made(name: str, steps: int = STEPS) -> Any:
    return vp_sampler(make_scheduler(CONFIG, name, "trailing", steps), name, 3)


@pytest.mark.parametrize("name", [name for name in OFFERED if name not in NOISY])
def test_errors_fall_with_the_samplers_order(name: str) -> None:
    errors, few, many = [], 32, 128
    for steps in (few, many):
        state = begin()
        truth = follow(state.latents, 0.95, 0.1)  # the flow of the same data
        sampler = VPFlow(between(0.95, 0.1, steps), torch.linspace(0, 1, 1000), SAMPLERS[name], 3)
        errors.append(float((run(sampler, gaussian, state) - truth).abs().max()))
    order = 1 if name == "euler" else 2
    assert math.log(errors[0] / errors[1]) / math.log(many / few) > order - 0.25, errors


@pytest.mark.parametrize("name", OFFERED)
def test_noise_becomes_the_data(name: str) -> None:
    state = begin((1, 16, 16, 16))
    latents = run(made(name, 125 if name == "euler_ancestral" else 40), gaussian, state)
    assert float(latents.mean()) == pytest.approx(MEAN, abs=0.03)
    assert float(latents.std()) == pytest.approx(SPREAD, rel=0.12)


def test_euler_is_ddim() -> None:
    ddim = run(CogVideoXDDIM(make_scheduler(CONFIG, "ddim", "trailing", STEPS)), crooked, begin())
    assert torch.allclose(run(made("euler"), crooked, begin()), ddim, atol=2e-5)


@pytest.mark.parametrize("steps", [2, 4, 20])
def test_log_snr_dpmpp_2m_is_diffusers(steps: int) -> None:
    from diffusers import DPMSolverMultistepScheduler

    own = make_scheduler(CONFIG, "dpmpp_2m_log_snr", "trailing", steps)
    alpha_bar = own.alphas_cumprod[own.timesteps].double()
    ratios = ((1 - alpha_bar) / alpha_bar).sqrt().float()
    ratios[0] = 9999.0  # diffusers cannot begin without any signal; ours takes the same start here
    scheduler = DPMSolverMultistepScheduler(prediction_type="v_prediction", final_sigmas_type="zero")
    scheduler.set_timesteps(steps)
    scheduler.sigmas, scheduler.timesteps = torch.cat([ratios, torch.zeros(1)]), own.timesteps
    scheduler._step_index = 0
    x = begin().latents
    for timestep, ratio in zip(own.timesteps, ratios, strict=True):
        alpha = 1 / torch.sqrt(1 + ratio**2)
        v = crooked(x, Point(0, steps, timestep, alpha, ratio * alpha)).output
        x = scheduler.step(v, timestep, x, return_dict=False)[0]
    schedule = vp_schedule(own)
    schedule.sigmas[0] = ratios[0] / (1 + ratios[0])
    sampler = VPFlow(schedule, level(own.alphas_cumprod), SAMPLERS["dpmpp_2m_log_snr"], 3)
    assert torch.allclose(run(sampler, crooked, begin()), x, atol=5e-4)


@pytest.mark.parametrize("name", OFFERED)
@pytest.mark.parametrize("stop", [0, 3, 7])
def test_going_on_from_a_saved_state_is_bit_exact(name: str, stop: int) -> None:
    whole, first = run(made(name), crooked, begin()), begin()
    steps = made(name)(crooked, first)
    for _ in range(stop):
        next(steps)
    second = SamplerState.from_dict(first.to_dict(), torch.device("cpu"))
    assert torch.equal(run(made(name), crooked, second), whole)


def test_the_network_is_told_its_own_timesteps() -> None:
    told: list[float] = []

    def listening(x: torch.Tensor, point: Point) -> Prediction:
        told.append(float(point.timestep))
        return crooked(x, point)

    scheduler = make_scheduler(CONFIG, "heun", "trailing", STEPS)
    run(made("heun"), listening, begin())
    times = [float(timestep) for timestep in scheduler.timesteps]
    assert told == [time for pair in pairwise(times) for time in pair] + times[-1:]
    told.clear()
    run(made("dpmpp_sde"), listening, begin())
    assert [float(time) for time in told[::2]] == times
    assert all(
        late < between_ < early for early, between_, late in zip(told[::2], told[1::2], told[2::2], strict=False)
    )


def test_levels_are_those_of_the_same_signal_to_noise_ratio() -> None:
    alpha_bar = torch.tensor([1.0, 0.5, 0.2, 0.0])
    u = level(alpha_bar)
    assert u[0] == 0 and u[-1] == 1
    assert torch.allclose(((1 - u) / u)[1:] ** 2, (alpha_bar / (1 - alpha_bar))[1:])
    assert len(FlowSchedule.of(u.flip(0))) == 3


@pytest.mark.parametrize("name", FAMILIES["cogvideox"].samplers)
def test_a_clip_comes_out_of_the_engine(driver: Driver, tiny: Callable[..., Path], name: str) -> None:
    recipe = cogvideox(sampler=name, steps=2)
    made = driver.make(tiny("cogvideox"), recipe)
    assert torch.isfinite(made.latents).all()
    assert made.frames.shape[1] == recipe.frames
