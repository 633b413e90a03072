"""DEIS: the velocity as a polynomial in the time of a variance-preserving diffusion, through its last three values.

Zhang and Chen 2022, "Fast Sampling of Diffusion Models with Exponential Integrator", tAB-DEIS of order 3, as
diff-sampler (zju-pi) and ComfyUI have it: sigma is taken for the noise level of an EDM whose time t has
``sigma² + 1 = exp(beta_d t² / 2 + beta_min t)``, with the constants of sigmas from 0.002 to 80. The integral of each
Lagrange polynomial is its mean over 10,000 places, ends included, and all of it is in single precision, as theirs is:
that is 1e-4 from the true integral, more near no noise, and part of the trajectory. Diffusers' DEIS interpolates in log
SNR and goes another way: ``deis_log_snr``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.worker.sampling.base import Model, SamplerState, Step
from engine.worker.sampling.flow import FlowSchedule, finish, recall, remember

ORDER = 3
PLACES = 10_000
_LOW, _HIGH = (torch.log(torch.tensor(sigma) ** 2 + 1) for sigma in (0.002, 80.0))
_FIRST = 1e-3
BETA_D = 2 * (_LOW / _FIRST - _HIGH) / (_FIRST - 1)
BETA_MIN = _HIGH - BETA_D / 2


@dataclass(frozen=True)
class DEIS:
    schedule: FlowSchedule

    def __call__(self, model: Model, state: SamplerState) -> Iterator[Step]:
        for index in range(state.step, len(self.schedule)):
            _, after = self.schedule.pair(index)
            prediction = model(state.latents, self.schedule.point(index))
            remember(state, "velocity", prediction.output.float(), ORDER)
            order = min(index + 1, ORDER) if after > 0 else 1
            known = [float(self.schedule.sigmas[index - age]) for age in range(order)]
            x = state.latents.float()
            for weight, velocity in zip(weights(known, after), recall(state, "velocity", order), strict=True):
                x = x + weight * velocity
            yield finish(state, self.schedule, index, x, lambda p=prediction: p.x0)


def weights(known: list[float], after: float) -> list[float]:
    """How much the velocity at each of the ``known`` sigmas, the newest first, counts in the step to ``after``."""
    if len(known) == 1:
        return [after - known[0]]
    times = [_time(sigma) for sigma in known]
    end = _time(after)
    places = torch.linspace(times[0], end, PLACES)
    alpha = torch.exp(-(BETA_D / 2 * places**2) - BETA_MIN * places)
    slope = (BETA_D * places + BETA_MIN) / 2 / torch.sqrt(alpha * (1 - alpha))  # of sigma over time
    found = []
    for i, time in enumerate(times):
        polynomial = torch.ones_like(places)
        for k, other in enumerate(times):
            if k != i:
                polynomial = polynomial * (places - other) / (time - other)
        found.append(float((slope * polynomial).sum() * ((end - times[0]) / PLACES)))
    return found


def _time(sigma: float) -> Tensor:
    return ((BETA_MIN**2 + 2 * BETA_D * torch.log(torch.tensor(sigma) ** 2 + 1)).sqrt() - BETA_MIN) / BETA_D
