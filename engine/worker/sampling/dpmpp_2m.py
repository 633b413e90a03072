"""DPM-Solver++ (2M), in its two forms: second-order multistep with one call of the network a step.

Both are Algorithm 2 of Lu et al. 2022, "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic
Models": x0 as a straight line through its last two predictions, integrated exactly. They differ in what it is a line
in, so they follow other trajectories and end in other pictures:

- ``DPMpp2M``: the logarithm of sigma, as k-diffusion, ComfyUI and the SD3.5 reference do also for rectified flow;
- ``DPMpp2MLogSNR``: half the log SNR, ``ln((1 - sigma) / sigma)``, as in the paper, and as diffusers'
  ``DPMSolverMultistepScheduler`` with flow sigmas.

The first and the last step use one prediction alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from engine.worker.sampling.base import Model, SamplerState, Step
from engine.worker.sampling.flow import FlowSchedule, expm1, finish, log, recall, remember


@dataclass(frozen=True)
class DPMpp2M:
    schedule: FlowSchedule

    def __call__(self, model: Model, state: SamplerState) -> Iterator[Step]:
        for index in range(state.step, len(self.schedule)):
            sigma, after = self.schedule.pair(index)
            prediction = model(state.latents, self.schedule.point(index))
            x0 = line = prediction.x0.float()
            h = log(sigma) - log(after)
            if index > 0 and after > 0:
                h_before = log(self.schedule.pair(index - 1)[0]) - log(sigma)
                line = _towards(x0, recall(state, "x0", 1)[0], h / h_before)
            x = after / sigma * state.latents.float() - expm1(-h) * line
            remember(state, "x0", x0, 1)
            yield finish(state, self.schedule, index, x, lambda p=prediction: p.x0)


@dataclass(frozen=True)
class DPMpp2MLogSNR:
    schedule: FlowSchedule

    def __call__(self, model: Model, state: SamplerState) -> Iterator[Step]:
        for index in range(state.step, len(self.schedule)):
            sigma, after = self.schedule.pair(index)
            prediction = model(state.latents, self.schedule.point(index))
            x0 = line = prediction.x0.float()
            h = _half_log_snr(after) - _half_log_snr(sigma)
            if index > 0 and after > 0:
                h_before = _half_log_snr(sigma) - _half_log_snr(self.schedule.pair(index - 1)[0])
                line = _towards(x0, recall(state, "x0", 1)[0], h / h_before)
            x = after / sigma * state.latents.float() - (1 - after) * expm1(-h) * line
            remember(state, "x0", x0, 1)
            yield finish(state, self.schedule, index, x, lambda p=prediction: p.x0)


def _towards(x0: Tensor, x0_before: Tensor, ratio: float) -> Tensor:
    """The line through both predictions at the middle of the step; ``ratio`` is this step to the one before."""
    return x0 + ratio / 2 * (x0 - x0_before)


def _half_log_snr(sigma: float) -> float:
    return log(1 - sigma) - log(sigma)
