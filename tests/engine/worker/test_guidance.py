"""Guidance as arithmetic, around a network that tells what it was asked."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from engine.families.registry import FAMILIES
from engine.protocol.conditioning import GuidancePoint, Range
from engine.protocol.recipe import Recipe, SkipLayerGuidance
from engine.worker.conditioning.entries import flow_range
from engine.worker.guidance import Guided, Told
from engine.worker.sampling.base import Point


class Network:
    """Answers with the number that it is told, per result; without layers with a tenth of it."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, x: torch.Tensor, point: Point, conditioning: dict, skipped: tuple[int, ...]) -> torch.Tensor:
        self.calls.append(len(x))
        return conditioning["value"].mean(1) * (0.1 if skipped else 1.0) * torch.ones_like(x)


def told(value: float, tokens: int = 2, **more: Any) -> Told:
    return Told({"value": torch.full((1, tokens, 1), value)}, **more)


def at(sigma: float, index: int = 0, steps: int = 10) -> Point:
    level = torch.tensor(sigma)
    return Point(index, steps, level * 1000, 1 - level, level)


X = torch.zeros(1, 3)


def ask(network: Network, *args: Any, point: Point | None = None, scale: float | None = 4.0, **more: Any) -> float:
    guided = Guided(network, *args, scale=lambda point: scale, holds=flow_range(3.0), **more)
    return float(guided(X, point or at(1.0))[0, 0])


def test_one_prompt_each_is_one_pass() -> None:
    network = Network()
    assert ask(network, (told(3.0),), (told(1.0),)) == pytest.approx(1 + 4 * 2)
    assert network.calls == [2]


def test_texts_of_unequal_length_are_two_passes() -> None:
    network = Network()
    assert ask(network, (told(3.0, 5),), (told(1.0),)) == pytest.approx(9.0)
    assert network.calls == [1, 1]


def test_several_prompts_are_their_weighted_mean() -> None:
    network = Network()
    positive = (told(3.0), told(6.0, strength=2.0))
    assert ask(network, positive, (told(1.0), told(2.0))) == pytest.approx(1.5 + 4 * (5.0 - 1.5))
    assert network.calls == [1, 1, 1, 1]


def test_entries_count_only_in_their_range() -> None:
    """σ(0.5) is 0.75 at shift 3; both ends belong to a range."""
    positive = (told(3.0, range=Range(0.0, 0.5)), told(6.0, range=Range(0.5, 1.0)))
    answers = [ask(Network(), positive, None, point=at(sigma)) for sigma in (1.0, 0.76, 0.75, 0.74, 0.0)]
    assert answers == pytest.approx([3.0, 3.0, 4.5, 6.0, 6.0])


def test_the_border_of_a_range_is_compared_in_single_precision() -> None:
    border = torch.tensor(3 * 0.9 / (1 + 2 * 0.9))  # rounds up
    assert float(border) > 3 * 0.9 / (1 + 2 * 0.9)
    assert flow_range(3.0)(Range(0.1, 1.0), at(float(border)))


def test_a_scale_of_none_leaves_the_unconditional_pass_out() -> None:
    network = Network()
    assert ask(network, (told(3.0),), (told(1.0),), scale=None) == pytest.approx(3.0)
    assert network.calls == [1]


@pytest.mark.parametrize(("sigma", "adds"), [(1.0, False), (0.98, True), (0.95, True), (0.9, False)])
def test_skipped_layers_in_a_window_of_sigma(sigma: float, adds: bool) -> None:
    """From 0.01 to 0.15 is σ 0.9967 to 0.9444 at shift 3; it needs no guidance."""
    skip = SkipLayerGuidance(scale=2.0, layers=(1,), start=0.01, end=0.15, window="sigma")
    more = 2.0 * (3.0 - 0.3) if adds else 0.0
    assert ask(Network(), (told(3.0),), (told(1.0),), point=at(sigma), skip=skip) == pytest.approx(9.0 + more)
    assert ask(Network(), (told(3.0),), None, point=at(sigma), skip=skip) == pytest.approx(3.0 + more)


@pytest.mark.parametrize(("index", "adds"), [(0, False), (1, True), (4, True), (5, False)])
def test_skipped_layers_in_a_window_of_steps(index: int, adds: bool) -> None:
    """As in diffusers: only where there is guidance, both ends excluded."""
    skip = SkipLayerGuidance(scale=2.0, layers=(1,), start=0.01, end=0.5)
    more = 2.0 * (3.0 - 0.3) if adds else 0.0
    assert ask(Network(), (told(3.0),), (told(1.0),), point=at(0.5, index), skip=skip) == pytest.approx(9.0 + more)
    assert ask(Network(), (told(3.0),), None, point=at(0.5, index), skip=skip) == pytest.approx(3.0)


def test_when_there_is_guidance_at_all() -> None:
    def recipe(**changes: Any) -> Recipe:
        return Recipe("sd35", "m", steps=4, **changes)

    is_guided = FAMILIES["sd35"].is_guided
    assert is_guided(recipe(guidance=4.5))
    assert not is_guided(recipe(guidance=1.0))
    assert not is_guided(recipe(guidance=0.0))
    assert is_guided(recipe(guidance=1.0, guidance_schedule=(GuidancePoint(0.5, 3.0),)))
    assert not is_guided(recipe(guidance=1.0, guidance_schedule=(GuidancePoint(1.0, 1.0),)))
