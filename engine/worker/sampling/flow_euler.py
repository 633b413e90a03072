"""Euler's method on a rectified flow, and the schedule that goes with it.

A rectified flow has ``x = (1 - sigma) x0 + sigma noise``; the network predicts the velocity ``noise - x0``, and a step
is ``x + (sigma_next - sigma) velocity`` (Esser et al. 2024, "Scaling Rectified Flow Transformers"). Bit-equal to
diffusers' ``FlowMatchEulerDiscreteScheduler``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from engine.worker.sampling.base import Model, Point, SamplerState, Step


@dataclass(frozen=True)
class FlowSchedule:
    """``timesteps`` [steps] and ``sigmas`` [steps + 1], float32 on the CPU, from most noise to none."""

    timesteps: Tensor
    sigmas: Tensor

    @classmethod
    def normal(cls, config: dict[str, Any], steps: int, shift: float) -> FlowSchedule:
        """Diffusers' own schedule: ``steps`` points from the largest sigma to the smallest, shifted."""
        from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler

        scheduler = FlowMatchEulerDiscreteScheduler.from_config(config, shift=shift, use_dynamic_shifting=False)
        scheduler.set_timesteps(steps)
        return cls(scheduler.timesteps, scheduler.sigmas)

    def __len__(self) -> int:
        return len(self.timesteps)

    def point(self, index: int) -> Point:
        sigma = self.sigmas[index]
        return Point(index, len(self), self.timesteps[index], 1 - sigma, sigma)


@dataclass(frozen=True)
class FlowEuler:
    schedule: FlowSchedule

    def __call__(self, model: Model, state: SamplerState) -> Iterator[Step]:
        for index in range(state.step, len(self.schedule)):
            prediction = model(state.latents, self.schedule.point(index))
            change = self.schedule.sigmas[index + 1] - self.schedule.sigmas[index]
            latents = state.latents.float() + change * prediction.output
            state.latents = latents.to(prediction.output.dtype)
            state.step = index + 1
            yield Step(index, len(self.schedule), state.latents, lambda p=prediction: p.x0)
