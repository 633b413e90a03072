"""Linear multistep: the velocity as a polynomial in sigma through its last four values, integrated exactly.

Adams and Bashforth's method on uneven steps, as k-diffusion's ``sample_lms`` (Crowson); the last step, to no noise,
takes the prediction itself, as in ComfyUI.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from engine.worker.sampling.base import Model, SamplerState, Step
from engine.worker.sampling.flow import FlowSchedule, finish, recall, remember

ORDER = 4


@dataclass(frozen=True)
class LMS:
    schedule: FlowSchedule

    def __call__(self, model: Model, state: SamplerState) -> Iterator[Step]:
        for index in range(state.step, len(self.schedule)):
            sigma, after = self.schedule.pair(index)
            prediction = model(state.latents, self.schedule.point(index))
            x = prediction.x0.float()
            remember(state, "velocity", prediction.output.float(), ORDER)
            if after > 0:
                order = min(index + 1, ORDER)
                known = [float(self.schedule.sigmas[index - age]) for age in range(order)]
                x = state.latents.float()
                for weight, velocity in zip(
                    weights(known, sigma, after), recall(state, "velocity", order), strict=True
                ):
                    x = x + weight * velocity
            yield finish(state, self.schedule, index, x, lambda p=prediction: p.x0)


def weights(known: list[float], start: float, end: float) -> list[float]:
    """The integral from ``start`` to ``end`` of each Lagrange polynomial on up to four ``known`` places.

    Gauss and Legendre's two points are exact for their third degree.
    """
    centre, reach = (start + end) / 2, (end - start) / 2 / math.sqrt(3)
    half = (end - start) / 2
    return [
        half * (_lagrange(known, i, centre - reach) + _lagrange(known, i, centre + reach)) for i in range(len(known))
    ]


def _lagrange(known: list[float], i: int, place: float) -> float:
    return math.prod((place - other) / (known[i] - other) for k, other in enumerate(known) if k != i)
