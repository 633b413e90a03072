"""Samplers of rectified flow against known solutions, against diffusers, and against themselves when resumed."""

from __future__ import annotations

import math

import pytest
import torch

from engine.worker.sampling.base import Point, Prediction, SamplerState
from engine.worker.sampling.flow import FlowSchedule
from engine.worker.sampling.flow_samplers import SAMPLERS, make_schedule
from engine.worker.sampling.schedules import SCHEDULES

from .flows import MEAN, SPREAD, begin, between, crooked, follow, gaussian, run

NOISY = {"euler_ancestral", "dpmpp_2m_sde", "dpmpp_sde", "dpmpp_3m_sde", "lcm"}
STEPS = 6

# Sampler, the order that its paper gives it, and the steps to measure it between.
ORDERS = {
    "euler": (1, 16, 64),
    "ddim": (1, 16, 64),
    "heun": (2, 16, 64),
    "dpm_2": (2, 16, 64),
    "dpmpp_2m": (2, 32, 128),
    "dpmpp_2m_log_snr": (2, 32, 128),
    "res_multistep": (2, 32, 128),
    "uni_pc_log_snr": (2, 16, 64),
    "uni_pc": (2, 16, 64),  # third within; its last step is of first order, so the whole is of second
    "deis_log_snr": (2, 32, 128),
    "deis": (2, 16, 64),  # third within; started by one step of first order
    "lms": (2, 16, 64),  # fourth within; likewise
}


def schedule(steps: int = STEPS, scheduler: str = "sgm_uniform") -> FlowSchedule:
    return FlowSchedule.of(SCHEDULES[scheduler](steps, 3.0), 3.0)


def test_every_sampler_is_tried_here() -> None:
    assert set(ORDERS) | NOISY == set(SAMPLERS)


@pytest.mark.parametrize("name", ORDERS)
def test_errors_fall_with_the_samplers_order(name: str) -> None:
    order, few, many = ORDERS[name]
    errors = []
    for steps in (few, many):
        state = begin()
        truth = follow(state.latents, 0.95, 0.1)
        errors.append(float((run(name, between(0.95, 0.1, steps), gaussian, state) - truth).abs().max()))
    assert errors[1] < (0.05 if order == 1 else 0.01)
    assert math.log(errors[0] / errors[1]) / math.log(many / few) > order - 0.25, errors


@pytest.mark.parametrize("name", sorted(set(ORDERS) | NOISY - {"lcm"}))
def test_noise_becomes_the_data(name: str) -> None:
    """From pure noise to no noise, 4,096 samples have the mean and the spread of the data."""
    state = begin((1, 16, 16, 16))
    steps = 160 if name == "euler_ancestral" else 40  # first order: 0.30, 0.34 and 0.38 with 20, 40 and 160 steps
    latents = run(name, schedule(steps), gaussian, state)
    assert float(latents.mean()) == pytest.approx(MEAN, abs=0.03)
    assert float(latents.std()) == pytest.approx(SPREAD, rel=0.08)


def test_lcm_ends_at_its_last_prediction() -> None:
    state = begin((1, 16, 16, 16))
    latents = run("lcm", schedule(4), gaussian, state)
    assert float(latents.mean()) == pytest.approx(MEAN, abs=0.03)
    assert float(latents.std()) < SPREAD  # a prediction is a mean, and spreads less than what it predicts


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("stop", range(STEPS))
def test_going_on_from_a_saved_state_is_bit_exact(name: str, stop: int) -> None:
    whole = run(name, schedule(), crooked, begin())
    first = begin()
    steps = SAMPLERS[name](schedule(), 3)(crooked, first)
    for _ in range(stop):
        next(steps)
    saved = first.to_dict()
    list(steps)  # the rest of this run must not change what was saved
    second = SamplerState.from_dict(saved, torch.device("cpu"))
    done = [step.index for step in SAMPLERS[name](schedule(), 3)(crooked, second)]
    assert done == list(range(stop, STEPS))
    assert torch.equal(second.latents, whole)


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_few_steps_are_enough(name: str, steps: int) -> None:
    state = begin()
    latents = run(name, schedule(steps), gaussian, state)
    assert torch.isfinite(latents).all()
    if steps == 1:  # the one prediction, from pure noise: the data's mean
        assert torch.allclose(latents, torch.full_like(latents, MEAN), atol=5e-3)


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("scheduler", SCHEDULES)
def test_every_sampler_goes_with_every_schedule(name: str, scheduler: str) -> None:
    made = make_schedule({}, name, scheduler, 8, 3.0)
    latents = run(name, made, gaussian, begin())
    assert torch.isfinite(latents).all()
    assert 0.5 < float(latents.mean()) < 0.9


