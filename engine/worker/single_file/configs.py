"""A component's configuration: the published one (``resources/configs``), with what the tensors' shapes say instead.

Single files carry no configuration. Widths, depths and positions show in the shapes; what does not (activations,
scaling factors, the number of groups) is the same in every published Stable Diffusion 3.5.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from resources import CONFIGS as ALL_CONFIGS

CONFIGS = ALL_CONFIGS / "sd35"
Shapes = Mapping[str, tuple[int, ...]]


def config_changes(component: str, shapes: Shapes) -> dict[str, Any]:
    """What the shapes of ``component`` (names of diffusers and transformers) say. Raises ``KeyError``, ``IndexError``
    or ``ZeroDivisionError`` where an important tensor is missing or odd.
    """
    if component == "transformer":
        return _transformer(shapes)
    if component == "vae":
        return _vae(shapes)
    return _t5(shapes) if component == "text_encoder_3" else _clip(shapes)


def _count(shapes: Shapes, pattern: str) -> int:
    found = (re.match(pattern, name) for name in shapes)
    return 1 + max((int(match[1]) for match in found if match), default=-1)


def _transformer(shapes: Shapes) -> dict[str, Any]:
    width, channels, patch, _ = shapes["pos_embed.proj.weight"]
    layers = _count(shapes, r"transformer_blocks\.(\d+)\.")
    norm = shapes.get("transformer_blocks.0.attn.norm_q.weight")
    head = norm[0] if norm else 64
    return {
        "patch_size": patch,
        "in_channels": channels,
        "out_channels": shapes["proj_out.weight"][0] // patch**2,
        "num_layers": layers,
        "attention_head_dim": head,
        "num_attention_heads": width // head,
        "caption_projection_dim": width,
        "joint_attention_dim": shapes["context_embedder.weight"][1],
        "pooled_projection_dim": shapes["time_text_embed.text_embedder.linear_1.weight"][1],
        "pos_embed_max_size": math.isqrt(shapes["pos_embed.pos_embed"][1]),
        "dual_attention_layers": [
            layer for layer in range(layers) if f"transformer_blocks.{layer}.attn2.to_q.weight" in shapes
        ],
        "qk_norm": "rms_norm" if norm else None,
    }


def _vae(shapes: Shapes) -> dict[str, Any]:
    levels = _count(shapes, r"encoder\.down_blocks\.(\d+)\.")
    resnets = "encoder.down_blocks.{}.resnets.0.conv1.weight"
    return {
        "block_out_channels": [shapes[resnets.format(level)][0] for level in range(levels)],
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "layers_per_block": _count(shapes, r"encoder\.down_blocks\.0\.resnets\.(\d+)\."),
        "latent_channels": shapes["decoder.conv_in.weight"][1],
        "use_quant_conv": "quant_conv.weight" in shapes,
        "use_post_quant_conv": "post_quant_conv.weight" in shapes,
    }


def _clip(shapes: Shapes) -> dict[str, Any]:
    vocabulary, width = shapes["text_model.embeddings.token_embedding.weight"]
    return {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": shapes["text_model.encoder.layers.0.mlp.fc1.weight"][0],
        "num_hidden_layers": _count(shapes, r"text_model\.encoder\.layers\.(\d+)\."),
        "num_attention_heads": width // 64,
        "max_position_embeddings": shapes["text_model.embeddings.position_embedding.weight"][0],
        "projection_dim": shapes.get("text_projection.weight", (width,))[0],
    }


def _t5(shapes: Shapes) -> dict[str, Any]:
    vocabulary, width = shapes.get("shared.weight") or shapes["encoder.embed_tokens.weight"]
    attention = "encoder.block.0.layer.0.SelfAttention"
    buckets, heads = shapes[f"{attention}.relative_attention_bias.weight"]
    return {
        "vocab_size": vocabulary,
        "d_model": width,
        "d_kv": shapes[f"{attention}.q.weight"][0] // heads,
        "d_ff": shapes["encoder.block.0.layer.1.DenseReluDense.wo.weight"][1],
        "num_layers": _count(shapes, r"encoder\.block\.(\d+)\."),
        "num_heads": heads,
        "relative_attention_num_buckets": buckets,
    }
