"""The engine's CogVideoX against diffusers' ``CogVideoXPipeline``: the same bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.protocol.errors import BadRecipe
from engine.protocol.inputs import Input
from engine.protocol.recipe import Recipe
from engine.worker.runner import Runner

from .conftest import Driver, align_all, cogvideox

DPM = {"sampler": "dpm", "dynamic_guidance": True}
CASES = {
    "2b, guided": ("cogvideox-2b", {}),
    "2b, unguided": ("cogvideox-2b", {"guidance": 1.0}),
    "2b, negative prompt": ("cogvideox-2b", {"negative_prompt": "bad blurry", "steps": 3}),
    "2b, dpm": ("cogvideox-2b", {"sampler": "dpm"}),
    "2b, 17 frames": ("cogvideox-2b", {"frames": 17, "steps": 2}),
    "2b, one frame": ("cogvideox-2b", {"frames": 1}),
    "2b, other size": ("cogvideox-2b", {"width": 64, "height": 112}),
    "2b, batch of two": ("cogvideox-2b", {"batch": 2, "steps": 2}),
    "5b, dynamic guidance": ("cogvideox-5b", DPM),
    "5b, many steps": ("cogvideox-5b", DPM | {"steps": 11}),
    "5b, ddim": ("cogvideox-5b", {"dynamic_guidance": True}),
    "5b, unguided": ("cogvideox-5b", {"sampler": "dpm", "guidance": 1.0}),
    "5b, other size and 17 frames": ("cogvideox-5b", DPM | {"width": 112, "height": 80, "frames": 17, "steps": 3}),
    "5b, batch of two": ("cogvideox-5b", DPM | {"batch": 2, "steps": 3}),
    "1.5": ("cogvideox-1.5", DPM | {"frames": 9, "steps": 3}),
}
MOVING = {
    "5b": ("cogvideox-5b-i2v", DPM),
    "5b, ddim": ("cogvideox-5b-i2v", {}),
    "5b, unguided": ("cogvideox-5b-i2v", {"guidance": 1.0}),
    "5b, batch of two": ("cogvideox-5b-i2v", DPM | {"batch": 2, "steps": 2}),
    "1.5": ("cogvideox-1.5-i2v", DPM | {"steps": 3}),
    "1.5, another size and length": ("cogvideox-1.5-i2v", DPM | {"steps": 2, "width": 64, "frames": 17}),
}


@torch.no_grad()
def reference(folder: Path, recipe: Recipe, dtype: torch.dtype) -> tuple[torch.Tensor, np.ndarray]:
    """Final latents, and pixels [B, T, H, W, 3] uint8."""
    from diffusers import (
        CogVideoXDDIMScheduler,
        CogVideoXDPMScheduler,
        CogVideoXImageToVideoPipeline,
        CogVideoXPipeline,
    )

    pipeline = (CogVideoXImageToVideoPipeline if recipe.inputs else CogVideoXPipeline).from_pretrained(
        folder, dtype=dtype
    )
    align_all(pipeline)
    pipeline.set_progress_bar_config(disable=True)
    scheduler = CogVideoXDPMScheduler if recipe.sampler == "dpm" else CogVideoXDDIMScheduler
    pipeline.scheduler = scheduler.from_config(pipeline.scheduler.config, timestep_spacing="trailing")
    prompt, negative = pipeline.encode_prompt(
        recipe.prompt, recipe.negative_prompt, recipe.guidance > 1, max_sequence_length=recipe.max_sequence_length
    )
    kept = {}

    def keep(pipe, step, timestep, tensors):
        kept["latents"] = tensors["latents"]
        return {}

    start = {"image": [Image.open(recipe.inputs[0].path)] * recipe.batch} if recipe.inputs else {}
    clips = pipeline(
        **start,
        prompt_embeds=prompt.repeat(recipe.batch, 1, 1),
        negative_prompt_embeds=None if negative is None else negative.repeat(recipe.batch, 1, 1),
        width=recipe.width,
        height=recipe.height,
        num_frames=recipe.frames,
        num_inference_steps=recipe.steps,
        guidance_scale=recipe.guidance,
        use_dynamic_cfg=recipe.dynamic_guidance,
        generator=torch.Generator("cpu").manual_seed(recipe.seed),
        max_sequence_length=recipe.max_sequence_length,
        callback_on_step_end=keep,
    ).frames
    return kept["latents"], np.stack([np.stack([np.asarray(frame) for frame in clip]) for clip in clips])


@pytest.mark.parametrize("name", CASES)
def test_same_bits_as_the_pipeline(name: str, tiny, driver: Driver) -> None:
    variant, changes = CASES[name]
    recipe = cogvideox(**changes)
    latents, pixels = reference(tiny(variant), recipe, torch.float32)
    made = driver.make(tiny(variant), recipe)
    assert torch.equal(made.latents, latents)
    assert np.array_equal(made.frames.numpy(), pixels)
    assert made.frames.shape == (recipe.batch, recipe.frames, recipe.height, recipe.width, 3)
    assert len(np.unique(pixels)) > 20


@pytest.mark.parametrize("name", MOVING)
def test_clips_that_begin_with_a_picture(
    name: str, tiny, driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the pipeline takes the mean of the VAE's posterior, as Laterna does, instead of drawing from it."""
    from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

    monkeypatch.setattr(DiagonalGaussianDistribution, "sample", lambda self, generator=None: self.mode())
    variant, changes = MOVING[name]
    recipe = cogvideox(**changes)
    picture = tmp_path / "start.png"
    pixels = np.random.default_rng(3).integers(0, 256, (recipe.height, recipe.width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(picture)
    recipe = recipe.replace(inputs=(Input("first_frame", str(picture)),))
    latents, expected = reference(tiny(variant), recipe, torch.float32)
    made = driver.make(tiny(variant), recipe)
    assert torch.equal(made.latents, latents)
    assert np.array_equal(made.frames.numpy(), expected)
    Image.fromarray(255 - pixels).save(picture)
    assert not torch.equal(driver.make(tiny(variant), recipe).latents, latents)


def test_what_the_models_cannot_do_is_a_sentence(tiny, driver: Driver, tmp_path: Path) -> None:
    picture = tmp_path / "start.png"
    Image.new("RGB", (96, 64)).save(picture)
    given = (Input("first_frame", str(picture)),)
    for variant, changes, field in (
        ("cogvideox-5b-i2v", {}, "inputs"),
        ("cogvideox-5b-i2v", {"inputs": given, "frames": 17}, "frames"),
        ("cogvideox-5b-i2v", {"inputs": given, "width": 64}, "width"),
        ("cogvideox-5b", {"inputs": given}, "inputs"),
    ):
        with pytest.raises(BadRecipe) as refused:
            driver.make(tiny(variant), cogvideox(**changes))
        assert refused.value.field == field


def test_the_prompt_alone_gives_the_same_as_the_pipeline_from_text(tiny, driver: Driver) -> None:
    from diffusers import CogVideoXPipeline

    recipe = cogvideox(negative_prompt="blurry")
    pipeline = CogVideoXPipeline.from_pretrained(tiny("cogvideox-2b"))
    align_all(pipeline)
    pipeline.set_progress_bar_config(disable=True)
    latents = pipeline(
        prompt=recipe.prompt,
        negative_prompt=recipe.negative_prompt,
        width=recipe.width,
        height=recipe.height,
        num_frames=recipe.frames,
        num_inference_steps=recipe.steps,
        guidance_scale=recipe.guidance,
        generator=torch.Generator("cpu").manual_seed(recipe.seed),
        max_sequence_length=recipe.max_sequence_length,
        output_type="latent",
    ).frames
    assert torch.equal(driver.make(tiny("cogvideox-2b"), recipe).latents, latents)


@pytest.mark.parametrize(("variant", "changes"), [("cogvideox-2b", {}), ("cogvideox-5b", DPM)])
def test_same_bits_in_bf16_with_the_pipelines_own_latents(variant: str, changes: dict, tiny) -> None:
    recipe = cogvideox(latents="model", **changes)
    folder = tiny(variant, torch.bfloat16)
    latents, pixels = reference(folder, recipe, torch.bfloat16)
    made = Driver(Runner(device=torch.device("cpu"), precision=torch.bfloat16)).make(folder, recipe)
    assert made.latents.dtype == torch.bfloat16
    assert torch.equal(made.latents, latents)
    assert np.array_equal(made.frames.numpy(), pixels)
