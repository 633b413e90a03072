"""Heun's method: second order with two calls of the network a step; the last step, to no noise, is Euler's.

Algorithm 1 of Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", without churn,
on the velocity of a rectified flow. The same as diffusers' ``FlowMatchHeunDiscreteScheduler``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.worker.sampling.base import Model, SamplerState, Step
from engine.worker.sampling.flow import FlowSchedule, finish


@dataclass(frozen=True)
class Heun:
    schedule: FlowSchedule

    def __call__(self, model: Model, state: SamplerState) -> Iterator[Step]:
        for index in range(state.step, len(self.schedule)):
            sigma, after = self.schedule.pair(index)
            x = state.latents.float()
            prediction = model(state.latents, self.schedule.point(index))
            velocity = prediction.output.float()
            if after > 0:
                ahead = x + (after - sigma) * velocity
                second = model(ahead.to(state.latents.dtype), self.schedule.inside(index, after))
                velocity = (velocity + second.output.float()) / 2
            x = x + (after - sigma) * velocity
            yield finish(state, self.schedule, index, x, lambda p=prediction: p.x0)
