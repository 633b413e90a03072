"""The published models' networks, so that they can be planned before they are downloaded.

The configurations are those of the publisher's ``config.json`` files as far as they decide sizes; the parameters that
they give agree with the published counts. A downloaded model's own files always win.
"""

from __future__ import annotations

from typing import Any

from engine.families.base import PublishedPart
from engine.families.cogvideox.lora import layer_names
from engine.families.networks import NetworkClass

TRANSFORMER = NetworkClass(
    "CogVideoXTransformer3DModel",
    "diffusers.models.transformers.cogvideox_transformer_3d",
    "denoiser",
    (
        "attention_head_dim",
        "in_channels",
        "num_attention_heads",
        "num_layers",
        "patch_size",
        "patch_size_t",
        "text_embed_dim",
        "time_embed_dim",
        "use_rotary_positional_embeddings",
        "use_learned_positional_embeddings",
    ),
    call="engine.families.cogvideox.network.calls:call",
    lora_names=layer_names,
    any_size={"use_learned_positional_embeddings": False},  # learned positions are weights, and change nothing else
    texts=lambda config: (int(config.get("max_text_seq_length", 226)),),
    widened_in_use=("CogVideoXPatchEmbed",),
    is_video=True,
    eight_bit=True,
)
CLIP_VAE = NetworkClass(
    "AutoencoderKLCogVideoX",
    "diffusers.models.autoencoders.autoencoder_kl_cogvideox",
    "vae",
    ("block_out_channels", "latent_channels", "layers_per_block", "temporal_compression_ratio"),
    is_video=True,
)

_COGVIDEOX_5B: dict[str, Any] = {
    "attention_head_dim": 64,
    "in_channels": 16,
    "out_channels": 16,
    "max_text_seq_length": 226,
    "num_attention_heads": 48,
    "num_layers": 42,
    "patch_size": 2,
    "sample_frames": 49,
    "sample_height": 60,
    "sample_width": 90,
    "spatial_interpolation_scale": 1.875,
    "temporal_compression_ratio": 4,
    "text_embed_dim": 4096,
    "time_embed_dim": 512,
    "use_rotary_positional_embeddings": True,
}
_COGVIDEOX_2B = _COGVIDEOX_5B | {
    "num_attention_heads": 30,
    "num_layers": 30,
    "use_rotary_positional_embeddings": False,
}
_COGVIDEOX_15 = _COGVIDEOX_5B | {
    "patch_size_t": 2,
    "patch_bias": False,
    "max_text_seq_length": 224,
    "sample_frames": 81,
    "sample_height": 300,
    "sample_width": 300,
}
_COGVIDEOX_5B_I2V = _COGVIDEOX_5B | {"in_channels": 32, "use_learned_positional_embeddings": True}
_COGVIDEOX_15_I2V = _COGVIDEOX_15 | {"in_channels": 32, "ofs_embed_dim": 512}
_COGVIDEOX_VAE: dict[str, Any] = {
    "block_out_channels": [128, 256, 256, 512],
    "down_block_types": ["CogVideoXDownBlock3D"] * 4,
    "up_block_types": ["CogVideoXUpBlock3D"] * 4,
    "latent_channels": 16,
    "layers_per_block": 3,
    "norm_num_groups": 32,
    "sample_height": 480,
    "sample_width": 720,
    "temporal_compression_ratio": 4,
    "use_quant_conv": False,
    "use_post_quant_conv": False,
}


NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "cogvideox-2b": (TRANSFORMER.name, _COGVIDEOX_2B),
    "cogvideox-5b": (TRANSFORMER.name, _COGVIDEOX_5B),
    "cogvideox-1.5-5b": (TRANSFORMER.name, _COGVIDEOX_15),
    "cogvideox-5b-i2v": (TRANSFORMER.name, _COGVIDEOX_5B_I2V),
    "cogvideox-1.5-5b-i2v": (TRANSFORMER.name, _COGVIDEOX_15_I2V),
    "cogvideox-vae": (CLIP_VAE.name, _COGVIDEOX_VAE),
}


def _parts(transformer: str, precision: str) -> tuple[PublishedPart, ...]:
    return (
        PublishedPart("text_encoder", "t5-xxl", precision),
        PublishedPart("transformer", transformer, precision),
        PublishedPart("vae", "cogvideox-vae", precision),
    )


PUBLISHED = {
    "cogvideox-2b": _parts("cogvideox-2b", "F16"),
    **{
        name: _parts(name, "BF16")
        for name in ("cogvideox-5b", "cogvideox-1.5-5b", "cogvideox-5b-i2v", "cogvideox-1.5-5b-i2v")
    },
}
