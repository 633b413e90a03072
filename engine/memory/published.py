"""The catalogued models' networks, so that they can be planned before they are downloaded.

The configurations are those of the publishers' ``config.json`` files as far as they decide sizes; the parameters that
they give agree with the published counts. A downloaded model's own files always win.
"""

from __future__ import annotations

from typing import Any

import msgspec


class PublishedPart(msgspec.Struct, frozen=True):
    """A component: its folder's name, its network in ``NETWORKS``, and the dtype that it is published in."""

    name: str
    network: str
    precision: str


_SD35_LARGE: dict[str, Any] = {
    "attention_head_dim": 64,
    "caption_projection_dim": 2432,
    "dual_attention_layers": [],
    "in_channels": 16,
    "joint_attention_dim": 4096,
    "num_attention_heads": 38,
    "num_layers": 38,
    "out_channels": 16,
    "patch_size": 2,
    "pooled_projection_dim": 2048,
    "pos_embed_max_size": 192,
    "qk_norm": "rms_norm",
    "sample_size": 128,
}
_SD35_MEDIUM = _SD35_LARGE | {
    "caption_projection_dim": 1536,
    "dual_attention_layers": list(range(13)),
    "num_attention_heads": 24,
    "num_layers": 24,
    "pos_embed_max_size": 384,
}
_SD3_VAE: dict[str, Any] = {
    "block_out_channels": [128, 256, 512, 512],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "latent_channels": 16,
    "layers_per_block": 2,
    "mid_block_add_attention": True,
    "norm_num_groups": 32,
    "sample_size": 1024,
    "use_quant_conv": False,
    "use_post_quant_conv": False,
}
_CLIP_L: dict[str, Any] = {
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
_CLIP_G = _CLIP_L | {
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 20,
    "projection_dim": 1280,
}
_T5_XXL: dict[str, Any] = {
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
    "sd3.5-large": ("SD3Transformer2DModel", _SD35_LARGE),
    "sd3.5-medium": ("SD3Transformer2DModel", _SD35_MEDIUM),
    "sd3-vae": ("AutoencoderKL", _SD3_VAE),
    "clip-l": ("CLIPTextModelWithProjection", _CLIP_L),
    "clip-g": ("CLIPTextModelWithProjection", _CLIP_G),
    "t5-xxl": ("T5EncoderModel", _T5_XXL),
    "cogvideox-2b": ("CogVideoXTransformer3DModel", _COGVIDEOX_2B),
    "cogvideox-5b": ("CogVideoXTransformer3DModel", _COGVIDEOX_5B),
    "cogvideox-1.5-5b": ("CogVideoXTransformer3DModel", _COGVIDEOX_15),
    "cogvideox-5b-i2v": ("CogVideoXTransformer3DModel", _COGVIDEOX_5B_I2V),
    "cogvideox-1.5-5b-i2v": ("CogVideoXTransformer3DModel", _COGVIDEOX_15_I2V),
    "cogvideox-vae": ("AutoencoderKLCogVideoX", _COGVIDEOX_VAE),
}


def _sd35(transformer: str) -> tuple[PublishedPart, ...]:
    return (
        PublishedPart("text_encoder", "clip-l", "F16"),
        PublishedPart("text_encoder_2", "clip-g", "F16"),
        PublishedPart("text_encoder_3", "t5-xxl", "F16"),
        PublishedPart("transformer", transformer, "BF16"),
        PublishedPart("vae", "sd3-vae", "BF16"),
    )


def _cogvideox(transformer: str, precision: str) -> tuple[PublishedPart, ...]:
    return (
        PublishedPart("text_encoder", "t5-xxl", precision),
        PublishedPart("transformer", transformer, precision),
        PublishedPart("vae", "cogvideox-vae", precision),
    )


MODELS: dict[str, tuple[PublishedPart, ...]] = {
    "sd3.5-large": _sd35("sd3.5-large"),
    "sd3.5-large-turbo": _sd35("sd3.5-large"),
    "sd3.5-medium": _sd35("sd3.5-medium"),
    "cogvideox-2b": _cogvideox("cogvideox-2b", "F16"),
    "cogvideox-5b": _cogvideox("cogvideox-5b", "BF16"),
    "cogvideox-1.5-5b": _cogvideox("cogvideox-1.5-5b", "BF16"),
    "cogvideox-5b-i2v": _cogvideox("cogvideox-5b-i2v", "BF16"),
    "cogvideox-1.5-5b-i2v": _cogvideox("cogvideox-1.5-5b-i2v", "BF16"),
}
