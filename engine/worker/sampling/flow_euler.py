"""Euler's method on a rectified flow: ``x + (sigma_next - sigma) velocity``.

Esser et al. 2024, "Scaling Rectified Flow Transformers". Bit-equal to diffusers' ``FlowMatchEulerDiscreteScheduler``;
DDIM with eta 0 comes to the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.worker.sampling.base import Model, SamplerState, Step
from engine.worker.sampling.flow import FlowSchedule


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
