"""Twofold in steps: a rectified flow whose transformer changes at a noise level."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from engine.models.reading.component import Component, ModelFolder
from engine.protocol.conditioning import Words
from engine.protocol.family_info import FamilyInfo, LatentRGB
from engine.protocol.recipe import Recipe
from engine.worker.guidance import Conditioning, Denoiser, Guided, Side
from engine.worker.pipeline import LoadedModel, kept_latents, to_pixels
from engine.worker.sampling.base import Point, Sampler
from engine.worker.sampling.flow import FlowSchedule
from engine.worker.sampling.flow_samplers import SAMPLERS, make_schedule

from .. import BOUNDARY, FAMILY, HIGH, LOW


class TwofoldPipeline:
    info: FamilyInfo = FAMILY.info
    components = FAMILY.components
    text_parts = ("tokenizer", "text_encoder")

    def device_dtype(self, part: Component) -> torch.dtype:
        return torch.bfloat16

    def check(self, folder: ModelFolder, recipe: Recipe) -> None:
        """Nothing more than the family's rules."""

    def encoding_settings(self, recipe: Recipe) -> tuple[Any, ...]:
        return (recipe.max_sequence_length,)

    def encode(self, model: LoadedModel, parts: dict[str, Any], recipe: Recipe, words: Words) -> Conditioning:
        encoder = parts["text_encoder"]
        ids = parts["tokenizer"](
            [words.text or ""],
            padding="max_length",
            max_length=recipe.max_sequence_length,
            truncation=True,
            return_tensors="pt",
        ).input_ids
        return {"embeds": encoder(ids.to(encoder.device))[0].to(model.compute_dtype(HIGH))}

    def noise_shape(self, folder: ModelFolder, recipe: Recipe) -> tuple[int, ...]:
        channels = folder.parts[HIGH].config["in_channels"]
        return (recipe.batch, channels, recipe.height // 8, recipe.width // 8)

    def sampler(self, folder: ModelFolder, recipe: Recipe) -> Sampler:
        return SAMPLERS[recipe.sampler](self._schedule(folder, recipe), recipe.seed)

    def start(self, folder: ModelFolder, recipe: Recipe, noise: Tensor, picture: Tensor | None) -> Tensor:
        sigma = self._schedule(folder, recipe).sigmas[0]
        if picture is None or sigma == 1:
            return noise
        return (sigma * noise.float() + (1 - sigma) * picture).to(noise.dtype)

    def denoiser_at(self, folder: ModelFolder, recipe: Recipe, point: Point) -> str:
        return HIGH if point.sigma > BOUNDARY else LOW

    def denoiser(
        self, model: LoadedModel, network: Any, recipe: Recipe, positive: Side, negative: Side | None
    ) -> Denoiser:
        assert negative is None, "guidance is distilled"
        dtype, device, widen = model.compute_dtype(HIGH), model.residency.device, kept_latents(recipe)

        def call(x: Tensor, point: Point, conditioning: Conditioning, skipped: tuple[int, ...]) -> Tensor:
            output = network(
                hidden_states=x.to(dtype),
                timestep=point.timestep.to(device).expand(x.shape[0]),
                guidance=torch.full((x.shape[0],), recipe.guidance, device=device),
                encoder_hidden_states=conditioning["embeds"],
                return_dict=False,
            )[0]
            return widen(output)

        guided = Guided(call, positive, None, lambda point: None, batched=model.residency.batched)
        return Denoiser(guided, lambda velocity, x, point: x.float() - point.sigma * velocity)

    def encode_picture(self, model: LoadedModel, vae: Any, recipe: Recipe, pixels: Tensor) -> Tensor:
        scaled = pixels.permute(2, 0, 1)[None] / 127.5 - 1
        latents = vae.encode(scaled.to(vae.device, model.compute_dtype("vae"))).latent_dist.mode().float()
        return ((latents - vae.config.shift_factor) * vae.config.scaling_factor).repeat(recipe.batch, 1, 1, 1)

    def is_told_picture(self, folder: ModelFolder) -> bool:
        return False

    def decode(self, model: LoadedModel, vae: Any, recipe: Recipe, latents: Tensor) -> Tensor:
        latents = latents / vae.config.scaling_factor + vae.config.shift_factor
        return to_pixels(vae.decode(latents.to(model.compute_dtype("vae")), return_dict=False)[0])[:, None]

    def decoded_latents(self, folder: ModelFolder, recipe: Recipe, latents: Tensor) -> Tensor:
        return latents[:, None]

    def preview_latents(self, latents: Tensor) -> Tensor:
        return latents[:1]

    def latent_rgb(self, channels: int) -> LatentRGB:
        return LatentRGB(((1 / channels,) * 3,) * channels, (0.5,) * 3)

    def _schedule(self, folder: ModelFolder, recipe: Recipe) -> FlowSchedule:
        start = recipe.input_of("start")
        strength = start.strength if start else 1.0
        config = folder.parts["scheduler"].config
        return make_schedule(config, recipe.sampler, recipe.scheduler, recipe.steps, recipe.shift, strength)
