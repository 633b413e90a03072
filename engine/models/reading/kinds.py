"""The kinds of components that single files hold, and which of a family's components each is.

A T5 is the third text encoder of Stable Diffusion 3.5 and the only one of CogVideoX: what lies in a file has a kind,
what a model needs has a name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from engine.models.reading import cogvideox_files, sd3_files, text_files
from engine.models.reading.shapes import Shapes
from engine.models.reading.takes import Naming, as_they_are
from resources import CONFIGS, TOKENIZERS

CLIP_VOCABULARY = TOKENIZERS / "clip"
CLIP_WORDS = 49408
"""Tokens of CLIP's vocabulary, one for both of its encoders."""


@dataclass(frozen=True)
class Kind:
    """``cls`` is its network's class, "" for a tokenizer; ``naming`` gives its tensors the names of that class.
    ``config`` is the published configuration, ``changes`` what the shapes say instead (of the file ``name``).
    ``fits``: the setting of a configuration that tells a fitting component, and its value."""

    label: str
    cls: str = ""
    config: Path = CONFIGS
    naming: Naming = as_they_are
    changes: Callable[[Shapes, str], dict[str, Any]] = lambda shapes, name: {}
    fits: tuple[str, int] = ("", 0)
    tokenizer_of: str = ""


KINDS: dict[str, Kind] = {
    "sd3_transformer": Kind(
        "transformer", "SD3Transformer2DModel", CONFIGS / "sd35" / "transformer", sd3_files.transformer,
        lambda shapes, name: sd3_files.transformer_config(shapes),
    ),
    "sd3_vae": Kind(
        "VAE", "AutoencoderKL", CONFIGS / "sd35" / "vae", sd3_files.vae,
        lambda shapes, name: sd3_files.vae_config(shapes), ("latent_channels", 16),
    ),
    "clip_l": Kind(
        "CLIP-L", "CLIPTextModelWithProjection", CONFIGS / "sd35" / "text_encoder", text_files.clip_l,
        lambda shapes, name: text_files.clip_config(shapes), ("hidden_size", 768),
    ),
    "clip_g": Kind(
        "CLIP-G", "CLIPTextModelWithProjection", CONFIGS / "sd35" / "text_encoder_2", text_files.encoder,
        lambda shapes, name: text_files.clip_config(shapes), ("hidden_size", 1280),
    ),
    "t5": Kind(
        "T5", "T5EncoderModel", CONFIGS / "sd35" / "text_encoder_3", text_files.t5,
        lambda shapes, name: text_files.t5_config(shapes), ("d_model", 4096),
    ),
    "clip_l_tokenizer": Kind("CLIP-L tokenizer", tokenizer_of="clip_l"),
    "clip_g_tokenizer": Kind("CLIP-G tokenizer", tokenizer_of="clip_g"),
    "t5_tokenizer": Kind("T5 tokenizer", tokenizer_of="t5"),
    "cogvideox_transformer": Kind(
        "transformer", "CogVideoXTransformer3DModel", CONFIGS / "cogvideox" / "transformer",
        changes=cogvideox_files.transformer_config,
    ),
    "cogvideox_vae": Kind(
        "VAE", "AutoencoderKLCogVideoX", CONFIGS / "cogvideox" / "vae",
        changes=lambda shapes, name: cogvideox_files.vae_config(shapes), fits=("latent_channels", 16),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class FamilyFiles:
    """``components`` by name with their kinds, in the order in which they are told; without the ``optional`` ones a
    model runs. ``pipelines`` are the classes that an index may name. ``variants``: by model, what is different in the
    configuration of a component that the files themselves cannot tell."""

    components: Mapping[str, str]
    scheduler: Path
    pipelines: tuple[str, ...]
    optional: tuple[str, ...] = ()
    variants: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)

    def label(self, name: str) -> str:
        kind = KINDS.get(self.components.get(name, ""))
        return kind.label if kind is not None else name

    def name_of(self, kind: str) -> str:
        """The component of that kind, "" where the family has none."""
        return next((name for name, own in self.components.items() if own == kind), "")

    def variant(self, model: str, component: str) -> Mapping[str, Any]:
        return self.variants.get(model, {}).get(component, {})


_OF_1_5_I2V: dict[str, dict[str, Any]] = {"vae": {"scaling_factor": 0.7, "invert_scale_latents": True}}

FAMILY_FILES: dict[str, FamilyFiles] = {
    "sd35": FamilyFiles(
        {
            "transformer": "sd3_transformer",
            "vae": "sd3_vae",
            "text_encoder": "clip_l",
            "text_encoder_2": "clip_g",
            "text_encoder_3": "t5",
            "tokenizer": "clip_l_tokenizer",
            "tokenizer_2": "clip_g_tokenizer",
            "tokenizer_3": "t5_tokenizer",
        },
        CONFIGS / "sd35" / "scheduler",
        ("StableDiffusion3Pipeline",),
        ("text_encoder_3", "tokenizer_3"),
    ),
    "cogvideox": FamilyFiles(
        {
            "transformer": "cogvideox_transformer",
            "vae": "cogvideox_vae",
            "text_encoder": "t5",
            "tokenizer": "t5_tokenizer",
        },
        CONFIGS / "cogvideox" / "scheduler",
        ("CogVideoXPipeline", "CogVideoXImageToVideoPipeline"),
        variants={
            "cogvideox-2b": {"vae": {"scaling_factor": 1.15258426}, "scheduler": {"snr_shift_scale": 3.0}},
            "cogvideox-1.5-5b-i2v": _OF_1_5_I2V,
        },
    ),
}


@cache
def kinds_given(pipeline: str) -> dict[str, str]:
    """Which kinds a folder of ``pipeline`` can give another model, by its components."""
    for family in FAMILY_FILES.values():
        if pipeline in family.pipelines:
            return {name: kind for name, kind in family.components.items() if not name.startswith("transformer")}
    return {}
