"""Fresh noise for samplers that put noise in on the way. Always from the CPU: a seed means the same on every device."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from engine.worker.sampling.base import SamplerState

DIGITS = 6
POOL = 24


def begin_own_noise(state: SamplerState, seed: int) -> None:
    """Noise on the way has a generator of its own, seeded with ``seed + 1`` before the first step, as in ComfyUI."""
    if state.step == 0:
        state.generator.manual_seed(seed + 1)


def draw(state: SamplerState) -> Tensor:
    """The generator's next standard normal noise for the whole batch, float32 on the latents' device."""
    return torch.randn(state.latents.shape, generator=state.generator).to(state.latents.device)


class BrownianTree:
    """A Brownian motion over sigma, fixed by its seed: any two points may be asked for, in any order.

    Its value at a point comes from halving the whole interval again and again, with a Brownian bridge at each middle,
    whose noise is seeded by the place in the tree (numpy's ``SeedSequence``). So there is no state to save, and finer
    schedules refine the same path. Seeds, halving and rounding to 6 digits are those of torchsde's ``BrownianTree``
    (Li et al. 2020, "Scalable Gradients for Stochastic Differential Equations"), which k-diffusion and ComfyUI use: the
    noise is theirs up to rounding.
    """

    def __init__(self, shape: torch.Size, seed: int, low: float, high: float) -> None:
        self._shape = shape
        self._seed = seed
        self._low = round(low, DIGITS)
        self._high = round(high, DIGITS)
        first = np.random.SeedSequence(seed, pool_size=POOL).generate_state(3)[0]
        self._whole = self._randn(first) * math.sqrt(high - low)
        self._recent: dict[float, Tensor] = {}

    def __call__(self, sigma: float | Tensor, after: float | Tensor) -> Tensor:
        """The increment from ``sigma`` to ``after``, scaled to unit variance; float32 on the CPU."""
        sigma, after = float(sigma), float(after)
        return (self._at(after) - self._at(sigma)) / math.sqrt(abs(after - sigma))

    def _at(self, sigma: float) -> Tensor:
        place = min(max(round(sigma, DIGITS), self._low), self._high)
        if place not in self._recent:
            found = self._descend(place)
            while len(self._recent) > 2:  # a step asks for its two ends and one point between
                self._recent.pop(next(iter(self._recent)))
            self._recent[place] = found
        return self._recent[place]

    def _descend(self, place: float) -> Tensor:
        left, right, change = self._low, self._high, self._whole
        total = torch.zeros(self._shape)
        branch = depth = 0
        while left < place < right:
            middle = round(0.5 * (right + left), DIGITS)
            before, behind, scale = middle - left, right - middle, 1 / (right - left)
            seed = np.random.SeedSequence(self._seed, spawn_key=(branch, depth), pool_size=POOL).generate_state(4)[0]
            to_middle = before * change * scale + math.sqrt(before * behind * scale) * self._randn(seed)
            branch, depth = 2 * branch, depth + 1
            if place < middle:
                right, change = middle, to_middle
            else:
                left, change, total, branch = middle, change - to_middle, total + to_middle, branch + 1
        return total + change if place == right else total

    def _randn(self, seed: np.unsignedinteger) -> Tensor:
        return torch.randn(self._shape, generator=torch.Generator().manual_seed(int(seed)))
