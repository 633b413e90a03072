"""Schedules against their definitions, computed here in another way, to 1e-6."""

from __future__ import annotations

import math

import mpmath
import pytest
import torch

from engine.worker.sampling.beta_distribution import cumulative
from engine.worker.sampling.flow import FlowSchedule
from engine.worker.sampling.flow_samplers import make_schedule
from engine.worker.sampling.schedules import SCHEDULES

SHIFTS = (1.0, 3.0, 5.0)


def s(shift: float, time: float) -> float:
    return shift * time / (1 + (shift - 1) * time)


def line(start: float, end: float, points: int) -> list[float]:
    return [start + (end - start) * i / max(points - 1, 1) for i in range(points)]


def expected(name: str, n: int, shift: float) -> list[float]:
    """The sigmas before the last, 0, in double precision."""
    low = s(shift, 1 / 1000)
    if name == "simple":
        stride = 1000 / n  # ComfyUI multiplies by the rounded stride: at 38 steps, 19 strides end just below 500
        return [s(shift, (1000 - int(i * stride)) / 1000) for i in range(n)]
    if name == "normal":
        return [s(shift, t) for t in line(1.0, low, n)]
    if name == "sgm_uniform":
        return [s(shift, t) for t in line(1.0, low, n + 1)[:-1]]
    if name == "karras":
        return [t**7 for t in line(1.0, low ** (1 / 7), n)]
    if name == "exponential":
        return [math.exp(t) for t in line(0.0, math.log(low), n)]
    if name == "kl_optimal":
        return [math.tan(t) for t in line(math.pi / 4, math.atan(low), n)]
    if name == "ddim_uniform":
        return [s(shift, k / 1000) for k in reversed(range(2, 1001, max(1000 // n, 1)))]
    raise AssertionError(name)


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize(
    "name", ["simple", "normal", "sgm_uniform", "karras", "exponential", "kl_optimal", "ddim_uniform"]
)
def test_sigmas_are_those_of_the_definition(name: str, shift: float) -> None:
    for n in range(1, 51):
        made = SCHEDULES[name](n, shift)
        wanted = torch.tensor([*expected(name, n, shift), 0.0])
        assert made.dtype == torch.float32
        assert torch.allclose(made, wanted, atol=1e-6, rtol=0), (n, made, wanted)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("shift", SHIFTS)
def test_noise_falls_from_one_to_zero(name: str, shift: float) -> None:
    for n in range(1, 51):
        made = SCHEDULES[name](n, shift)
        assert made[-1] == 0
        assert (made.diff() < 0).all()
        assert made[0] <= 1
        assert name == "ddim_uniform" or made[0] == 1


def test_the_published_end_of_sgm_uniform_at_shift_3() -> None:
    """σ_min is 0.002994 at shift 3, and is shifted once more."""
    assert float(SCHEDULES["normal"](10, 3.0)[-2]) == pytest.approx(s(3.0, 0.002994012), abs=1e-6)


@pytest.mark.parametrize("shift", SHIFTS)
def test_normal_is_diffusers_schedule(shift: float) -> None:
    for n in (1, 2, 7, 28, 50):
        own = SCHEDULES["normal"](n, shift)
        theirs = FlowSchedule.normal({}, n, shift).sigmas
        assert torch.allclose(own, theirs, atol=2e-7, rtol=0)


def quantile(probability: float) -> float:
    """Of the beta distribution (0.6, 0.6), by halving on mpmath's incomplete beta function."""
    low, high = mpmath.mpf(0), mpmath.mpf(1)
    for _ in range(60):
        middle = (low + high) / 2
        if mpmath.betainc(0.6, 0.6, 0, middle, regularized=True) < probability:
            low = middle
        else:
            high = middle
    return float(high)


def test_beta_takes_the_table_at_the_quantiles() -> None:
    for n in (1, 2, 3, 7, 20, 30):
        entries = [round((quantile(1 - i / n) if 2 * i != n else 0.5) * 999) for i in range(n)]
        wanted = [s(3.0, (entry + 1) / 1000) for entry in dict.fromkeys(entries)]
        assert torch.allclose(SCHEDULES["beta"](n, 3.0), torch.tensor([*wanted, 0.0]), atol=1e-6, rtol=0), n


@pytest.mark.parametrize(("a", "b"), [(0.6, 0.6), (0.5, 2.0), (3.0, 1.5), (40.0, 0.7)])
def test_incomplete_beta_function(a: float, b: float) -> None:
    for x in (0.0, 1e-9, 1e-4, 0.1, 0.3, 0.5, 0.77, 0.999, 1 - 1e-9, 1.0):
        assert cumulative(x, a, b) == pytest.approx(float(mpmath.betainc(a, b, 0, x, regularized=True)), abs=1e-13)


def test_linear_quadratic_meets_its_two_halves() -> None:
    """Linear down to 0.975, then a parabola that goes on with the same slope and ends at 0."""
    for n in (2, 4, 10, 30, 50):
        made = SCHEDULES["linear_quadratic"](n, 3.0).double()
        half = n // 2
        assert torch.allclose(made[: half + 1], 1 - 0.025 * torch.arange(half + 1).double() / half, atol=1e-6)
        assert torch.allclose(made[half:].diff(n=3), torch.zeros(max(n - half - 2, 0)).double(), atol=2e-6)
    assert SCHEDULES["linear_quadratic"](1, 3.0).tolist() == [1.0, 0.0]


def test_ddim_uniform_has_some_steps_more() -> None:
    assert len(make_schedule({}, "euler", "ddim_uniform", 30, 3.0)) == 31


@pytest.mark.parametrize("scheduler", ["simple", "normal", "karras"])
def test_strength_takes_the_end_of_a_longer_schedule(scheduler: str) -> None:
    part = make_schedule({}, "dpmpp_2m", scheduler, 10, 3.0, strength=0.3)
    whole = make_schedule({}, "dpmpp_2m", scheduler, 33, 3.0)
    assert len(part) == 10
    assert torch.equal(part.sigmas, whole.sigmas[-11:])
    assert torch.equal(part.timesteps, whole.timesteps[-10:])


@pytest.mark.parametrize("sampler", ["dpm_2", "uni_pc"])
def test_some_samplers_leave_the_last_sigma_but_one_out(sampler: str) -> None:
    longer = SCHEDULES["simple"](11, 3.0)
    made = make_schedule({}, sampler, "simple", 10, 3.0)
    assert len(made) == 10
    assert made.sigmas.tolist() == [*longer[:-2].tolist(), 0.0]


def test_euler_on_normal_has_diffusers_bits() -> None:
    made, theirs = make_schedule({"shift": 1.0}, "euler", "normal", 28, 3.0), FlowSchedule.normal({}, 28, 3.0)
    assert torch.equal(made.sigmas, theirs.sigmas)
    assert torch.equal(made.timesteps, theirs.timesteps)
