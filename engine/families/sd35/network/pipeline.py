"""Stable Diffusion 3.5: Large, Large Turbo and Medium.

A rectified flow in the latents of a 16-channel VAE; three text encoders, of which the T5 may be left out. Follows
diffusers' ``StableDiffusion3Pipeline`` bit by bit (``tests/engine/worker/test_reference_sd35.py``).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from engine.families.sd35 import FAMILY
from engine.families.sd35.info import INFO
from engine.families.sd35.network.text import read_prompt
from engine.models.reading.component import Component, ModelFolder
from engine.protocol.conditioning import Words
from engine.protocol.errors import BadRecipe
from engine.protocol.family_info import FamilyInfo, LatentRGB
from engine.protocol.recipe import Recipe
from engine.worker.conditioning.entries import flow_range
from engine.worker.guidance import Conditioning, Denoiser, Guided, Side
from engine.worker.pipeline import LoadedModel, kept_latents, to_pixels
from engine.worker.sampling.base import Point, Sampler
from engine.worker.sampling.flow import FlowSchedule
from engine.worker.sampling.flow_samplers import SAMPLERS, make_schedule

# Published with ComfyUI (comfy/latent_formats.py, class SD3) for pictures in −1 … 1; halved and shifted for 0 … 1.
_COMFYUI_SD3_FACTORS = (
    (-0.0922, -0.0175, 0.0749),
    (0.0311, 0.0633, 0.0954),
    (0.1994, 0.0927, 0.0458),
    (0.0856, 0.0339, 0.0902),
    (0.0587, 0.0272, -0.0496),
    (-0.0006, 0.1104, 0.0309),
    (0.0978, 0.0306, 0.0427),
    (-0.0042, 0.1038, 0.1358),
    (-0.0194, 0.0020, 0.0669),
    (-0.0488, 0.0130, -0.0268),
    (0.0922, 0.0988, 0.0951),
    (-0.0278, 0.0524, -0.0542),
    (0.0332, 0.0456, 0.0895),
    (-0.0069, -0.0030, -0.0810),
    (-0.0596, -0.0465, -0.0293),
    (-0.1448, -0.1463, -0.1189),
)
_COMFYUI_SD3_BIAS = (0.2394, 0.2135, 0.1925)


class StableDiffusion35Pipeline:
    info: FamilyInfo = INFO
    components = FAMILY.components
    text_parts = ("tokenizer", "tokenizer_2", "tokenizer_3", "text_encoder", "text_encoder_2", "text_encoder_3")

    def device_dtype(self, part: Component) -> torch.dtype:
        return torch.bfloat16

    def check(self, folder: ModelFolder, recipe: Recipe) -> None:
        config = folder.parts["transformer"].config
        largest = int(config.get("pos_embed_max_size", 192)) * int(config.get("patch_size", 2)) * 8
        for field in ("width", "height"):
            if getattr(recipe, field) > largest:
                raise BadRecipe(
                    f"This model's pictures end at {largest} pixels in {field}.", f"Take {largest}.", field=field
                )
        skip = recipe.skip_layer_guidance
        layers = int(config.get("num_layers", 24))
        if skip is not None and not all(0 <= layer < layers for layer in skip.layers):
            raise BadRecipe(
                f"Skip-layer guidance names layers {', '.join(map(str, skip.layers))}; this model has {layers}.",
                f"Name layers from 0 to {layers - 1}.",
                field="skip_layer_guidance",
            )

    def encoding_settings(self, recipe: Recipe) -> tuple[Any, ...]:
        return (recipe.max_sequence_length, recipe.use_t5, recipe.text_encoding, recipe.t5_mask)

    def encode(self, model: LoadedModel, parts: dict[str, Any], recipe: Recipe, words: Words) -> Conditioning:
        """``embeds`` [1, 77 + max_sequence_length, 4096], the T5 part zero without it; ``pooled`` [1, 2048].

        In ComfyUI's reading there are as many tokens as the text needs.
        """
        width = model.folder.parts["transformer"].config["joint_attention_dim"]
        found = read_prompt(parts, recipe, words, width)
        return {name: value.to(model.compute_dtype("transformer")) for name, value in found.items()}

    def noise_shape(self, folder: ModelFolder, recipe: Recipe) -> tuple[int, ...]:
        channels = folder.parts["transformer"].config["in_channels"]
        scale = _vae_scale(folder)
        return (recipe.batch, channels, recipe.height // scale, recipe.width // scale)

    def sampler(self, folder: ModelFolder, recipe: Recipe) -> Sampler:
        return SAMPLERS[recipe.sampler](_schedule(folder, recipe), recipe.seed)

    def start(self, folder: ModelFolder, recipe: Recipe, noise: Tensor, picture: Tensor | None) -> Tensor:
        """``sigma noise + (1 - sigma) picture``; a schedule that starts below 1 takes an empty picture for zeros."""
        sigma = _schedule(folder, recipe).sigmas[0]
        if sigma == 1:
            return noise
        latents = sigma * noise.float()
        return (latents if picture is None else latents + (1 - sigma) * picture).to(noise.dtype)

    def denoiser(
        self, model: LoadedModel, network: Any, recipe: Recipe, positive: Side, negative: Side | None
    ) -> Denoiser:
        dtype, device = model.compute_dtype("transformer"), model.residency.device
        widen = kept_latents(recipe)

        def call(x: Tensor, point: Point, conditioning: Conditioning, skipped: tuple[int, ...]) -> Tensor:
            output = network(
                hidden_states=x.to(dtype),
                timestep=point.timestep.to(device).expand(x.shape[0]),
                encoder_hidden_states=conditioning["embeds"],
                pooled_projections=conditioning["pooled"],
                skip_layers=list(skipped) or None,
                return_dict=False,
            )[0]
            return widen(output)

        def scale(point: Point) -> float | None:
            value = recipe.guidance_at_step(point.index)
            return None if value == 1 else value

        holds, skip, batched = flow_range(recipe.shift), recipe.skip_layer_guidance, model.residency.batched
        guided = Guided(call, positive, negative, scale, holds, skip, batched)
        return Denoiser(guided, lambda velocity, x, point: x.float() - point.sigma * velocity)

    def denoiser_at(self, folder: ModelFolder, recipe: Recipe, point: Point) -> str:
        return "transformer"

    def encode_picture(self, model: LoadedModel, vae: Any, recipe: Recipe, pixels: Tensor) -> Tensor:
        """The mean of the VAE's posterior, the same in every run; ComfyUI and diffusers draw from it."""
        scaled = pixels.permute(2, 0, 1)[None] / 127.5 - 1
        latents = vae.encode(scaled.to(vae.device, model.compute_dtype("vae"))).latent_dist.mode().float()
        latents = (latents - vae.config.shift_factor) * vae.config.scaling_factor
        return latents.repeat(recipe.batch, 1, 1, 1)

    def is_told_picture(self, folder: ModelFolder) -> bool:
        return False

    def decode(self, model: LoadedModel, vae: Any, recipe: Recipe, latents: Tensor) -> Tensor:
        latents = (latents / vae.config.scaling_factor) + vae.config.shift_factor
        return to_pixels(vae.decode(latents.to(model.compute_dtype("vae")), return_dict=False)[0])[:, None]

    def decoded_latents(self, folder: ModelFolder, recipe: Recipe, latents: Tensor) -> Tensor:
        return latents[:, None]

    def preview_latents(self, latents: Tensor) -> Tensor:
        return latents[:1]

    def latent_rgb(self, channels: int) -> LatentRGB:
        if channels != len(_COMFYUI_SD3_FACTORS):
            return LatentRGB(((1 / channels,) * 3,) * channels, (0.5,) * 3)
        red, green, blue = _COMFYUI_SD3_BIAS
        return LatentRGB(
            tuple((r / 2, g / 2, b / 2) for r, g, b in _COMFYUI_SD3_FACTORS),
            ((red + 1) / 2, (green + 1) / 2, (blue + 1) / 2),
        )


def _vae_scale(folder: ModelFolder) -> int:
    return 2 ** (len(folder.parts["vae"].config["block_out_channels"]) - 1)


def _schedule(folder: ModelFolder, recipe: Recipe) -> FlowSchedule:
    config = folder.parts["scheduler"].config
    start = recipe.input_of("start")
    strength = start.strength if start else 1.0
    return make_schedule(config, recipe.sampler, recipe.scheduler, recipe.steps, recipe.shift, strength)
