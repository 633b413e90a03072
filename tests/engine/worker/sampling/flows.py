"""Rectified flows whose denoised latents are known in closed form."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from engine.worker.sampling.base import Model, Point, Prediction, SamplerState
from engine.worker.sampling.flow import FlowSchedule
from engine.worker.sampling.flow_samplers import SAMPLERS

MEAN, SPREAD = 0.7, 0.4


def gaussian(x: Tensor, point: Point) -> Prediction:
    """The exact velocity where the data are normal with MEAN and SPREAD."""
    signal, sigma = float(point.signal), float(point.sigma)
    variance = (signal * SPREAD) ** 2 + sigma**2
    x0 = MEAN + signal * SPREAD**2 / variance * (x.float() - signal * MEAN)
    velocity = (x.float() - x0) / sigma
    return Prediction(velocity, lambda velocity: x.float() - sigma * velocity)


def follow(x: Tensor, start: float, end: float) -> Tensor:
    """Where the probability flow of ``gaussian`` takes ``x`` from noise level ``start`` to ``end``."""

    def spread(sigma: float) -> float:
        return (((1 - sigma) * SPREAD) ** 2 + sigma**2) ** 0.5

    return (1 - end) * MEAN + spread(end) / spread(start) * (x - (1 - start) * MEAN)


def crooked(x: Tensor, point: Point) -> Prediction:
    """No flow of anything, but smooth, and it mixes neighbours."""
    velocity = torch.tanh(1.3 * x.float()) * (0.2 + float(point.sigma)) + 0.1 * x.float().roll(1, -1)
    return Prediction(velocity, lambda velocity: x.float() - point.sigma * velocity)


def begin(shape: tuple[int, ...] = (1, 16, 4, 4), seed: int = 3) -> SamplerState:
    generator = torch.Generator("cpu").manual_seed(seed)
    return SamplerState(0, torch.randn(shape, generator=generator), generator)


def run(name: str, schedule: FlowSchedule, model: Model, state: SamplerState, seed: int = 3) -> Tensor:
    for _ in SAMPLERS[name](schedule, seed)(model, state):
        pass
    return state.latents


def between(start: float, end: float, steps: int) -> FlowSchedule:
    """Even steps from one noise level to another."""
    return FlowSchedule.of(torch.linspace(start, end, steps + 1))


Settings = dict[str, Any]
