"""Euler with fresh noise at each step, in its rectified-flow form.

A step goes to a sigma below the next one by Euler's method, and noise brings it up again; scaling the signal down and
the noise in keeps ``x = (1 - sigma) x0 + sigma noise`` true. The form is ComfyUI's ``sample_euler_ancestral_RF`` with
eta 1; the idea is DDIM's eta (Song et al. 2020, "Denoising Diffusion Implicit Models", equation 16).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from engine.worker.sampling.base import Model, SamplerState, Step
from engine.worker.sampling.flow import FlowSchedule, finish
from engine.worker.sampling.noise import begin_own_noise, draw


@dataclass(frozen=True)
class EulerAncestral:
    schedule: FlowSchedule
    seed: int
    eta: float = 1.0

    def __call__(self, model: Model, state: SamplerState) -> Iterator[Step]:
        begin_own_noise(state, self.seed)
        for index in range(state.step, len(self.schedule)):
            sigma, after = self.schedule.pair(index)
            prediction = model(state.latents, self.schedule.point(index))
            x = prediction.x0.float()
            if after > 0:
                down = after * (1 + (after / sigma - 1) * self.eta)
                keep = (1 - after) / (1 - down)
                renoise = math.sqrt(max(after**2 - down**2 * keep**2, 0.0))
                x = down / sigma * state.latents.float() + (1 - down / sigma) * x
                x = keep * x + renoise * draw(state)
            yield finish(state, self.schedule, index, x, lambda p=prediction: p.x0)
