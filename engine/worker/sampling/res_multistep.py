"""RES, multistep: x0 as a straight line in the logarithm of sigma through its last two predictions, integrated exactly.

Zhang et al. 2023, "Improved Order Analysis and Design of Exponential Integrator for Diffusion Models Sampling"
(arXiv 2308.02157), as ComfyUI's ``sample_res_multistep`` without noise: in log sigma for rectified flow too. It differs
from DPM++ 2M in holding the paper's order conditions exactly, where that approximates the line's part of the integral.
The first step and the last are Euler's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from engine.worker.sampling.base import Model, SamplerState, Step
from engine.worker.sampling.flow import FlowSchedule, finish, recall, remember


@dataclass(frozen=True)
class RESMultistep:
    schedule: FlowSchedule

    def __call__(self, model: Model, state: SamplerState) -> Iterator[Step]:
        for index in range(state.step, len(self.schedule)):
            sigma, after = self.schedule.pair(index)
            x = state.latents.float()
            prediction = model(state.latents, self.schedule.point(index))
            x0 = prediction.x0.float()
            if index == 0 or after == 0:
                x = x + (after - sigma) * prediction.output.float()
            else:
                h = math.log(sigma / after)
                before = -math.log(self.schedule.pair(index - 1)[0] / sigma) / h
                phi_1 = math.expm1(-h) / -h
                phi_2 = (phi_1 - 1) / -h
                older = phi_2 / before
                x = math.exp(-h) * x + h * ((phi_1 - older) * x0 + older * recall(state, "x0", 1)[0])
            remember(state, "x0", x0, 1)
            yield finish(state, self.schedule, index, x, lambda p=prediction: p.x0)
