"""Stable Diffusion 3.5: Large, Large Turbo and Medium."""

from __future__ import annotations

import msgspec

from engine.families.base import CLIP_TOKENIZERS, T5_TOKENIZERS, ComponentSpec, Family
from engine.families.networks import CLIP_ENCODER, PICTURE_VAE, T5_ENCODER, Config
from engine.families.sd35.info import INFO, MODELS
from engine.families.sd35.published import NETWORKS, PUBLISHED, TRANSFORMER
from engine.protocol.family_info import ModelDefaults
from engine.protocol.recipe import Recipe

CLIP_TOKENS = 77
_CLIP = (f"{CLIP_ENCODER.module}:{CLIP_ENCODER.name}",)


class StableDiffusion35(Family):
    info = INFO
    comes_in_single_files = True
    models = MODELS
    components = (
        ComponentSpec("tokenizer", "CLIP-L tokenizer", CLIP_TOKENIZERS, has_weights=False),
        ComponentSpec("tokenizer_2", "CLIP-G tokenizer", CLIP_TOKENIZERS, has_weights=False),
        ComponentSpec("tokenizer_3", "T5 tokenizer", T5_TOKENIZERS, has_weights=False, optional=True),
        ComponentSpec("text_encoder", "CLIP-L text encoder", _CLIP),
        ComponentSpec("text_encoder_2", "CLIP-G text encoder", _CLIP),
        ComponentSpec("text_encoder_3", "T5 text encoder", (f"{T5_ENCODER.module}:{T5_ENCODER.name}",), optional=True),
        ComponentSpec("transformer", "transformer", (f"{TRANSFORMER.module}:{TRANSFORMER.name}",)),
        ComponentSpec("vae", "VAE", (f"{PICTURE_VAE.module}:{PICTURE_VAE.name}",)),
    )
    pipelines = ("StableDiffusion3Pipeline",)
    network_classes = (CLIP_ENCODER, T5_ENCODER, TRANSFORMER, PICTURE_VAE)
    networks = NETWORKS
    published = PUBLISHED
    layers = (24, 38)
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


FAMILY = StableDiffusion35()
