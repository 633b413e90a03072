"""UniPC, in two forms: a multistep predictor, and a corrector that costs no further call of the network.

Zhao et al. 2023, "UniPC: A Unified Predictor-Corrector Framework for Fast Sampling of Diffusion Models", Algorithms 5
to 8, on predictions of x0. The prediction made at a point first corrects the step that led there, then predicts the
next one. Orders rise at the start and fall at the end.

- ``UniPC``: order 3, B(h) = h, in log sigma, as ComfyUI's ``uni_pc`` also for rectified flow. It ends at sigma 0.001,
  and the signal that is missing there is divided out. ComfyUI computes log sigma by way of a variance-preserving
  diffusion in single precision, which near 0.001 is some per cent off and moves the result by 1e-4; so it is here.
  ComfyUI leaves the last sigma but one out of its schedule; ``flow_samplers.make_schedule`` does so too. One step
  alone, which ComfyUI returns as noise, is Euler's here.
- ``UniPCLogSNR``: order 2, B(h) = e^h - 1, in half the log SNR, as diffusers' ``UniPCMultistepScheduler`` with flow
  sigmas; its first sigma is kept below 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.worker.sampling.base import Model, SamplerState, Step
from engine.worker.sampling.flow import FlowSchedule, expm1, finish, log, recall, remember

LAST_SIGMA = 0.001


@dataclass(frozen=True)
class UniPC:
    schedule: FlowSchedule
    order = 3

    def __call__(self, model: Model, state: SamplerState) -> Iterator[Step]:
        schedule = self._own(self.schedule)
        steps = len(schedule)

        def order(target: int) -> int:
            return min(target, self.order, steps + 1 - target)

        for index in range(state.step, steps):
            prediction = model(state.latents, schedule.point(index))
            x0, x = prediction.x0.float(), state.latents.float()
            if index > 0:
                known = recall(state, "x0", order(index))
                x = self._move(schedule, state.history["corrected"], index - 1, known, corrector=x0)
            remember(state, "x0", x0, self.order)
            state.history["corrected"] = x
            x = self._move(schedule, x, index, recall(state, "x0", order(index + 1)))
            if index == steps - 1 and self.schedule.sigmas[-1] == 0:
                x = x / (1 - float(schedule.sigmas[-1]))
            yield finish(state, schedule, index, x, lambda p=prediction: p.x0)

    def _own(self, schedule: FlowSchedule) -> FlowSchedule:
        """The schedule as this form changes it."""
        if schedule.sigmas[-1] > 0:
            return schedule
        return replace(schedule, sigmas=torch.cat([schedule.sigmas[:-1], torch.tensor([LAST_SIGMA])]))

    def _place(self, sigma: float) -> tuple[float, float, float]:
        """Lambda, in which predictions are interpolated, and what x0 and the noise are scaled by."""
        log_alpha = 0.5 * torch.log(1 / (torch.tensor(sigma) ** 2 + 1))
        variance = 1 - torch.exp(2 * log_alpha)
        return float(log_alpha - 0.5 * torch.log(variance)), 1.0, float(variance.sqrt() / log_alpha.exp())

    def _scale(self, h: float) -> float:
        """B of −h: any function that is −h for small h."""
        return -h

    def _move(
        self, schedule: FlowSchedule, x: Tensor, index: int, known: list[Tensor], corrector: Tensor | None = None
    ) -> Tensor:
        """``x`` over step ``index``. ``known`` are the predictions at its start and before, the newest first;
        ``corrector`` is the one at its end."""
        newest, (sigma, after) = known[0], schedule.pair(index)
        (place, _, noise), (place_after, alpha, noise_after) = self._place(sigma), self._place(after)
        h = place_after - place
        moved = noise_after / noise * x - alpha * expm1(-h) * newest
        ratios = [(self._place(float(schedule.sigmas[index - age]))[0] - place) / h for age in range(1, len(known))]
        slopes = [(older - newest) / ratio for older, ratio in zip(known[1:], ratios, strict=True)]
        if corrector is not None:
            ratios, slopes = [*ratios, 1.0], [*slopes, corrector - newest]
        for weight, slope in zip(_weights(ratios, h, self._scale(h)), slopes, strict=True):
            moved = moved - alpha * self._scale(h) * weight * slope
        return moved


@dataclass(frozen=True)
class UniPCLogSNR(UniPC):
    order = 2

    def _own(self, schedule: FlowSchedule) -> FlowSchedule:
        return schedule.below_one()

    def _place(self, sigma: float) -> tuple[float, float, float]:
        return log(1 - sigma) - log(sigma), 1 - sigma, sigma

    def _scale(self, h: float) -> float:
        return expm1(-h)


def _weights(ratios: list[float], h: float, scale: float) -> list[float]:
    """The weights of the slopes, from the order conditions (the paper's equation 9); one slope alone weighs a half."""
    if len(ratios) < 2:
        return [0.5] * len(ratios)
    rows, right = [], []
    phi, factorial = math.expm1(-h) / -h - 1, 1
    for i in range(len(ratios)):
        rows.append([ratio**i for ratio in ratios])
        right.append(phi * factorial / scale)
        factorial *= i + 2
        phi = phi / -h - 1 / factorial
    double = torch.float64
    return torch.linalg.solve(torch.tensor(rows, dtype=double), torch.tensor(right, dtype=double)).tolist()
