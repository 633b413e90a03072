"""CogVideoX: 2B, 5B and 1.5, from words or moving a picture."""

from __future__ import annotations

import msgspec

from engine.families.base import T5_TOKENIZERS, ComponentSpec, Family
from engine.families.cogvideox import files, lora
from engine.families.cogvideox.info import INFO, MODELS
from engine.families.cogvideox.published import CLIP_VAE, NETWORKS, PUBLISHED, TRANSFORMER
from engine.families.cogvideox.sources import COGVIDEOX, SOURCES
from engine.families.networks import T5_ENCODER, Config
from engine.families.source import APACHE_2
from engine.families.text_files import T5, T5_TOKENIZER
from engine.protocol.family_info import ModelDefaults


class CogVideoX(Family):
    info = INFO
    models = MODELS
    components = (
        ComponentSpec("tokenizer", "T5 tokenizer", T5_TOKENIZERS, has_weights=False, kind=T5_TOKENIZER.name),
        ComponentSpec("text_encoder", "T5 text encoder", (T5_ENCODER.path,), kind=T5.name),
        ComponentSpec("transformer", "transformer", (TRANSFORMER.path,), kind=files.TRANSFORMER_KIND.name),
        ComponentSpec("vae", "VAE", (CLIP_VAE.path,), kind=files.VAE_KIND.name),
    )
    pipelines = ("CogVideoXPipeline", "CogVideoXImageToVideoPipeline")
    network_classes = (T5_ENCODER, TRANSFORMER, CLIP_VAE)
    networks = NETWORKS
    published = PUBLISHED
    usual_model = "cogvideox-5b"
    layers = (30, 42)
    sources = SOURCES
    licences = (APACHE_2, COGVIDEOX)
    parts_label = "Parts of CogVideoX"
    file_kinds = (files.TRANSFORMER_KIND, files.VAE_KIND, T5, T5_TOKENIZER)
    scheduler = files.SCHEDULER
    variants = files.VARIANTS
    lora_told_by = lora.TOLD_BY
    lora_query = lora.QUERY
    comfy = "engine.families.cogvideox.comfy"
    training = "engine.families.cogvideox.network.training"
    network = "engine.families.cogvideox.network"

    def nearest(self, name: str, config: Config) -> str:
        if not config.get("use_rotary_positional_embeddings"):
            return "cogvideox-2b"
        newer = "cogvideox-1.5-5b" if config.get("patch_size_t") else "cogvideox-5b"
        return newer + ("-i2v" if config.get("in_channels", 16) > config.get("out_channels", 16) else "")

    def own_defaults(self, defaults: ModelDefaults, config: Config) -> ModelDefaults:
        return msgspec.structs.replace(
            defaults,
            width=int(config.get("sample_width", 90)) * 8,
            height=int(config.get("sample_height", 60)) * 8,
            frames=int(config.get("sample_frames", 49)),
            max_sequence_length=int(config.get("max_text_seq_length", 226)),
        )


FAMILY = CogVideoX()
