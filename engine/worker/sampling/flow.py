"""What the samplers of rectified flow share: the schedule, and how a step ends.

A rectified flow has ``x = (1 - sigma) x0 + sigma noise``. Its network predicts the velocity ``noise - x0``, which is
``dx/dsigma``, so ``x0 = x - sigma velocity``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from engine.worker.sampling.base import Point, SamplerState, Step
from engine.worker.sampling.schedules import shifted

FIRST_PERCENT = 1e-4
"""How far below pure noise a schedule starts where its log SNR must be finite (ComfyUI's offset)."""


@dataclass(frozen=True)
class FlowSchedule:
    """``timesteps`` [steps] and ``sigmas`` [steps + 1], float32 on the CPU, from most noise to none.

    ``shift`` is the one that made them.
    """

    timesteps: Tensor
    sigmas: Tensor
    shift: float = 1.0

    @classmethod
    def of(cls, sigmas: Tensor, shift: float = 1.0) -> FlowSchedule:
        """With the network's time at 1000 sigma."""
        return cls(sigmas[:-1] * 1000, sigmas, shift)

    @classmethod
    def normal(cls, config: dict[str, Any], steps: int, shift: float) -> FlowSchedule:
        """Diffusers' own schedule, bit by bit: ``steps`` points from the largest sigma to the smallest, shifted."""
        from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler

        scheduler = FlowMatchEulerDiscreteScheduler.from_config(config, shift=shift, use_dynamic_shifting=False)
        scheduler.set_timesteps(steps)
        return cls(scheduler.timesteps, scheduler.sigmas, shift)

    def __len__(self) -> int:
        return len(self.timesteps)

    def point(self, index: int) -> Point:
        sigma = self.sigmas[index]
        return Point(index, len(self), self.timesteps[index], 1 - sigma, sigma)

    def inside(self, index: int, sigma: float | Tensor) -> Point:
        """Another noise level that step ``index`` looks at."""
        level = torch.as_tensor(sigma, dtype=torch.float32)
        return Point(index, len(self), level * 1000, 1 - level, level)

    def pair(self, index: int) -> tuple[float, float]:
        """The noise levels before and after step ``index``."""
        return float(self.sigmas[index]), float(self.sigmas[index + 1])

    def last(self, steps: int) -> FlowSchedule:
        """The last ``steps`` steps."""
        return replace(self, timesteps=self.timesteps[-steps:], sigmas=self.sigmas[-(steps + 1) :])

    def without_penultimate(self) -> FlowSchedule:
        """One step fewer: the last goes from the third sigma from the end to the end."""
        return replace(self, timesteps=self.timesteps[:-1], sigmas=torch.cat([self.sigmas[:-2], self.sigmas[-1:]]))

    def below_one(self) -> FlowSchedule:
        """The same with a first sigma below 1, where the log SNR is finite; as ComfyUI's samplers in log SNR do."""
        if not len(self) or self.sigmas[0] < 1:
            return self
        sigmas = self.sigmas.clone()
        sigmas[0] = shifted(self.shift, 1 - FIRST_PERCENT)
        return FlowSchedule.of(sigmas, self.shift)


def log(value: float) -> float:
    """The natural logarithm, −infinity at 0."""
    return math.log(value) if value > 0 else -math.inf


def expm1(value: float) -> float:
    return -1.0 if value == -math.inf else math.expm1(value)


def finish(state: SamplerState, schedule: FlowSchedule, index: int, latents: Tensor, x0: Callable[[], Tensor]) -> Step:
    """Bring ``state`` behind step ``index``, in the dtype that its latents are kept in."""
    state.latents = latents.to(state.latents.dtype)
    state.step = index + 1
    return Step(index, len(schedule), state.latents, x0)


def remember(state: SamplerState, name: str, value: Tensor, length: int) -> None:
    """Put ``value`` in front of what ``state`` holds as ``name_1`` (the newest), ``name_2`` … up to ``length``."""
    for age in range(length, 1, -1):
        if f"{name}_{age - 1}" in state.history:
            state.history[f"{name}_{age}"] = state.history[f"{name}_{age - 1}"]
    state.history[f"{name}_1"] = value


def recall(state: SamplerState, name: str, length: int) -> list[Tensor]:
    """The newest ``length`` of what ``remember`` put there, the newest first."""
    return [state.history[f"{name}_{age}"] for age in range(1, length + 1)]
