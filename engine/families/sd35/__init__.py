"""Stable Diffusion 3.5: Large, Large Turbo and Medium."""

from __future__ import annotations

import msgspec

from engine.families.base import CLIP_TOKENIZERS, T5_TOKENIZERS, ComponentSpec, Family
from engine.families.networks import CLIP_ENCODER, PICTURE_VAE, T5_ENCODER, Config
from engine.families.sd35 import files, lora
from engine.families.sd35.info import INFO, MODELS
from engine.families.sd35.published import NETWORKS, PUBLISHED, TRANSFORMER
from engine.families.sd35.sources import SOURCES, STABILITY
from engine.families.shapes import Shapes
from engine.families.text_files import CLIP_G, CLIP_G_TOKENIZER, CLIP_L, CLIP_L_TOKENIZER, T5, T5_TOKENIZER
from engine.protocol.family_info import ModelDefaults
from engine.protocol.recipe import Recipe

CLIP_TOKENS = 77
_CLIP = (CLIP_ENCODER.path,)


class StableDiffusion35(Family):
    info = INFO
    models = MODELS
    components = (
        ComponentSpec("tokenizer", "CLIP-L tokenizer", CLIP_TOKENIZERS, False, kind=CLIP_L_TOKENIZER.name),
        ComponentSpec("tokenizer_2", "CLIP-G tokenizer", CLIP_TOKENIZERS, False, kind=CLIP_G_TOKENIZER.name),
        ComponentSpec("tokenizer_3", "T5 tokenizer", T5_TOKENIZERS, False, optional=True, kind=T5_TOKENIZER.name),
        ComponentSpec("text_encoder", "CLIP-L text encoder", _CLIP, kind=CLIP_L.name),
        ComponentSpec("text_encoder_2", "CLIP-G text encoder", _CLIP, kind=CLIP_G.name),
        ComponentSpec("text_encoder_3", "T5 text encoder", (T5_ENCODER.path,), optional=True, kind=T5.name),
        ComponentSpec("transformer", "transformer", (TRANSFORMER.path,), kind=files.TRANSFORMER_KIND.name),
        ComponentSpec("vae", "VAE", (PICTURE_VAE.path,), kind=files.VAE_KIND.name),
    )
    pipelines = ("StableDiffusion3Pipeline",)
    network_classes = (CLIP_ENCODER, T5_ENCODER, TRANSFORMER, PICTURE_VAE)
    networks = NETWORKS
    published = PUBLISHED
    layers = (24, 38)
    sources = SOURCES
    licences = (STABILITY,)
    parts_label = "Parts of SD 3.5"
    file_kinds = (
        files.TRANSFORMER_KIND,
        files.VAE_KIND,
        *(CLIP_L, CLIP_G, T5, CLIP_L_TOKENIZER, CLIP_G_TOKENIZER, T5_TOKENIZER),
    )
    scheduler = files.SCHEDULER
    preferred = "sd3"
    lora_told_by = lora.TOLD_BY
    lora_query = lora.QUERY
    lora_strangers = lora.STRANGERS
    comfy = "engine.families.sd35.comfy"
    training = "engine.families.sd35.network.training"
    network = "engine.families.sd35.network"

    def nearest(self, name: str, config: Config) -> str:
        if config.get("dual_attention_layers"):
            return "sd3.5-medium"
        return "sd3.5-large-turbo" if "turbo" in name.lower() else "sd3.5-large"

    def own_defaults(self, defaults: ModelDefaults, config: Config) -> ModelDefaults:
        side = int(config.get("sample_size", 128)) * 8
        return msgspec.structs.replace(defaults, width=side, height=side)

    def unused_components(self, recipe: Recipe) -> tuple[str, ...]:
        """The T5 can be left out."""
        return () if recipe.use_t5 else ("text_encoder_3",)

    def text_tokens(self, recipe: Recipe) -> int:
        return CLIP_TOKENS + recipe.max_sequence_length

    def is_controlnet(self, shapes: Shapes) -> bool:
        return files.is_controlnet(shapes)


FAMILY = StableDiffusion35()
