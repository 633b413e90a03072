"""SDE-DPM-Solver++ for rectified flow: the three samplers that k-diffusion has, in log SNR, with eta 1.

``DPMpp2MSDE`` is SDE-DPM-Solver++ (2M) of Lu et al. 2022, "DPM-Solver++", section 5, with the midpoint correction;
``DPMpp3MSDE`` adds one more past prediction (k-diffusion's ``sample_dpmpp_3m_sde``); ``DPMppSDE`` is the single-step
solver of second order with two calls of the network (k-diffusion's ``sample_dpmpp_sde``, r 1/2). As in ComfyUI they run
in half the log SNR of the flow, ``ln((1 - sigma) / sigma)``, from a first sigma just below 1, and take their noise from
a ``BrownianTree`` over the schedule, seeded with the recipe's seed. The last step takes the prediction itself.

Coefficients are float32 scalars in ComfyUI's order of operations: the tree is asked at the very sigmas that come out
of them, and over a long step from pure noise the way down is a difference of nearly equal numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.worker.sampling.base import Model, SamplerState, Step
from engine.worker.sampling.flow import FlowSchedule, finish, recall, remember
from engine.worker.sampling.noise import BrownianTree

_Place = tuple[Tensor, Tensor]
"""A sigma and its half log SNR, which is not computed from it again: near pure noise a rounding would show."""


@dataclass(frozen=True)
class DPMpp2MSDE:
    schedule: FlowSchedule
    seed: int
    eta: float = 1.0
    history = 1

    def __call__(self, model: Model, state: SamplerState) -> Iterator[Step]:
        tree, schedule = _tree(self.schedule, self.seed, state), self.schedule.below_one()
        for index in range(state.step, len(schedule)):
            prediction = model(state.latents, schedule.point(index))
            x = x0 = prediction.x0.float()
            sigma, after = schedule.sigmas[index], schedule.sigmas[index + 1]
            if after > 0:
                h = _half_log_snr(after) - _half_log_snr(sigma)
                alpha = after * _half_log_snr(after).exp()
                gain = alpha * (-(self.eta + 1) * h).expm1().neg()
                x = after / sigma * (-self.eta * h).exp() * state.latents.float() + gain * x0
                x = x + self._correction(state, schedule, index, x0, h, alpha, gain)
                x = x + _noise(tree, sigma, after, h, self.eta, x)
            remember(state, "x0", x0, self.history)
            yield finish(state, schedule, index, x, lambda p=prediction: p.x0)

    def _correction(
        self,
        state: SamplerState,
        schedule: FlowSchedule,
        index: int,
        x0: Tensor,
        h: Tensor,
        alpha: Tensor,
        gain: Tensor,
    ) -> Tensor | float:
        if index == 0:
            return 0.0
        ratio = _step(schedule, index - 1) / h
        return 0.5 * gain / ratio * (x0 - recall(state, "x0", 1)[0])


@dataclass(frozen=True)
class DPMpp3MSDE(DPMpp2MSDE):
    """The same with a parabola through three predictions, from the third step on."""

    history = 2

    def _correction(
        self,
        state: SamplerState,
        schedule: FlowSchedule,
        index: int,
        x0: Tensor,
        h: Tensor,
        alpha: Tensor,
        gain: Tensor,
    ) -> Tensor | float:
        if index == 0:
            return 0.0
        whole = (self.eta + 1) * h
        phi_2 = (-whole).expm1() / whole + 1
        before = _step(schedule, index - 1) / h
        if index == 1:
            return alpha * phi_2 / before * (x0 - recall(state, "x0", 1)[0])
        newer, older = recall(state, "x0", 2)
        long_before = _step(schedule, index - 2) / h
        slope, older_slope = (x0 - newer) / before, (newer - older) / long_before
        bend = (slope - older_slope) / (before + long_before)
        return alpha * phi_2 * (slope + before * bend) - alpha * (phi_2 / whole - 0.5) * bend


@dataclass(frozen=True)
class DPMppSDE:
    schedule: FlowSchedule
    seed: int
    eta: float = 1.0

    def __call__(self, model: Model, state: SamplerState) -> Iterator[Step]:
        tree, schedule = _tree(self.schedule, self.seed, state), self.schedule.below_one()
        for index in range(state.step, len(schedule)):
            prediction = model(state.latents, schedule.point(index))
            x = prediction.x0.float()
            sigma, after = schedule.sigmas[index], schedule.sigmas[index + 1]
            if after > 0:
                snr, snr_after = _half_log_snr(sigma), _half_log_snr(after)
                snr_middle = snr + 0.5 * (snr_after - snr)
                middle = snr_middle.neg().sigmoid()
                halfway = self._move(tree, state.latents.float(), x, (sigma, snr), (middle, snr_middle))
                second = model(halfway.to(state.latents.dtype), schedule.inside(index, middle)).x0.float()
                x = self._move(tree, state.latents.float(), second, (sigma, snr), (after, snr_after))
            yield finish(state, schedule, index, x, lambda p=prediction: p.x0)

    def _move(self, tree: BrownianTree | None, x: Tensor, x0: Tensor, start: _Place, end: _Place) -> Tensor:
        """First order from ``start`` to ``end``: an exact step to less noise, and noise up to ``end``."""
        (sigma, snr), (after, snr_after) = start, end
        alpha, alpha_after = sigma * snr.exp(), after * snr_after.exp()
        from_, to = snr.neg().exp(), snr_after.neg().exp()  # sigma / alpha
        up = torch.minimum(to, self.eta * (to**2 * (from_**2 - to**2) / from_**2).sqrt())
        down = (to**2 - up**2).sqrt()
        h = down.log().neg() - snr
        moved = alpha_after / alpha * (-h).exp() * x - alpha_after * (-h).expm1() * x0
        assert tree is not None
        return moved + alpha_after * up * tree(sigma, after).to(x.device)


def _half_log_snr(sigma: Tensor) -> Tensor:
    return sigma.logit().neg()


def _step(schedule: FlowSchedule, index: int) -> Tensor:
    """The length of a step in half the log SNR."""
    return _half_log_snr(schedule.sigmas[index + 1]) - _half_log_snr(schedule.sigmas[index])


def _tree(schedule: FlowSchedule, seed: int, state: SamplerState) -> BrownianTree | None:
    """The noise between the largest and the smallest sigma; None where there is one step alone, which takes none."""
    noisy = schedule.sigmas[schedule.sigmas > 0]
    if len(noisy) < 2:
        return None
    return BrownianTree(state.latents.shape, seed, float(noisy.min()), float(noisy.max()))


def _noise(tree: BrownianTree | None, sigma: Tensor, after: Tensor, h: Tensor, eta: float, x: Tensor) -> Tensor:
    assert tree is not None
    return after * (-2 * h * eta).expm1().neg().sqrt() * tree(sigma, after).to(x.device)
