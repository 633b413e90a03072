"""Classifier-free guidance and skip-layer guidance around a network. Samplers never see them.

B = batch, and every tensor of a conditioning has B (or 2 B, unconditional first) as its first dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.protocol.conditioning import WHOLE
from engine.protocol.recipe import Range, SkipLayerGuidance
from engine.worker.sampling.base import Point, Prediction

Conditioning = dict[str, Tensor]
PICTURE = "picture"
"""Where a conditioning holds an encoded picture that the network is told besides the texts."""

Network = Callable[[Tensor, Point, Conditioning, tuple[int, ...]], Tensor]
"""``network(x, point, conditioning, skipped_layers)`` gives the network's output for ``x`` [B, ...]."""


@dataclass(frozen=True)
class Told:
    """One entry of a side: what the network is told in a part of the schedule, and how much it counts."""

    conditioning: Conditioning
    range: Range = WHOLE
    strength: float = 1.0


Side = tuple[Told, ...]


def join(negative: Conditioning, positive: Conditioning) -> Conditioning:
    """Both for one pass, unconditional first, as diffusers' pipelines do: the bits depend on that order."""
    return {name: torch.cat([negative[name], positive[name]]) for name in positive}


def repeat(conditioning: Conditioning, batch: int) -> Conditioning:
    """One prompt's conditioning [1, ...] for ``batch`` results."""
    return {name: value.repeat(batch, *[1] * (value.ndim - 1)) for name, value in conditioning.items()}


def everywhere(range_: Range, point: Point) -> bool:
    return True


@dataclass(frozen=True)
class Guided:
    """``u + scale (c - u)`` (Ho and Salimans 2022), in one pass over a double batch where ``batched`` and both sides
    allow it: two passes need less memory, and their sums differ in the last bits.

    u and c are the means of what the network says to those entries of ``negative`` and ``positive`` that ``holds`` at a
    point. Without ``negative``, or where ``scale`` is None, c alone is computed. Inside the window of ``skip``,
    ``scale (c - c without those layers)`` is added: in steps, as diffusers' ``StableDiffusion3Pipeline`` does where
    there is guidance, or in noise levels, as ComfyUI's SkipLayerGuidanceSD3 always does.
    """

    network: Network
    positive: Side
    negative: Side | None
    scale: Callable[[Point], float | None]
    holds: Callable[[Range, Point], bool] = everywhere
    skip: SkipLayerGuidance | None = None
    batched: bool = True
    _joined: dict[tuple[int, int], Conditioning] = field(default_factory=dict)

    def __call__(self, x: Tensor, point: Point) -> Tensor:
        positive = self._holding(self.positive, point)
        scale = None if self.negative is None else self.scale(point)
        if self.negative is None or scale is None:
            output = conditioned = self._mean(x, point, positive)
        else:
            unconditioned, conditioned = self._both(x, point, self._holding(self.negative, point), positive)
            output = unconditioned + scale * (conditioned - unconditioned)
        if self.skip is not None and self._skips(self.skip, point, scale is not None):
            without = self._mean(x, point, positive, self.skip.layers)
            output = output + (conditioned - without) * self.skip.scale
        return output

    def regime(self, point: Point) -> tuple[float, ...]:
        """What holds at ``point``: 0 or 1 for each entry and for skipped layers, and the scale last (0 without one)."""
        negative = self.negative or ()
        scale = None if self.negative is None else self.scale(point)
        skips = self.skip is not None and self._skips(self.skip, point, scale is not None)
        held = (self.holds(told.range, point) for told in (*self.positive, *negative))
        return (*map(float, held), float(skips), scale or 0.0)

    def _holding(self, side: Side, point: Point) -> list[Told]:
        return [told for told in side if self.holds(told.range, point)]

    def _skips(self, skip: SkipLayerGuidance, point: Point, is_guided: bool) -> bool:
        if skip.window == "sigma":
            return self.holds(Range(skip.start, skip.end), point)
        return is_guided and skip.start * point.steps < point.index < skip.end * point.steps

    def _both(self, x: Tensor, point: Point, negative: list[Told], positive: list[Told]) -> Sequence[Tensor]:
        if self.batched and len(negative) == len(positive) == 1:
            one, other = negative[0].conditioning, positive[0].conditioning
            if all(one[name].shape == other[name].shape for name in other):
                key = (id(one), id(other))
                if key not in self._joined:
                    self._joined[key] = join(one, other)
                return self.network(torch.cat([x] * 2), point, self._joined[key], ()).chunk(2)
        return self._mean(x, point, negative), self._mean(x, point, positive)

    def _mean(self, x: Tensor, point: Point, side: list[Told], skipped: tuple[int, ...] = ()) -> Tensor:
        if len(side) == 1:
            return self.network(x, point, side[0].conditioning, skipped)
        whole = sum(told.strength for told in side)
        outputs = [self.network(x, point, told.conditioning, skipped) * (told.strength / whole) for told in side]
        return torch.stack(outputs).sum(0)


@dataclass(frozen=True)
class Denoiser:
    """``guided`` as samplers call it. ``to_x0(output, x, point)`` falls with ``output`` by ``point.sigma``."""

    guided: Guided
    to_x0: Callable[[Tensor, Tensor, Point], Tensor]

    def __call__(self, x: Tensor, point: Point) -> Prediction:
        return Prediction(self.guided(x, point), lambda output: self.to_x0(output, x, point))

    def regime(self, point: Point) -> tuple[float, ...]:
        return self.guided.regime(point)

    def as_if(self, x0: Tensor, x: Tensor, point: Point) -> Prediction:
        """What it would have said had ``x0`` been its result."""
        nothing = self.to_x0(torch.zeros_like(x, dtype=x0.dtype), x, point)
        return Prediction(((nothing - x0) / point.sigma).to(x.dtype), lambda _output: x0)
