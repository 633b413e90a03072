"""Conditionings through the whole engine, on tiny models."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from engine.protocol.conditioning import Conditioning, Entry, GuidancePoint, Mix, Range, Words
from engine.protocol.recipe import SkipLayerGuidance

from .conftest import Driver, sd35

SHORT = dict(prompt="a red dog", negative_prompt="bad", steps=3)


def latents(driver: Driver, tiny, variant: str = "sd35-large", **changes: Any) -> torch.Tensor:
    return driver.make(tiny(variant), sd35(**(SHORT | changes))).latents


def entries(positive: tuple[Entry, ...] = (), negative: tuple[Entry, ...] = ()) -> Conditioning:
    return Conditioning(positive, negative)


def test_saying_the_same_in_entries_gives_the_same_bits(tiny, driver: Driver) -> None:
    plain = latents(driver, tiny)
    assert torch.equal(plain, latents(driver, tiny, conditioning=entries((Entry(),), (Entry(),))))
    same = Entry(clip_l="a red dog", clip_g="a red dog", mix=(Mix(Words("a dog"), 1.0),))
    assert torch.allclose(plain, latents(driver, tiny, conditioning=entries((same,))), atol=1e-6)


def test_the_published_negative_in_entries_is_its_range(tiny, driver: Driver) -> None:
    """Zeros from 10 % on, the negative prompt before: the SD3.5 Large graph."""
    ranged = latents(driver, tiny, steps=6, negative_range=Range(0.0, 0.3))
    zeros = Entry(zero=True, range=Range(0.3, 1.0))
    graph = entries(negative=(Entry(range=Range(0.0, 0.3)), zeros))
    assert torch.equal(ranged, latents(driver, tiny, steps=6, conditioning=graph))
    assert not torch.allclose(ranged, latents(driver, tiny, steps=6), atol=1e-4)
    # the order of the entries says nothing
    turned = entries(negative=(zeros, Entry("bad", range=Range(0.0, 0.3))))
    assert torch.equal(ranged, latents(driver, tiny, steps=6, conditioning=turned))


def test_each_encoder_can_have_its_own_text(tiny, driver: Driver) -> None:
    plain = latents(driver, tiny)
    for own in ({"clip_l": "sky"}, {"clip_g": "sky"}):
        assert not torch.allclose(plain, latents(driver, tiny, conditioning=entries((Entry(**own),))), atol=1e-5)


def test_two_prompts_at_once_are_the_mean_of_both(tiny, driver: Driver) -> None:
    """One step from the same noise: the mean of the results is the result of the mean."""
    first, second = (latents(driver, tiny, steps=1, prompt=prompt) for prompt in ("a red dog", "blue sky"))
    both = latents(driver, tiny, steps=1, conditioning=entries((Entry(), Entry("blue sky"))))
    assert torch.allclose(both, (first + second) / 2, atol=1e-4)
    heavier = latents(driver, tiny, steps=1, conditioning=entries((Entry(), Entry("blue sky", strength=3.0))))
    assert torch.allclose(heavier, first / 4 + second * 3 / 4, atol=1e-4)


@pytest.mark.parametrize("batch", [1, 2])
def test_texts_of_unequal_length_go_together(tiny, driver: Driver, batch: int) -> None:
    found = latents(driver, tiny, text_encoding="comfyui", prompt="a red dog " * 30, batch=batch)
    assert found.shape[0] == batch and torch.isfinite(found).all()


def test_both_readings_agree_where_they_mean_the_same(tiny, driver: Driver) -> None:
    """A short prompt without weights, T5 padded to the same length."""
    assert torch.equal(latents(driver, tiny), latents(driver, tiny, text_encoding="comfyui"))


def test_weights_count_in_comfyuis_reading_alone(tiny, driver: Driver) -> None:
    plain = latents(driver, tiny, text_encoding="comfyui")
    weighted = latents(driver, tiny, text_encoding="comfyui", prompt="a (red:1.4) dog")
    assert not torch.allclose(plain, weighted, atol=1e-5)
    assert torch.allclose(plain, latents(driver, tiny, text_encoding="comfyui", prompt="a (red:1.0) dog"), atol=1e-5)


def test_t5s_padding_can_be_masked(tiny, driver: Driver) -> None:
    assert not torch.allclose(latents(driver, tiny), latents(driver, tiny, t5_mask=True), atol=1e-6)
    masked = [latents(driver, tiny, t5_mask=True, text_encoding=reading) for reading in ("diffusers", "comfyui")]
    assert torch.equal(*masked)


def test_a_t5_that_is_left_out_leaves_no_tokens_in_comfyuis_reading(tiny, driver: Driver) -> None:
    with_zeros, without = (
        latents(driver, tiny, use_t5=False, text_encoding=reading) for reading in ("diffusers", "comfyui")
    )
    assert torch.isfinite(without).all()
    assert not torch.allclose(with_zeros, without, atol=1e-6)


def test_guidance_can_change_over_the_steps(tiny, driver: Driver) -> None:
    constant = latents(driver, tiny, guidance=4.5, guidance_schedule=(GuidancePoint(0.5, 4.5),))
    assert torch.equal(constant, latents(driver, tiny, guidance=4.5))
    falling = latents(driver, tiny, guidance=4.5, guidance_schedule=(GuidancePoint(0.9, 1.0),))
    assert not torch.allclose(falling, constant, atol=1e-4)


def test_guidance_of_one_from_some_step_on_needs_no_negative(tiny, driver: Driver) -> None:
    """The last two of three steps alone are unguided, as those of a run that is unguided from there."""
    points = (GuidancePoint(1 / 3, 4.5), GuidancePoint(1 / 3, 1.0))
    one = latents(driver, tiny, guidance_schedule=points)
    other = latents(driver, tiny, guidance_schedule=points, negative_range=Range(0.0, 0.05))
    assert torch.equal(one, other)


def test_a_window_in_sigma_skips_other_steps_than_one_in_steps(tiny, driver: Driver) -> None:
    def skipped(window: str) -> torch.Tensor:
        skip = SkipLayerGuidance(layers=(1,), start=0.0, end=0.5, window=window)
        return latents(driver, tiny, "sd35-medium", steps=6, skip_layer_guidance=skip)

    assert not torch.allclose(skipped("sigma"), skipped("steps"), atol=1e-5)
