"""Classifier-free guidance and skip-layer guidance around a network. Samplers never see them.

B = batch, and every tensor of a conditioning has B (or 2 B, unconditional first) as its first dimension.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.protocol.recipe import SkipLayerGuidance
from engine.worker.sampling.base import Point

Conditioning = dict[str, Tensor]

Network = Callable[[Tensor, Point, Conditioning, tuple[int, ...]], Tensor]
"""``network(x, point, conditioning, skipped_layers)`` gives the network's output for ``x`` [B, ...]."""


def join(negative: Conditioning, positive: Conditioning) -> Conditioning:
    """Both for one pass, unconditional first, as diffusers' pipelines do: the bits depend on that order."""
    return {name: torch.cat([negative[name], positive[name]]) for name in positive}


def zeroed(conditioning: Conditioning) -> Conditioning:
    return {name: torch.zeros_like(value) for name, value in conditioning.items()}


def repeat(conditioning: Conditioning, batch: int) -> Conditioning:
    """One prompt's conditioning [1, ...] for ``batch`` results."""
    return {name: value.repeat(batch, *[1] * (value.ndim - 1)) for name, value in conditioning.items()}


@dataclass(frozen=True)
class Unguided:
    """Guidance 1: the conditioned pass alone."""

    network: Network
    positive: Conditioning

    def __call__(self, x: Tensor, point: Point) -> Tensor:
        return self.network(x, point, self.positive, ())


@dataclass(frozen=True)
class Guided:
    """``u + scale (c - u)`` (Ho and Salimans 2022), with one pass over a double batch.

    ``negative`` outside of ``is_negative_on`` is replaced by zeros. With ``skip``, inside its part of the steps,
    ``scale (c - c without those layers)`` is added, as in diffusers' ``StableDiffusion3Pipeline``.
    """

    network: Network
    positive: Conditioning
    with_negative: Conditioning
    with_zeros: Conditioning
    is_negative_on: Callable[[Point], bool]
    scale: Callable[[Point], float]
    skip: SkipLayerGuidance | None = None

    @classmethod
    def make(
        cls,
        network: Network,
        positive: Conditioning,
        negative: Conditioning,
        scale: Callable[[Point], float],
        is_negative_on: Callable[[Point], bool] | None = None,
        skip: SkipLayerGuidance | None = None,
    ) -> Guided:
        """``is_negative_on`` None means that the negative prompt holds for the whole schedule."""
        with_negative = join(negative, positive)
        with_zeros = join(zeroed(negative), positive) if is_negative_on else with_negative
        return cls(network, positive, with_negative, with_zeros, is_negative_on or (lambda point: True), scale, skip)

    def __call__(self, x: Tensor, point: Point) -> Tensor:
        both = self.with_negative if self.is_negative_on(point) else self.with_zeros
        unconditioned, conditioned = self.network(torch.cat([x] * 2), point, both, ()).chunk(2)
        output = unconditioned + self.scale(point) * (conditioned - unconditioned)
        if self.skip is not None and self.skip.start * point.steps < point.index < self.skip.end * point.steps:
            without = self.network(x, point, self.positive, self.skip.layers)
            output = output + (conditioned - without) * self.skip.scale
        return output
