"""Step caching: the network is not asked where its answer would hardly differ from the last one.

What is kept is the denoised result x0, after guidance: one tensor of the latents' size. How fast it changes is known
from the last two answers; while the change since the last one is expected to stay below the recipe's tolerance, x0 is
taken to be what it was, and the network's own quantity follows from it. Along a straight path this is exact: the
velocity of a rectified flow, or x0 and noise of a diffusion, do not change there.

The rule is EasyCache's (Zhou et al. 2025, "Less is Enough: Training-Free Video Diffusion Acceleration via
Runtime-Adaptive Caching"): how fast the output changes is taken from the run itself, with no figures fitted to a model.
It differs in two things: x0 is kept instead of output minus input, and a decision is for the whole step, both sides of
guidance included. Caches within the network (FirstBlockCache and its kin) keep the activations of a whole pass for each
side, would have to be saved with a checkpoint, and do not know of weights that are streamed block by block; this one
leaves the network alone.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from engine.worker.sampling.base import Point, Prediction

MOST_IN_A_ROW = 3
"""Calls that may go by without the network: rates of change grow old."""

SAME_SCALE = 0.1
"""How far the guidance scale may move, as a part of it, before the network is asked again."""

X0, RATE, SKIPPED, REGIME = "x0", "rate", "skipped", "regime"


class Asked(Protocol):
    """A ``Denoiser``, or several as one."""

    def __call__(self, x: Tensor, point: Point) -> Prediction: ...

    def regime(self, point: Point) -> tuple[float, ...]: ...

    def as_if(self, x0: Tensor, x: Tensor, point: Point) -> Prediction: ...


class StepCache:
    """``denoiser`` as samplers call it, asked only where its output is expected to have changed by more than
    ``tolerance``, as a part of its mean size.

    ``kept`` is all that later calls depend on, and is brought up to date by each; it goes into checkpoints, so a job
    that goes on from one makes the same pixels. Tensors in it are replaced, never written into.
    """

    def __init__(self, denoiser: Asked, tolerance: float, kept: dict[str, Tensor]) -> None:
        self._denoiser = denoiser
        self._tolerance = tolerance
        self._kept = kept
        kept.update({name: kept[name].cpu() for name in (RATE, SKIPPED, REGIME) if name in kept})
        self.calls = 0
        self.reused = 0

    def __call__(self, x: Tensor, point: Point) -> Prediction:
        self.calls += 1
        regime = torch.tensor(self._denoiser.regime(point), dtype=torch.float64)
        if self._may_reuse(point, regime):
            self.reused += 1
            self._kept[SKIPPED] = self._kept[SKIPPED] + 1
            return self._denoiser.as_if(self._kept[X0], x, point)
        prediction = self._denoiser(x, point)
        self._learn(prediction, point, regime)
        return prediction

    @property
    def share(self) -> float:
        """The part of the calls that were left out."""
        return self.reused / self.calls if self.calls else 0.0

    def _may_reuse(self, point: Point, regime: Tensor) -> bool:
        """The last step decides the details and is always computed, as is one at which guidance changes."""
        if RATE not in self._kept or point.index >= point.steps - 1 or not self._is_same(regime):
            return False
        skipped = int(self._kept[SKIPPED])
        return skipped < MOST_IN_A_ROW and float(self._kept[RATE]) * (skipped + 1) < self._tolerance

    def _is_same(self, regime: Tensor) -> bool:
        before = self._kept[REGIME]
        moved = float(abs(regime[-1] - before[-1]))
        return torch.equal(regime[:-1], before[:-1]) and moved <= SAME_SCALE * float(abs(before[-1]))

    def _learn(self, prediction: Prediction, point: Point, regime: Tensor) -> None:
        """A change of x0 moves the output by that over sigma. The result of the batch that changes most counts."""
        kept, x0, output = self._kept, prediction.x0.float(), prediction.output.float()
        if X0 in kept and self._is_same(regime):
            rest = tuple(range(1, x0.ndim))
            change = (x0 - kept[X0]).abs().mean(rest) / (output.abs().mean(rest) * point.sigma).clamp_min(1e-12)
            kept[RATE] = (change.max() / (int(kept[SKIPPED]) + 1)).double().cpu()
        else:
            kept.pop(RATE, None)
        kept[X0], kept[REGIME] = x0, regime
        kept[SKIPPED] = torch.zeros((), dtype=torch.int64)
