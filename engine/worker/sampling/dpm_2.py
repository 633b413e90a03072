"""DPM-Solver-2 in k-diffusion's form: a midpoint, geometric between both sigmas, and its slope for the whole step.

After Algorithm 2 of Karras et al. 2022 and DPM-Solver-2 of Lu et al. 2022, "DPM-Solver", as ``sample_dpm_2`` in
k-diffusion. ComfyUI leaves the last sigma but one out of its schedules; ``flow_samplers.make_schedule`` does so too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from engine.worker.sampling.base import Model, SamplerState, Step
from engine.worker.sampling.flow import FlowSchedule, finish


@dataclass(frozen=True)
class DPM2:
    schedule: FlowSchedule

    def __call__(self, model: Model, state: SamplerState) -> Iterator[Step]:
        for index in range(state.step, len(self.schedule)):
            sigma, after = self.schedule.pair(index)
            x = state.latents.float()
            prediction = model(state.latents, self.schedule.point(index))
            velocity = prediction.output.float()
            if after > 0:
                middle = math.sqrt(sigma * after)
                halfway = x + (middle - sigma) * velocity
                second = model(halfway.to(state.latents.dtype), self.schedule.inside(index, middle))
                velocity = second.output.float()
            x = x + (after - sigma) * velocity
            yield finish(state, self.schedule, index, x, lambda p=prediction: p.x0)
