"""CogVideoX: 2B (sin-cos positions), 5B (3D rotary positions), the layout of 1.5, and those that move a picture.

Diffusion with v-prediction in the latents of a 3D causal VAE. Follows diffusers' ``CogVideoXPipeline`` and
``CogVideoXImageToVideoPipeline`` bit by bit (``tests/engine/worker/test_reference_cogvideox.py``), but for one thing:
the picture's latents are the mean of the VAE's posterior, the same in every run, where diffusers draws from it.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from engine.families.cogvideox import FAMILY
from engine.families.cogvideox.info import INFO
from engine.families.cogvideox.network.sampling import OWN, CogVideoXDDIM, CogVideoXDPM, make_scheduler, vp_sampler
from engine.models.reading.component import Component, ModelFolder
from engine.protocol.conditioning import Words
from engine.protocol.errors import BadRecipe
from engine.protocol.family_info import FamilyInfo, LatentRGB, check_first_frame
from engine.protocol.recipe import Recipe
from engine.worker.guidance import PICTURE, Conditioning, Denoiser, Guided, Side
from engine.worker.pipeline import LoadedModel, to_pixels
from engine.worker.sampling.base import Point, Sampler

PREVIEW_FRAMES = 5
# By kijai (ComfyUI-CogVideoXWrapper, latent_preview.py): of latents in the model's scale, each preview to be stretched
# from its own least value to its greatest.
_PUBLISHED_FACTORS = (
    (0.03197, 0.04091, 0.00157),
    (0.00552, 0.00523, -0.00561),
    (0.00125, -0.01610, 0.02502),
    (0.01760, 0.00368, -0.00060),
    (0.00044, 0.00610, 0.00085),
    (-0.01053, -0.00323, -0.00887),
    (-0.00015, 0.01020, -0.00013),
    (0.02078, -0.00167, 0.00671),
    (0.00553, 0.00973, 0.00189),
    (0.01214, 0.02468, 0.03721),
    (0.00104, 0.01984, 0.00986),
    (0.00680, -0.00105, -0.00703),
    (0.00035, 0.00535, -0.01846),
    (-0.00905, -0.01128, 0.00423),
    (0.00255, 0.02522, -0.00061),
    (-0.01114, 0.00182, 0.02795),
)
_PUBLISHED_BIAS = (-0.023, 0.0, -0.017)

OFS = 2.0  # what 1.5 was trained with beside the timestep, where it moves a picture


class CogVideoXPipeline:
    info: FamilyInfo = INFO
    components = FAMILY.components
    text_parts = ("tokenizer", "text_encoder")

    def device_dtype(self, part: Component) -> torch.dtype:
        """2B was trained in float16 and 5B in bfloat16; the T5 overflows in float16."""
        return torch.float16 if part.dtype == "F16" and part.name != "text_encoder" else torch.bfloat16

    def check(self, folder: ModelFolder, recipe: Recipe) -> None:
        config = folder.parts["transformer"].config
        length = int(config.get("max_text_seq_length", 226))
        if not config.get("use_rotary_positional_embeddings") and recipe.max_sequence_length != length:
            raise BadRecipe(
                f"This model reads prompts of exactly {length} tokens, not {recipe.max_sequence_length}.",
                f"Take {length}.",
                field="max_sequence_length",
            )
        fixed = (config.get("sample_width", 90) * 8, config.get("sample_height", 60) * 8)
        if config.get("use_learned_positional_embeddings") and (recipe.width, recipe.height) != fixed:
            raise BadRecipe(
                f"This model makes clips of {fixed[0]} × {fixed[1]} only.", "Take that size.", field="width"
            )
        frames = int(config.get("sample_frames", 49))
        if config.get("use_learned_positional_embeddings") and recipe.frames != frames:
            raise BadRecipe(f"This model makes clips of {frames} frames only.", f"Take {frames}.", field="frames")
        check_first_frame(recipe, self.is_told_picture(folder))

    def encoding_settings(self, recipe: Recipe) -> tuple[Any, ...]:
        return (recipe.max_sequence_length,)

    def encode(self, model: LoadedModel, parts: dict[str, Any], recipe: Recipe, words: Words) -> Conditioning:
        """``embeds`` [1, max_sequence_length, D]; no attention mask, as in the reference."""
        encoder = parts["text_encoder"]
        ids = parts["tokenizer"](
            [words.text or ""],
            padding="max_length",
            max_length=recipe.max_sequence_length,
            truncation=True,
            add_special_tokens=True,
            return_tensors="pt",
        ).input_ids
        return {"embeds": encoder(ids.to(encoder.device))[0].to(model.compute_dtype("transformer"))}

    def noise_shape(self, folder: ModelFolder, recipe: Recipe) -> tuple[int, ...]:
        scale = 2 ** (len(folder.parts["vae"].config["block_out_channels"]) - 1)
        frames = _latent_frames(folder, recipe) + _padding_frames(folder, recipe)
        channels = folder.parts["transformer"].config["in_channels"] // (2 if self.is_told_picture(folder) else 1)
        return (recipe.batch, frames, channels, recipe.height // scale, recipe.width // scale)

    def sampler(self, folder: ModelFolder, recipe: Recipe) -> Sampler:
        config = folder.parts["scheduler"].config
        scheduler = make_scheduler(config, recipe.sampler, recipe.scheduler, recipe.steps)
        if recipe.sampler not in OWN:
            return vp_sampler(scheduler, recipe.sampler, recipe.seed)
        return CogVideoXDPM(scheduler) if recipe.sampler == "dpm" else CogVideoXDDIM(scheduler)

    def start(self, folder: ModelFolder, recipe: Recipe, noise: Tensor, picture: Tensor | None) -> Tensor:
        return noise

    def denoiser(
        self, model: LoadedModel, network: Any, recipe: Recipe, positive: Side, negative: Side | None
    ) -> Denoiser:
        dtype, device = model.compute_dtype("transformer"), model.residency.device
        rotary = _rotary_positions(model.folder, recipe, device)
        has_ofs = model.folder.parts["transformer"].config.get("ofs_embed_dim")
        ofs = torch.full((1,), OFS, dtype=dtype, device=device) if has_ofs else None

        def call(x: Tensor, point: Point, conditioning: Conditioning, skipped: tuple[int, ...]) -> Tensor:
            hidden = x.to(dtype)
            if PICTURE in conditioning:
                hidden = torch.cat([hidden, conditioning[PICTURE].to(dtype)], dim=2)
            output = network(
                hidden_states=hidden,
                encoder_hidden_states=conditioning["embeds"],
                timestep=point.timestep.to(device).expand(x.shape[0]),
                ofs=ofs,
                image_rotary_emb=rotary,
                return_dict=False,
            )[0]
            return output.float()

        def scale(point: Point) -> float:
            return dynamic_guidance(recipe.guidance, point) if recipe.dynamic_guidance else recipe.guidance

        guided = Guided(call, positive, negative, scale, batched=model.residency.batched)
        return Denoiser(guided, lambda v, x, point: point.signal * x - point.sigma * v)

    def denoiser_at(self, folder: ModelFolder, recipe: Recipe, point: Point) -> str:
        return "transformer"

    def encode_picture(self, model: LoadedModel, vae: Any, recipe: Recipe, pixels: Tensor) -> Tensor:
        """The clip's first latent frame; the others are zeros."""
        scaled = 2 * (pixels.permute(2, 0, 1)[None, :, None] / 255) - 1
        latents = vae.encode(scaled.to(vae.device, model.compute_dtype("vae"))).latent_dist.mode()
        # 1.5 was trained on latents that were divided by the factor.
        factor = 1 / vae.config.scaling_factor if vae.config.invert_scale_latents else vae.config.scaling_factor
        first = factor * latents.permute(0, 2, 1, 3, 4)
        frames = self.noise_shape(model.folder, recipe)[1]
        rest = first.new_zeros(1, frames - 1, *first.shape[2:])
        return torch.cat([first, rest], dim=1).repeat(recipe.batch, 1, 1, 1, 1)

    def is_told_picture(self, folder: ModelFolder) -> bool:
        config = folder.parts["transformer"].config
        return config.get("in_channels", 16) > config.get("out_channels", 16)

    def decode(self, model: LoadedModel, vae: Any, recipe: Recipe, latents: Tensor) -> Tensor:
        latents = self.decoded_latents(model.folder, recipe, latents)
        latents = 1 / vae.config.scaling_factor * latents.permute(0, 2, 1, 3, 4)
        decoded = vae.decode(latents.to(model.compute_dtype("vae"))).sample
        return to_pixels(decoded.permute(0, 2, 1, 3, 4))

    def decoded_latents(self, folder: ModelFolder, recipe: Recipe, latents: Tensor) -> Tensor:
        return latents[:, _padding_frames(folder, recipe) :]

    def preview_latents(self, latents: Tensor) -> Tensor:
        """At most ``PREVIEW_FRAMES`` latent frames, spread over the clip."""
        frames = latents.shape[1]
        count = min(frames, PREVIEW_FRAMES)
        chosen = [round(i * (frames - 1) / max(count - 1, 1)) for i in range(count)]
        return latents[0, chosen]

    def latent_rgb(self, channels: int) -> LatentRGB:
        """Until the first clip was decoded (``engine.worker.learned_previews``): what is published, which shows what is
        where, and colours by halves."""
        if channels != len(_PUBLISHED_FACTORS):
            return LatentRGB(((1 / channels,) * 3,) * channels, (0.5,) * 3)
        return LatentRGB(_PUBLISHED_FACTORS, _PUBLISHED_BIAS, stretched=True)


