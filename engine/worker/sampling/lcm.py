"""LCM: the prediction is taken as the picture and noised again, for networks distilled to few steps.

Luo et al. 2023, "Latent Consistency Models", Algorithm 3 (multistep sampling of Song et al. 2023, "Consistency
Models"), with the rectified flow's ``(1 - sigma) x0 + sigma noise``, as ComfyUI's ``sample_lcm``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.worker.sampling.base import Model, SamplerState, Step
from engine.worker.sampling.flow import FlowSchedule, finish
from engine.worker.sampling.noise import begin_own_noise, draw


@dataclass(frozen=True)
class LCM:
    schedule: FlowSchedule
    seed: int

    def __call__(self, model: Model, state: SamplerState) -> Iterator[Step]:
        begin_own_noise(state, self.seed)
        for index in range(state.step, len(self.schedule)):
            _, after = self.schedule.pair(index)
            prediction = model(state.latents, self.schedule.point(index))
            x = prediction.x0.float()
            if after > 0:
                x = after * draw(state) + (1 - after) * x
            yield finish(state, self.schedule, index, x, lambda p=prediction: p.x0)
