"""The samplers of rectified flow on a variance-preserving diffusion with v-prediction, such as CogVideoX'.

``x = alpha x0 + sigma noise`` with ``alpha² + sigma² = 1``, divided by ``alpha + sigma``, is ``(1 - u) x0 + u noise``
with ``u = sigma / (alpha + sigma)``: a rectified flow with the same x0, noise and signal-to-noise ratio. So every
sampler that is right for the flow is right here, in particular with zero terminal SNR (Lin et al. 2023), where
k-diffusion's ``sigma / alpha`` is infinite and u is 1. Euler's method in u is DDIM, and what is a line in log SNR there
is one here: the log-SNR samplers are diffusers' ``DPMSolverMultistepScheduler`` and its kin. Samplers in log σ of the
flow are not offered: their σ means nothing in this diffusion, and k-diffusion's own, ``ln(sigma / alpha)``, is the log
SNR.

The latents in the sampler's state are those of the flow. They are the diffusion's own where alpha is 0 or 1, which is
at both ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.worker.sampling.base import Model, Point, Prediction, Sampler, SamplerState, Step
from engine.worker.sampling.flow import FlowSchedule

NEAR = 2e-4
"""A level this near to one of the schedule is that one: samplers in log SNR begin just below pure noise."""


def level(alpha_bar: Tensor) -> Tensor:
    """u for the ``alphas_cumprod`` of a diffusion, float32."""
    alpha, sigma = alpha_bar.double().sqrt(), (1 - alpha_bar.double()).sqrt()
    return (sigma / (alpha + sigma)).float()


def vp_schedule(scheduler: Any) -> FlowSchedule:
    """The timesteps of one of diffusers' schedulers, ending without noise."""
    levels = level(scheduler.alphas_cumprod[scheduler.timesteps])
    return FlowSchedule(scheduler.timesteps, torch.cat([levels, torch.zeros(1)]))


@dataclass(frozen=True)
class VPFlow:
    """``make(schedule, seed)`` is a sampler of rectified flow; ``table`` [T] has u for each training timestep."""

    schedule: FlowSchedule
    table: Tensor
    make: Callable[[FlowSchedule, int], Sampler]
    seed: int

    def __call__(self, model: Model, state: SamplerState) -> Iterator[Step]:
        def flow(x: Tensor, point: Point) -> Prediction:
            u = point.sigma
            length = torch.sqrt((1 - u) ** 2 + u**2)
            place = Point(point.index, point.steps, self._timestep(u), (1 - u) / length, u / length)
            x0 = model((x.float() / length).to(x.dtype), place).x0
            return Prediction((x.float() - x0.float()) / u, lambda _velocity: x0)

        yield from self.make(self.schedule, self.seed)(flow, state)

    def _timestep(self, u: Tensor) -> Tensor:
        """What the network is told for a level: the schedule's own timestep, or a fraction between two in training."""
        levels = self.schedule.sigmas[: len(self.schedule)]
        nearest = int((levels - u).abs().argmin())
        if abs(float(levels[nearest] - u)) <= NEAR:
            return self.schedule.timesteps[nearest]
        above = min(max(int(torch.searchsorted(self.table, u)), 1), len(self.table) - 1)
        low, high = float(self.table[above - 1]), float(self.table[above])
        return torch.tensor(above - 1 + min(max((float(u) - low) / (high - low), 0.0), 1.0))