def dynamic_guidance(guidance: float, point: Point) -> float:
    """The pipeline's formula. It sets a timestep (0 … 999) against a step count; published clips come from it so."""
    progress = (point.steps - point.timestep.item()) / point.steps
    return 1 + guidance * ((1 - math.cos(math.pi * progress**5.0)) / 2)


def _latent_frames(folder: ModelFolder, recipe: Recipe) -> int:
    return (recipe.frames - 1) // folder.parts["vae"].config.get("temporal_compression_ratio", 4) + 1


def _padding_frames(folder: ModelFolder, recipe: Recipe) -> int:
    """1.5 takes latent frames in patches: as many as are missing are put in front and dropped after."""
    patch = folder.parts["transformer"].config.get("patch_size_t")
    return -_latent_frames(folder, recipe) % patch if patch else 0


def _rotary_positions(folder: ModelFolder, recipe: Recipe, device: torch.device) -> tuple[Tensor, Tensor] | None:
    """Cosines and sines of the 3D positions, as ``CogVideoXPipeline._prepare_rotary_positional_embeddings``."""
    from diffusers.models.embeddings import get_3d_rotary_pos_embed
    from diffusers.pipelines.cogvideo.pipeline_cogvideox import get_resize_crop_region_for_grid

    config = folder.parts["transformer"].config
    if not config.get("use_rotary_positional_embeddings"):
        return None
    patch, patch_t = config.get("patch_size", 2), config.get("patch_size_t")
    _, frames, _, height, width = CogVideoXPipeline().noise_shape(folder, recipe)
    grid = (height // patch, width // patch)
    base_height, base_width = config["sample_height"] // patch, config["sample_width"] // patch
    if patch_t is None:
        crops = get_resize_crop_region_for_grid(grid, base_width, base_height)
        return get_3d_rotary_pos_embed(
            config["attention_head_dim"], crops, grid_size=grid, temporal_size=frames, device=device
        )
    return get_3d_rotary_pos_embed(
        config["attention_head_dim"],
        None,
        grid_size=grid,
        temporal_size=(frames + patch_t - 1) // patch_t,
        grid_type="slice",
        max_size=(base_height, base_width),
        device=device,
    )
