"""Noise schedules of rectified flow, as ComfyUI 0.27 has them for SD3 (ModelSamplingSD3, ``comfy/samplers.py``).

Each gives the sigmas from most noise to 0. All are in float32 and in ComfyUI's order of operations: where noise is
looked up by its sigma (``noise.BrownianTree``), the last bit of a sigma counts.

``normal`` and ``sgm_uniform`` shift twice: they take even steps between the model times of the largest and smallest
sigma, which are shifted already, and shift them again. Diffusers' schedule does the same.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from functools import cache
from typing import Any

import torch
from torch import Tensor

from engine.worker.sampling.beta_distribution import cumulative

TABLE = 1000
BETA = 0.6


def shifted(shift: float, time: Any) -> Any:
    """``shift t / (1 + (shift - 1) t)`` for t in 0 … 1 (Esser et al. 2024, section 5.3.2); a number or a tensor."""
    return time if shift == 1.0 else shift * time / (1 + (shift - 1) * time)


def table(shift: float) -> Tensor:
    """The model's 1000 sigmas, smallest first."""
    return shifted(shift, torch.arange(1, TABLE + 1) / TABLE * 1000 / 1000)


def simple(steps: int, shift: float) -> Tensor:
    """Even distances in the table. Rounding the distance first, as ComfyUI does, moves an entry at 38 steps."""
    sigmas, stride = table(shift), TABLE / steps
    return _and_zero(torch.stack([sigmas[-(1 + int(i * stride))] for i in range(steps)]))


def normal(steps: int, shift: float) -> Tensor:
    """``steps`` points, even in model time, the smallest sigma included; then 0."""
    return _and_zero(_even_in_time(steps, shift))


def sgm_uniform(steps: int, shift: float) -> Tensor:
    """``steps + 1`` points, even in model time, the last one left out; then 0."""
    return _and_zero(_even_in_time(steps + 1, shift)[:-1])


def karras(steps: int, shift: float, rho: float = 7.0) -> Tensor:
    """Karras et al. 2022, "Elucidating the Design Space", equation 5."""
    low, high = _ends(shift)
    low, high = low ** (1 / rho), high ** (1 / rho)
    return _and_zero((high + torch.linspace(0, 1, steps) * (low - high)) ** rho)


def exponential(steps: int, shift: float) -> Tensor:
    """Even in the logarithm of sigma."""
    low, high = _ends(shift)
    return _and_zero(torch.linspace(math.log(high), math.log(low), steps).exp())


def ddim_uniform(steps: int, shift: float) -> Tensor:
    """Every ``1000 // steps``-th sigma of the table from its second on. Often some steps more than asked for."""
    stride = max(TABLE // steps, 1)
    return _and_zero(table(shift)[1::stride].flip(0))


def beta(steps: int, shift: float) -> Tensor:
    """Table entries at the quantiles of a beta distribution (0.6, 0.6), Lee et al. 2024, "Beta Sampling is All You
    Need". Entries that would come twice come once, so there may be fewer steps than asked for.
    """
    borders = _beta_borders()
    entries = [bisect_right(borders, 1 - i / steps) for i in range(steps)]
    return _and_zero(table(shift)[list(dict.fromkeys(entries))])


def linear_quadratic(steps: int, shift: float, threshold: float = 0.025) -> Tensor:
    """The first half of the steps goes linearly to a noise of ``1 - threshold``, the rest quadratically to 0; the shift
    has no part in it (Genmo's Mochi, ``mochi_preview/infer.py``).
    """
    if steps == 1:
        return torch.tensor([1.0, 0.0])
    linear = steps // 2
    rest = steps - linear
    missing = linear - threshold * steps
    square = missing / (linear * rest**2)
    slope = threshold / linear - 2 * missing / rest**2
    start = [i * threshold / linear for i in range(linear)]
    end = [square * i**2 + slope * i + square * linear**2 for i in range(linear, steps)]
    return torch.tensor([1.0 - done for done in (*start, *end, 1.0)])


def kl_optimal(steps: int, shift: float) -> Tensor:
    """Even in the arc tangent of sigma (Sabour et al. 2024, "Align Your Steps", theorem 3.1)."""
    low, high = _ends(shift)
    part = torch.arange(steps, dtype=torch.float32) / max(steps - 1, 1)
    return _and_zero((part * math.atan(low) + (1 - part) * math.atan(high)).tan())


SCHEDULES = {
    make.__name__: make
    for make in (
        simple,
        normal,
        sgm_uniform,
        karras,
        exponential,
        ddim_uniform,
        beta,
        linear_quadratic,
        kl_optimal,
    )
}


def _ends(shift: float) -> tuple[float, float]:
    sigmas = table(shift)
    return float(sigmas[0]), float(sigmas[-1])


def _even_in_time(points: int, shift: float) -> Tensor:
    sigmas = table(shift)
    return shifted(shift, torch.linspace(float(sigmas[-1] * 1000), float(sigmas[0] * 1000), points) / 1000)


def _and_zero(sigmas: Tensor) -> Tensor:
    return torch.cat([sigmas, torch.zeros(1)])


@cache
def _beta_borders() -> list[float]:
    """The probabilities at which ``rint(quantile * 999)`` goes up to 1, 2 … 999: no quantile need be computed."""
    return [cumulative((k - 0.5) / (TABLE - 1), BETA, BETA) for k in range(1, TABLE)]
