"""Twofold: a family that exists for the tests alone, and in this folder alone.

It makes pictures with two transformers, one for high noise and one for low, and its guidance scale is an input of
both: the cases that the families that ship do not have.
"""

from __future__ import annotations

from engine.families.base import T5_TOKENIZERS, ComponentSpec, Family
from engine.families.networks import PICTURE_VAE, T5_ENCODER, Config
from engine.families.shapes import Shapes
from engine.families.source import APACHE_2
from engine.families.text_files import T5, T5_TOKENIZER
from engine.protocol.recipe import Recipe

from . import files, lora
from .info import INFO, MODELS
from .published import NETWORKS, PUBLISHED, SOURCES, TRANSFORMER

HIGH, LOW = "transformer", "transformer_2"
BOUNDARY = 0.7
"""Steps that begin above this noise level are the high transformer's."""


class Twofold(Family):
    info = INFO
    models = MODELS
    components = (
        ComponentSpec("tokenizer", "T5 tokenizer", T5_TOKENIZERS, has_weights=False, kind=T5_TOKENIZER.name),
        ComponentSpec("text_encoder", "T5 text encoder", (T5_ENCODER.path,), kind=T5.name),
        ComponentSpec(HIGH, "high noise transformer", (TRANSFORMER.path,), kind=files.HIGH_KIND.name),
        ComponentSpec(LOW, "low noise transformer", (TRANSFORMER.path,), kind=files.LOW_KIND.name),
        ComponentSpec("vae", "VAE", (PICTURE_VAE.path,), kind=files.VAE_KIND.name),
    )
    pipelines = ("TwofoldPipeline",)
    network_classes = (T5_ENCODER, TRANSFORMER, PICTURE_VAE)
    networks = NETWORKS
    published = PUBLISHED
    layers = (24,)
    distils_guidance = True
    sources = SOURCES
    licences = (APACHE_2,)
    parts_label = "Parts of Twofold"
    file_kinds = (files.HIGH_KIND, files.LOW_KIND, files.VAE_KIND, T5, T5_TOKENIZER)
    scheduler = files.SCHEDULER
    lora_told_by = lora.TOLD_BY
    lora_query = lora.QUERY
    comfy = f"{__name__}.comfy"
    network = f"{__name__}.network"

    def turns(self, recipe: Recipe) -> dict[str, float]:
        last = recipe.steps - 1 if recipe.scheduler == "normal" else recipe.steps
        levels = [1 - step / max(1, last) for step in range(recipe.steps)]
        shifted = [recipe.shift * level / (1 + (recipe.shift - 1) * level) for level in levels]
        high = sum(level > BOUNDARY for level in shifted) / recipe.steps
        return {HIGH: high, LOW: 1 - high}

    def lora_denoisers(self, name: str) -> tuple[str, ...]:
        told = [part for part, word in ((HIGH, "high"), (LOW, "low")) if word in name.lower()]
        return tuple(told) or self.denoisers()

    def is_controlnet(self, shapes: Shapes) -> bool:
        return "twofold_control.weight" in shapes

    def nearest(self, name: str, config: Config) -> str:
        return "twofold-one"


FAMILY = Twofold()
