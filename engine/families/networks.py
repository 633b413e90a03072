"""A class of networks as planning needs to know it, and the classes that several families share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.families.lora import LayerNames, no_names

Kind = Literal["denoiser", "text", "vae"]
Config = dict[str, Any]


@dataclass(frozen=True)
class NetworkClass:
    """``name`` of the class and the ``module`` that holds it. ``decisive`` are the settings of its configuration that
    decide the size of a network and of its activations; the rest is names and habits.

    ``call`` names, as ``module:function``, how a denoiser is called once (see ``engine.worker.residency.networks``).
    ``config_class`` stands in ``module`` where the configuration has a class of its own. ``is_video`` where it takes
    frames. ``eight_bit``: its blocks are kept in 8 bits where the recipe wants that. ``tokens``: how many a text
    encoder always reads; 0 where the recipe says. ``lora_names``: further names of its layers in LoRA files.
    ``widened_in_use``: classes of modules in it whose table of positions is added to wide numbers: a sum is wide if
    one side is, so that the table is kept as it is stored. ``blocks``: the path of the list of its equal blocks, ""
    where that is one of the usual ones.

    For the simulation of a denoiser: ``other_blocks`` is the setting that numbers those of its blocks that are of a
    second kind, ``any_size`` what its configuration says instead so that it takes every size, ``largest(config)`` the
    pixels of the longest side (0: any), ``texts(config)`` how many tokens of text it usually reads, then few and many
    where that varies.
    """

    name: str
    module: str
    kind: Kind
    decisive: tuple[str, ...]
    call: str = ""
    config_class: str = ""
    is_video: bool = False
    eight_bit: bool = False
    tokens: int = 0
    lora_names: LayerNames = no_names
    widened_in_use: tuple[str, ...] = ()
    blocks: str = ""
    other_blocks: str = ""
    any_size: Mapping[str, Any] = field(default_factory=dict)
    largest: Callable[[Config], int] = lambda config: 0
    texts: Callable[[Config], tuple[int, ...]] = lambda config: (226,)

    @property
    def path(self) -> str:
        """``module:class``."""
        return f"{self.module}:{self.name}"


T5_ENCODER = NetworkClass(
    "T5EncoderModel",
    "transformers",
    "text",
    ("d_ff", "d_kv", "d_model", "feed_forward_proj", "num_heads", "num_layers", "vocab_size"),
    config_class="T5Config",
    eight_bit=True,
)
CLIP_ENCODER = NetworkClass(
    "CLIPTextModelWithProjection",
    "transformers",
    "text",
    ("hidden_size", "intermediate_size", "num_attention_heads", "num_hidden_layers", "projection_dim", "vocab_size"),
    config_class="CLIPTextConfig",
    tokens=77,
)
PICTURE_VAE = NetworkClass(
    "AutoencoderKL",
    "diffusers.models.autoencoders.autoencoder_kl",
    "vae",
    ("block_out_channels", "latent_channels", "layers_per_block", "mid_block_add_attention"),
)

CLIP_L: Config = {
    "vocab_size": 49408,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "projection_dim": 768,
    "max_position_embeddings": 77,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "pad_token_id": 1,
}
CLIP_G: Config = CLIP_L | {
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 20,
    "projection_dim": 1280,
}
T5_XXL: Config = {
    "vocab_size": 32128,
    "d_model": 4096,
    "d_kv": 64,
    "d_ff": 10240,
    "num_layers": 24,
    "num_heads": 64,
    "feed_forward_proj": "gated-gelu",
    "is_encoder_decoder": True,
    "use_cache": False,
    "tie_word_embeddings": False,
}
# Published text encoders that several families read their prompts with: name, class, configuration.
SHARED: dict[str, tuple[str, Config]] = {
    "clip-l": (CLIP_ENCODER.name, CLIP_L),
    "clip-g": (CLIP_ENCODER.name, CLIP_G),
    "t5-xxl": (T5_ENCODER.name, T5_XXL),
}
