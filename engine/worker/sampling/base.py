"""What a sampler and a model know of each other.

A model is ``model(x, point) -> Prediction``: guidance, ranges and skip-layer guidance are inside it, and no sampler
knows of them. A sampler is a generator that yields its steps; all that it needs to go on from a step is in its
``SamplerState``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Point:
    """A place on the schedule: step ``index`` of ``steps``; ``x = signal * x0 + sigma * noise``.

    ``timestep`` is what the network is told, a 0-dimensional tensor on the CPU.
    """

    index: int
    steps: int
    timestep: Tensor
    signal: Tensor
    sigma: Tensor


@dataclass(frozen=True)
class Prediction:
    """What a model says about ``x``: ``output`` is the network's own quantity after guidance (velocity or v)."""

    output: Tensor
    to_x0: Callable[[Tensor], Tensor]

    @cached_property
    def x0(self) -> Tensor:
        """The denoised latents, same shape as ``x``."""
        return self.to_x0(self.output)


Model = Callable[[Tensor, Point], Prediction]


@dataclass
class SamplerState:
    """Everything that decides the steps after ``step``: the latents before it, the sampler's history, the noise, and
    in ``reuse`` what step caching knows of the steps so far."""

    step: int
    latents: Tensor
    generator: torch.Generator
    history: dict[str, Tensor] = field(default_factory=dict)
    reuse: dict[str, Tensor] = field(default_factory=dict)

    def copy(self) -> SamplerState:
        """The state as it is now. Samplers replace tensors and never write into them, so nothing but the generator's
        state is copied."""
        generator = torch.Generator("cpu")
        generator.set_state(self.generator.get_state())
        return SamplerState(self.step, self.latents, generator, dict(self.history), dict(self.reuse))

    def to_dict(self) -> dict[str, Any]:
        """Tensors and numbers only, on the CPU; ``from_dict`` of it goes on bit by bit the same."""
        return {
            "step": self.step,
            "latents": self.latents.detach().cpu().clone(),
            "generator": self.generator.get_state(),
            "history": {name: value.detach().cpu().clone() for name, value in self.history.items()},
            "reuse": {name: value.detach().cpu().clone() for name, value in self.reuse.items()},
        }

    @classmethod
    def from_dict(cls, saved: dict[str, Any], device: torch.device) -> SamplerState:
        generator = torch.Generator("cpu")
        generator.set_state(saved["generator"])
        return cls(
            step=saved["step"],
            latents=saved["latents"].to(device),
            generator=generator,
            history={name: value.to(device) for name, value in saved["history"].items()},
            reuse={name: value.to(device) for name, value in saved.get("reuse", {}).items()},
        )


@dataclass(frozen=True)
class Step:
    """Step ``index`` (from 0) of ``steps`` is done; ``x0`` gives the denoised latents (computed when asked for)."""

    index: int
    steps: int
    latents: Tensor
    x0: Callable[[], Tensor]


class Sampler(Protocol):
    def __call__(self, model: Model, state: SamplerState) -> Iterator[Step]:
        """Go on from ``state``, which is up to date whenever a step was yielded."""
        ...
