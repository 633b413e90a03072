"""CogVideoX' networks in single files, which have diffusers' names, and what the shapes say of them.

The 2B model is told from the others by its 30 blocks (or its file's name): positions that are computed leave no trace
in a file.
"""

from __future__ import annotations

from typing import Any

from engine.models.reading.shapes import Shapes, count

BLOCKS_OF_2B = 30
_PUBLISHED = (30, 42)


def transformer_config(shapes: Shapes, name: str = "") -> dict[str, Any]:
    """``name`` is the file's. 1.5 takes its patches from a matrix, the others from a convolution."""
    patch = shapes["patch_embed.proj.weight"]
    width, text = shapes["patch_embed.text_proj.weight"]
    layers = count(shapes, r"transformer_blocks\.(\d+)\.")
    head = shapes["transformer_blocks.0.attn1.norm_q.weight"][0]
    found: dict[str, Any] = {
        "attention_head_dim": head,
        "num_attention_heads": width // head,
        "num_layers": layers,
        "text_embed_dim": text,
        "time_embed_dim": shapes["time_embedding.linear_1.weight"][0],
        "use_rotary_positional_embeddings": not is_2b(layers, name),
    }
    if "ofs_embedding.linear_1.weight" in shapes:
        found["ofs_embed_dim"] = shapes["ofs_embedding.linear_1.weight"][0]
    if len(patch) == 2:  # 1.5: patches of two frames
        found |= {"patch_size_t": 2, "patch_bias": False}
        found |= {"in_channels": patch[1] // 8, "out_channels": shapes["proj_out.weight"][0] // 8}
        return found | {"sample_frames": 81, "sample_height": 300, "sample_width": 300, "max_text_seq_length": 224}
    side = patch[2]
    found |= {"patch_size": side, "in_channels": patch[1], "out_channels": shapes["proj_out.weight"][0] // side**2}
    if "patch_embed.pos_embedding" in shapes and found["in_channels"] > found["out_channels"]:
        found["use_learned_positional_embeddings"] = True
    return found


def is_2b(layers: int, name: str) -> bool:
    return layers == BLOCKS_OF_2B or (layers not in _PUBLISHED and "2b" in name.lower())


def vae_config(shapes: Shapes) -> dict[str, Any]:
    levels = count(shapes, r"encoder\.down_blocks\.(\d+)\.")
    return {
        "block_out_channels": [
            shapes[f"encoder.down_blocks.{level}.resnets.0.conv1.conv.weight"][0] for level in range(levels)
        ],
        "down_block_types": ["CogVideoXDownBlock3D"] * levels,
        "up_block_types": ["CogVideoXUpBlock3D"] * levels,
        "layers_per_block": count(shapes, r"encoder\.down_blocks\.0\.resnets\.(\d+)\."),
        "latent_channels": shapes["decoder.conv_in.conv.weight"][1],
    }
