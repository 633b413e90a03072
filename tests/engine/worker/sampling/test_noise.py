"""Noise on the way: torchsde's Brownian tree without torchsde."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from engine.worker.sampling.noise import BrownianTree

SHAPE = torch.Size((1, 4))

# torchsde 0.2.6: BrownianTree(0.002994, zeros(1, 4), 1.0, entropy=7), asked as k-diffusion's noise sampler asks it.
TORCHSDE = {
    (1.0, 0.9): (-0.8953579664, -1.0727909803, -1.2494138479, -0.6965560317),
    (0.9, 0.35): (2.1476686001, -0.9143016338, 1.2721945047, -2.7590670586),
    (0.35, 0.3499): (0.3691556454, -1.2942521572, -0.2930511236, 0.7452723384),
    (0.3499, 0.002994): (1.1979321241, -2.4299511909, -0.8369950056, -1.3383051157),
}


@pytest.mark.parametrize("pair", TORCHSDE)
def test_it_is_torchsdes_tree(pair: tuple[float, float]) -> None:
    tree = BrownianTree(SHAPE, 7, 0.002994, 1.0)
    assert torch.allclose(tree(*pair), torch.tensor([TORCHSDE[pair]]), atol=2e-5)


def test_the_order_of_questions_does_not_matter() -> None:
    one, other = BrownianTree(SHAPE, 1, 0.0, 1.0), BrownianTree(SHAPE, 1, 0.0, 1.0)
    places = [1.0, 0.83, 0.4, 0.123456, 0.12, 0.0]
    forwards = [one(a, b) for a, b in pairwise(places)]
    backwards = [other(a, b) for a, b in reversed(list(pairwise(places)))][::-1]
    assert all(torch.equal(a, b) for a, b in zip(forwards, backwards, strict=True))


def test_increments_add_up() -> None:
    tree = BrownianTree(SHAPE, 5, 0.0, 1.0)
    whole = tree(0.9, 0.1) * 0.8**0.5
    parts = tree(0.9, 0.37) * 0.53**0.5 + tree(0.37, 0.1) * 0.27**0.5
    assert torch.allclose(whole, parts, atol=1e-6)


def test_increments_are_standard_normal_and_independent() -> None:
    tree = BrownianTree(torch.Size((1, 20_000)), 9, 0.003, 1.0)
    first, second = tree(0.95, 0.5), tree(0.5, 0.4)
    for noise in (first, second, tree(0.4, 0.39999)):
        assert float(noise.mean()) == pytest.approx(0, abs=0.03)
        assert float(noise.std()) == pytest.approx(1, abs=0.03)
    assert float((first * second).mean()) == pytest.approx(0, abs=0.03)


def test_a_point_outside_is_its_end() -> None:
    tree = BrownianTree(SHAPE, 7, 0.1, 0.9)
    assert torch.equal(tree(1.0, 0.05) * 0.95**0.5, tree(0.9, 0.1) * 0.8**0.5)
