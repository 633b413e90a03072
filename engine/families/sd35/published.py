"""The published models' networks, so that they can be planned before they are downloaded.

The configurations are those of the publisher's ``config.json`` files as far as they decide sizes; the parameters that
they give agree with the published counts. A downloaded model's own files always win.
"""

from __future__ import annotations

from typing import Any

from engine.families.base import PublishedPart
from engine.families.networks import PICTURE_VAE, NetworkClass
from engine.families.sd35.lora import layer_names

TRANSFORMER = NetworkClass(
    "SD3Transformer2DModel",
    "diffusers.models.transformers.transformer_sd3",
    "denoiser",
    (
        "attention_head_dim",
        "caption_projection_dim",
        "dual_attention_layers",
        "in_channels",
        "joint_attention_dim",
        "num_attention_heads",
        "num_layers",
        "patch_size",
        "pooled_projection_dim",
        "pos_embed_max_size",
        "qk_norm",
    ),
    call="engine.families.sd35.network.calls:call",
    lora_names=layer_names,
    other_blocks="dual_attention_layers",
    largest=lambda config: int(config.get("pos_embed_max_size", 192)) * 16,
    texts=lambda config: (333, 154, 589),  # 77 of the CLIPs, and 77, 256 or 512 of the T5
    widened_in_use=("PatchEmbed",),  # 0.9 GB in float32, of which a picture uses a corner
    eight_bit=True,
)

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

NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "sd3.5-large": (TRANSFORMER.name, _SD35_LARGE),
    "sd3.5-medium": (TRANSFORMER.name, _SD35_MEDIUM),
    "sd3-vae": (PICTURE_VAE.name, _SD3_VAE),
}


def _parts(transformer: str) -> tuple[PublishedPart, ...]:
    return (
        PublishedPart("text_encoder", "clip-l", "F16"),
        PublishedPart("text_encoder_2", "clip-g", "F16"),
        PublishedPart("text_encoder_3", "t5-xxl", "F16"),
        PublishedPart("transformer", transformer, "BF16"),
        PublishedPart("vae", "sd3-vae", "BF16"),
    )


PUBLISHED = {
    "sd3.5-large": _parts("sd3.5-large"),
    "sd3.5-large-turbo": _parts("sd3.5-large"),
    "sd3.5-medium": _parts("sd3.5-medium"),
}
