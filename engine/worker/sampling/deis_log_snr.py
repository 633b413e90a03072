"""DEIS in log SNR: the noise as a straight line in the logarithm of ``rho = sigma / (1 - sigma)``, integrated over rho.

Zhang and Chen 2022, "Fast Sampling of Diffusion Models with Exponential Integrator", ρAB-DEIS of order 2 in log ρ, as
diffusers' ``DEISMultistepScheduler`` with flow sigmas. ``deis.DEIS`` interpolates in another time and goes another way.

``x / (1 - sigma)`` changes by ``∫ noise dρ``. Written as Euler's step and what the line adds to it, so that nothing is
divided by the signal that a start near pure noise hardly has. The first step is Euler's, and so is the last one to no
noise, or of fewer than 15 (diffusers' ``lower_order_final``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from engine.worker.sampling.base import Model, SamplerState, Step
from engine.worker.sampling.flow import FlowSchedule, finish, recall, remember

FEW_STEPS = 15


@dataclass(frozen=True)
class DEISLogSNR:
    schedule: FlowSchedule

    def __call__(self, model: Model, state: SamplerState) -> Iterator[Step]:
        schedule = self.schedule.below_one()
        steps = len(schedule)
        for index in range(state.step, steps):
            sigma, after = schedule.pair(index)
            prediction = model(state.latents, schedule.point(index))
            x, velocity = state.latents.float(), prediction.output.float()
            noise = x + (1 - sigma) * velocity
            x = x + (after - sigma) * velocity
            if index > 0 and after > 0 and not (index == steps - 1 and steps < FEW_STEPS):
                before = recall(state, "noise", 1)[0]
                x = x + (1 - after) * weight(sigma, after, schedule.pair(index - 1)[0]) * (before - noise)
            remember(state, "noise", noise, 1)
            yield finish(state, schedule, index, x, lambda p=prediction: p.x0)


def weight(sigma: float, after: float, before: float) -> float:
    """The integral over rho of the line in log rho that is 0 at ``sigma`` and 1 at ``before``."""
    here, there, past = (math.log(level / (1 - level)) for level in (sigma, after, before))
    return (math.exp(there) * (there - here - 1) + math.exp(here)) / (past - here)
