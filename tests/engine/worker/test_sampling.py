"""Samplers alone: what they need to go on is all in their state."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from engine.families.cogvideox.network.sampling import CogVideoXDDIM, CogVideoXDPM, make_scheduler
from engine.worker.sampling.base import Point, Prediction, SamplerState
from engine.worker.sampling.flow_euler import FlowEuler, FlowSchedule

STEPS = 8  # divides 1000: CogVideoX' schedulers end at x0 only then, here as in diffusers
COGVIDEOX: dict[str, Any] = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True, "clip_sample": False}


def samplers() -> dict[str, Any]:
    return {
        "euler": FlowEuler(FlowSchedule.normal({}, STEPS, 3.0)),
        "ddim": CogVideoXDDIM(make_scheduler(COGVIDEOX, "ddim", "trailing", STEPS)),
        "dpm": CogVideoXDPM(make_scheduler(COGVIDEOX, "dpm", "trailing", STEPS)),
    }


def model(x: torch.Tensor, point: Point) -> Prediction:
    output = torch.tanh(1.3 * x) * float(point.sigma) + 0.1 * x.roll(1, -1)
    return Prediction(output, lambda output: point.signal * x - point.sigma * output)


def start(seed: int = 3) -> SamplerState:
    generator = torch.Generator("cpu").manual_seed(seed)
    return SamplerState(0, torch.randn((1, 3, 16, 4, 4), generator=generator), generator)


@pytest.mark.parametrize("name", samplers())
@pytest.mark.parametrize("stop", range(STEPS))
def test_going_on_from_a_saved_state_is_bit_exact(name: str, stop: int) -> None:
    whole = start()
    for _ in samplers()[name](model, whole):
        pass
    first = start()
    steps = samplers()[name](model, first)
    for _ in range(stop):
        next(steps)
    saved = first.to_dict()
    list(steps)  # the rest of this run must not change what was saved
    second = SamplerState.from_dict(saved, torch.device("cpu"))
    done = [step.index for step in samplers()[name](model, second)]
    assert done == list(range(stop, STEPS))
    assert torch.equal(second.latents, whole.latents)


@pytest.mark.parametrize("name", samplers())
def test_a_perfect_model_is_followed_to_its_picture(name: str) -> None:
    """A model that always knows x0 ends there, whatever the sampler."""
    truth = torch.randn((1, 3, 16, 4, 4), generator=torch.Generator().manual_seed(9))

    def knows(x: torch.Tensor, point: Point) -> Prediction:
        sigma = point.sigma
        if name == "euler":
            return Prediction((x - truth) / sigma, lambda velocity: x - sigma * velocity)
        return Prediction((point.signal * x - truth) / sigma, lambda v: point.signal * x - sigma * v)

    state = start()
    for step in samplers()[name](knows, state):
        assert torch.allclose(step.x0(), truth, atol=1e-4)
    assert torch.allclose(state.latents, truth, atol=1e-4)


def test_prediction_of_x0_is_made_only_when_asked() -> None:
    asked = []
    prediction = Prediction(torch.ones(1), lambda output: asked.append(1) or output * 2)
    assert not asked
    assert prediction.x0 is prediction.x0
    assert asked == [1]
