"""Previews: the picture that the factors say, small, and within their share of the time."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
import torch
from PIL import Image

from engine.families.cogvideox.network.pipeline import CogVideoXPipeline
from engine.families.sd35.network.pipeline import StableDiffusion35Pipeline
from engine.protocol.family_info import LatentRGB
from engine.worker.previews import SHARE, PreviewBudget, render

RGB = LatentRGB(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), (0.0, 0.0, 1.0))


def pixels(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))


def test_colours_are_those_of_the_factors() -> None:
    latents = torch.zeros(1, 2, 16, 24)
    latents[0, 0, :, 12:] = 1.0  # red on the right; blue everywhere from the bias
    preview = render(latents, RGB)
    picture = pixels(preview.jpeg)
    assert picture.shape == (preview.height, preview.width, 3) == (128, 192, 3)
    assert np.abs(picture[:, :80].mean((0, 1)) - (0, 0, 255)).max() < 4
    assert np.abs(picture[:, 112:].mean((0, 1)) - (255, 0, 255)).max() < 4


def test_frames_of_a_clip_lie_side_by_side_and_do_not_bleed() -> None:
    latents = torch.zeros(3, 2, 8, 8)
    latents[1, 1] = 1.0  # the middle one is green
    preview = render(latents, LatentRGB(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))))
    picture = pixels(preview.jpeg)
    assert preview.frames == 3 and picture.shape[1] == 3 * preview.width
    left, middle, right = (picture[:, i * preview.width : (i + 1) * preview.width] for i in range(3))
    assert left[..., 1].mean() < 3 and right[..., 1].mean() < 3 and middle[..., 1].mean() > 250


@pytest.mark.parametrize(("shape", "side"), [((1, 2, 256, 256), 100), ((1, 2, 128, 128), 768), ((1, 2, 20, 9), 64)])
def test_no_side_is_larger_than_asked(shape: tuple[int, ...], side: int) -> None:
    preview = render(torch.rand(shape), RGB, side)
    assert max(preview.width, preview.height) <= side
    assert len(preview.jpeg) < 100_000


def test_wild_latents_are_still_a_picture() -> None:
    for value in (1e30, float("inf"), float("nan")):
        assert pixels(render(torch.full((1, 2, 8, 8), value), RGB).jpeg).shape == (64, 64, 3)


def test_factors_must_fit_the_channels() -> None:
    with pytest.raises(ValueError, match="channels"):
        render(torch.zeros(1, 4, 8, 8), RGB)


def test_the_families_own_factors() -> None:
    published = StableDiffusion35Pipeline().latent_rgb(16)
    assert len(published.factors) == 16
    assert published.factors[2] == pytest.approx((0.1994 / 2, 0.0927 / 2, 0.0458 / 2))
    assert published.bias == pytest.approx((0.6197, 0.60675, 0.59625))
    grey = pixels(render(torch.randn(1, 4, 8, 8), CogVideoXPipeline().latent_rgb(4)).jpeg)
    assert np.abs(grey.astype(int) - grey.mean(-1, keepdims=True)).max() <= 2


def test_a_clips_preview_shows_at_most_five_frames_from_first_to_last() -> None:
    latents = torch.arange(13.0).view(1, 13, 1, 1, 1).expand(2, 13, 16, 4, 4)
    chosen = CogVideoXPipeline().preview_latents(latents)
    assert chosen[:, 0, 0, 0].tolist() == [0, 3, 6, 9, 12]
    assert CogVideoXPipeline().preview_latents(latents[:, :1]).shape == (1, 16, 4, 4)


def test_the_budget_holds_their_share(monkeypatch) -> None:
    clock = {"wall": 0.0, "cpu": 0.0}
    monkeypatch.setattr(time, "monotonic", lambda: clock["wall"])
    monkeypatch.setattr(time, "thread_time", lambda: clock["cpu"])
    budget, shown = PreviewBudget(interval=0.1), []
    for step in range(400):
        clock["wall"] += 0.05
        clock["cpu"] += 0.05
        if budget.is_due():
            shown.append(step)
            with budget.paying():
                clock["wall"] += 0.008
                clock["cpu"] += 0.008
    assert budget.spent <= SHARE * clock["wall"]
    assert len(shown) > 30
    # And where they are cheap, at most ten a second.
    budget, before, shown = PreviewBudget(interval=0.1, expected_cost=0.0), clock["wall"], []
    while clock["wall"] < before + 2.0:
        clock["wall"] += 0.01
        if budget.is_due():
            shown.append(clock["wall"])
            with budget.paying():
                pass
    assert 18 <= len(shown) <= 20


def test_a_negative_interval_means_none() -> None:
    assert not PreviewBudget(interval=-1.0, expected_cost=0.0).is_due()


def test_what_is_published_for_cogvideox_is_stretched_to_colours() -> None:
    rgb = CogVideoXPipeline().latent_rgb(16)
    assert rgb.stretched
    latents = 0.5 * torch.randn(2, 16, 12, 16)
    picture = pixels(render(latents, rgb).jpeg)
    assert picture.max() > 245 and picture.min() < 10 and picture.std() > 20
    assert pixels(render(torch.zeros(1, 16, 8, 8), rgb).jpeg).shape == (64, 64, 3)  # nothing to stretch
    assert not CogVideoXPipeline().latent_rgb(4).stretched