@pytest.mark.parametrize("name", SAMPLERS)
def test_latents_in_the_models_own_dtype_stay_in_it(name: str) -> None:
    state = begin()
    exact = run(name, schedule(), gaussian, begin())

    def narrow(x: torch.Tensor, point: Point) -> Prediction:
        wide = gaussian(x, point)
        return Prediction(wide.output.to(x.dtype), wide.to_x0)

    state.latents = state.latents.bfloat16()
    latents = run(name, schedule(), narrow, state)
    assert latents.dtype == torch.bfloat16
    assert (latents.float() - exact).abs().max() < 0.1


@pytest.mark.parametrize("name", sorted(NOISY))
def test_noise_on_the_way_comes_from_the_seed(name: str) -> None:
    one, same, other = (run(name, schedule(), crooked, begin(), seed) for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.allclose(one, other, atol=0.01)


@pytest.mark.parametrize("name", ["dpmpp_2m_sde", "dpmpp_sde", "dpmpp_3m_sde"])
def test_finer_steps_follow_the_same_brownian_path(name: str) -> None:
    def end(steps: int) -> torch.Tensor:
        return run(name, between(0.9, 0.2, steps), gaussian, begin())

    finest = end(512)
    coarse, fine = (float((end(steps) - finest).abs().mean()) for steps in (16, 128))
    assert fine < 0.5 * coarse


# Against diffusers: its schedulers are given our sigmas, and the same network.


def diffusers_run(scheduler, sigmas: torch.Tensor) -> torch.Tensor:
    state = begin()
    x = state.latents
    made = FlowSchedule.of(sigmas)
    for timestep in scheduler.timesteps:
        sigma = scheduler.sigmas[scheduler.step_index or 0]
        x = scheduler.step(crooked(x, made.inside(0, sigma)).output, timestep, x, return_dict=False)[0]
    return x


def give(scheduler, sigmas: torch.Tensor) -> None:
    """Replace what ``set_timesteps`` made."""
    scheduler.set_timesteps(len(sigmas) - 1)
    scheduler.sigmas = sigmas.clone()
    scheduler.timesteps = sigmas[:-1] * 1000
    scheduler._step_index = 0


def test_heun_is_diffusers_heun() -> None:
    from diffusers import FlowMatchHeunDiscreteScheduler

    sigmas = schedule().sigmas
    scheduler = FlowMatchHeunDiscreteScheduler()
    scheduler.set_timesteps(STEPS)
    scheduler.sigmas = torch.cat([sigmas[:1], sigmas[1:-1].repeat_interleave(2), sigmas[-1:]])
    scheduler.timesteps = scheduler.sigmas[:-1] * 1000
    scheduler._step_index = 0
    assert torch.allclose(diffusers_run(scheduler, sigmas), run("heun", schedule(), crooked, begin()), atol=2e-6)


@pytest.mark.parametrize("steps", [1, 2, 3, 6, 20])
def test_log_snr_dpmpp_2m_is_diffusers(steps: int) -> None:
    from diffusers import DPMSolverMultistepScheduler

    made = schedule(steps)
    scheduler = DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True)
    give(scheduler, made.sigmas)
    assert torch.allclose(
        diffusers_run(scheduler, made.sigmas), run("dpmpp_2m_log_snr", made, crooked, begin()), atol=5e-6
    )


@pytest.mark.parametrize("steps", [1, 2, 3, 6, 20])
def test_log_snr_unipc_is_diffusers(steps: int) -> None:
    from diffusers import UniPCMultistepScheduler

    made = schedule(steps).below_one()
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True)
    give(scheduler, made.sigmas)
    assert torch.allclose(
        diffusers_run(scheduler, made.sigmas), run("uni_pc_log_snr", made, crooked, begin()), atol=5e-6
    )


@pytest.mark.parametrize("steps", [1, 2, 3, 6, 20])
def test_log_snr_deis_is_diffusers(steps: int) -> None:
    """Between noise levels where diffusers' form, which divides by the signal and takes logarithms, is exact enough."""
    from diffusers import DEISMultistepScheduler

    made = between(0.9, 0.05, steps)
    scheduler = DEISMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True)
    give(scheduler, made.sigmas)
    assert torch.allclose(diffusers_run(scheduler, made.sigmas), run("deis_log_snr", made, crooked, begin()), atol=5e-6)


def test_both_dpmpp_2m_are_the_samplers_they_are_named_after() -> None:
    """They go other ways on the same network, and end at the same place with many steps."""
    few = [run(name, schedule(8), crooked, begin()) for name in ("dpmpp_2m", "dpmpp_2m_log_snr")]
    many = [run(name, schedule(200), crooked, begin()) for name in ("dpmpp_2m", "dpmpp_2m_log_snr")]
    assert (few[0] - few[1]).abs().max() > 10 * (many[0] - many[1]).abs().max()
