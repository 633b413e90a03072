"""The engine's SD3.5 against diffusers' ``StableDiffusion3Pipeline``: the same bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.protocol.recipe import Recipe, SkipLayerGuidance
from engine.worker.runner import Runner

from .conftest import Driver, align_all, sd35

CASES = {
    "guided": ("sd35-large", {"guidance": 4.5}),
    "negative prompt": ("sd35-large", {"guidance": 4.5, "negative_prompt": "bad blurry"}),
    "turbo, unguided": ("sd35-large", {"guidance": 1.0}),
    "batch of two": ("sd35-large", {"batch": 2}),
    "batch of two, unguided": ("sd35-large", {"batch": 2, "guidance": 1.0}),
    "wide": ("sd35-large", {"width": 160, "height": 96}),
    "tall": ("sd35-large", {"width": 80, "height": 208, "steps": 2}),
    "without T5": ("sd35-no-t5", {}),
    "one step": ("sd35-large", {"steps": 1}),
    "other shift": ("sd35-large", {"shift": 1.5, "seed": 2**40}),
    "long prompt": ("sd35-large", {"prompt": "a red apple, " * 40}),
    "medium": ("sd35-medium", {"guidance": 5.0}),
    "medium, skipped layers": (
        "sd35-medium",
        {"steps": 8, "skip_layer_guidance": SkipLayerGuidance(scale=2.5, layers=(1, 2), start=0.01, end=0.5)},
    ),
    "medium, skipped layers, batch": (
        "sd35-medium",
        {"batch": 2, "steps": 5, "skip_layer_guidance": SkipLayerGuidance(layers=(0,), start=0.1, end=0.9)},
    ),
}


@torch.no_grad()
def reference(folder: Path, recipe: Recipe, dtype: torch.dtype, has_t5: bool = True) -> tuple[torch.Tensor, np.ndarray]:
    """Final latents, and pixels [B, H, W, 3] uint8."""
    from diffusers import StableDiffusion3Pipeline

    parts = {} if has_t5 else {"text_encoder_3": None, "tokenizer_3": None}
    pipeline = StableDiffusion3Pipeline.from_pretrained(folder, dtype=dtype, **parts)
    align_all(pipeline)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config, shift=recipe.shift)
    skip = recipe.skip_layer_guidance
    more = {}
    if skip is not None:
        more = {
            "skip_guidance_layers": list(skip.layers),
            "skip_layer_guidance_scale": skip.scale,
            "skip_layer_guidance_start": skip.start,
            "skip_layer_guidance_stop": skip.end,
        }

    kept = {}

    def keep(pipe, step, timestep, tensors):
        kept["latents"] = tensors["latents"]
        return {}

    images = pipeline(
        prompt=recipe.prompt,
        negative_prompt=recipe.negative_prompt,
        width=recipe.width,
        height=recipe.height,
        num_inference_steps=recipe.steps,
        guidance_scale=recipe.guidance,
        num_images_per_prompt=recipe.batch,
        generator=torch.Generator("cpu").manual_seed(recipe.seed),
        max_sequence_length=recipe.max_sequence_length,
        callback_on_step_end=keep,
        **more,
    ).images
    return kept["latents"], np.stack([np.asarray(image) for image in images])


@pytest.mark.parametrize("name", CASES)
def test_same_bits_as_the_pipeline(name: str, tiny, driver: Driver) -> None:
    variant, changes = CASES[name]
    recipe = sd35(**changes)
    latents, pixels = reference(tiny(variant), recipe, torch.float32, has_t5=variant != "sd35-no-t5")
    made = driver.make(tiny(variant), recipe)
    assert torch.equal(made.latents, latents)
    assert np.array_equal(made.frames[:, 0].numpy(), pixels)
    assert len(np.unique(pixels)) > 20  # not a picture of nothing


def test_t5_switched_off_is_the_same_as_a_model_without_it(tiny, driver: Driver) -> None:
    latents, pixels = reference(tiny("sd35-large"), sd35(), torch.float32, has_t5=False)
    made = driver.make(tiny("sd35-large"), sd35(use_t5=False))
    assert torch.equal(made.latents, latents)
    assert np.array_equal(made.frames[:, 0].numpy(), pixels)


@pytest.mark.parametrize(
    ("variant", "changes"),
    [
        ("sd35-large", {}),
        ("sd35-large", {"batch": 2, "guidance": 1.0}),
        ("sd35-medium", {"steps": 6, "skip_layer_guidance": SkipLayerGuidance(layers=(1,), end=0.6)}),
    ],
)
def test_same_bits_in_bf16_with_the_pipelines_own_latents(variant: str, changes: dict, tiny) -> None:
    recipe = sd35(latents="model", **changes)
    folder = tiny(variant, torch.bfloat16)
    latents, pixels = reference(folder, recipe, torch.bfloat16)
    made = Driver(Runner(device=torch.device("cpu"), precision=torch.bfloat16)).make(folder, recipe)
    assert made.latents.dtype == torch.bfloat16
    assert torch.equal(made.latents, latents)
    assert np.array_equal(made.frames[:, 0].numpy(), pixels)


def test_bf16_with_fp32_latents_stays_near_fp32(tiny) -> None:
    folder = tiny("sd35-large", torch.bfloat16)
    recipe = sd35(steps=12)

    def latents(precision: torch.dtype) -> torch.Tensor:
        return Driver(Runner(device=torch.device("cpu"), precision=precision)).make(folder, recipe).latents

    truth = latents(torch.float32)
    kept_wide = latents(torch.bfloat16)
    assert kept_wide.dtype == torch.float32
    assert (kept_wide - truth).abs().mean() < 0.05 * truth.abs().mean()
