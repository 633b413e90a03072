"""Rectified flow as Stable Diffusion 3 trains it (Esser et al. 2024, arXiv:2403.03206).

x_sigma = (1 - sigma) x_0 + sigma noise, the network predicts noise - x_0 and is told 1000 sigma.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch


def draw_sigmas(count: int, generator: torch.Generator, mean: float = 0.2, deviation: float = 1.1) -> torch.Tensor:
    """Logit-normal, `[count]` in 0..1."""
    return torch.sigmoid(torch.randn(count, generator=generator) * deviation + mean)


def mix(clean: torch.Tensor, noise: torch.Tensor, sigmas: torch.Tensor) -> torch.Tensor:
    sigmas = sigmas.view(-1, *[1] * (clean.ndim - 1))
    return (1 - sigmas) * clean + sigmas * noise


@torch.no_grad()
def sample_euler(velocity: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], noise: torch.Tensor,
                 steps: int, start: float = 1.0, end: float = 0.0) -> torch.Tensor:  # fmt: skip
    """Euler steps over evenly spaced sigmas from `start` to `end` (shift 1). `velocity(x, sigma [B])`."""
    x = noise
    sigmas = torch.linspace(start, end, steps + 1)
    for now, after in itertools.pairwise(sigmas):
        x = x + (after - now) * velocity(x, now.expand(len(x)))
    return x
