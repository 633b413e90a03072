"""Its networks, its published model, and where that would come from."""

from __future__ import annotations

from typing import Any

from engine.families.base import PublishedPart
from engine.families.networks import PICTURE_VAE, NetworkClass
from engine.families.source import APACHE_2, ModelSource, SourceComponent

from .lora import layer_names

TRANSFORMER = NetworkClass(
    "TwofoldTransformer",
    "tests.fakes.third_family.network.transformer",
    "denoiser",
    ("attention_head_dim", "in_channels", "num_attention_heads", "num_layers", "patch_size", "text_dim"),
    call="tests.fakes.third_family.network.calls:call",
    eight_bit=True,
    lora_names=layer_names,
    blocks="stages",
    texts=lambda config: (12, 4, 77),
)
TRANSFORMER_CONFIG: dict[str, Any] = {
    "attention_head_dim": 16,
    "in_channels": 4,
    "num_attention_heads": 2,
    "num_layers": 6,
    "patch_size": 2,
    "text_dim": 40,
}
VAE_CONFIG: dict[str, Any] = {
    "block_out_channels": [8, 8, 16, 16],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "latent_channels": 4,
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "scaling_factor": 0.5,
    "shift_factor": 0.1,
    "use_quant_conv": False,
    "use_post_quant_conv": False,
}
NETWORKS = {
    "twofold": (TRANSFORMER.name, TRANSFORMER_CONFIG),
    "twofold-vae": (PICTURE_VAE.name, VAE_CONFIG),
}
PUBLISHED = {
    "twofold-one": (
        PublishedPart("text_encoder", "t5-xxl", "BF16"),
        PublishedPart("transformer", "twofold", "BF16"),
        PublishedPart("transformer_2", "twofold", "BF16"),
        PublishedPart("vae", "twofold-vae", "BF16"),
    )
}
SOURCES = (
    ModelSource(
        id="twofold-one",
        name="Twofold One",
        kind="image",
        summary="For tests.",
        repository="nobody/twofold-one",
        licence=APACHE_2.id,
        components=(
            SourceComponent("scheduler", has_weights=False),
            SourceComponent("tokenizer", has_weights=False),
            *map(SourceComponent, ("text_encoder", "transformer", "transformer_2", "vae")),
        ),
        bytes=10**9,
        memory=4,
    ),
)
