"""CogVideoX' networks in single files, which have diffusers' names, and what the shapes say of them.

The 2B model is told from the others by its 30 blocks (or its file's name): positions that are computed leave no trace
in a file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.families.cogvideox.published import CLIP_VAE, TRANSFORMER
from engine.families.files import FileKind
from engine.families.shapes import Shapes, count
from engine.protocol.errors import BadFile
from resources import CONFIGS

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


_PREFIXES = ("model.diffusion_model.", "diffusion_model.", "transformer.", "model.", "module.", "")
_TRANSFORMER = ("transformer_blocks.0.attn1.norm_q.weight", "patch_embed.text_proj.weight")
_CAUSAL_BLOCK = "encoder.down_blocks.0.resnets.0.conv1.conv.weight"
_SPATIAL_NORM = "decoder.mid_block.resnets.0.norm1.conv_y.conv.weight"  # HunyuanVideo's VAE has plain ones


def _is_transformer(shapes: Shapes, prefix: str, stem: str) -> bool:
    return all(f"{prefix}{name}" in shapes for name in _TRANSFORMER)


def _is_vae(shapes: Shapes, prefix: str, stem: str) -> bool:
    first = shapes.get(f"{prefix}decoder.conv_in.conv.weight", ())  # causal convolutions lie one deeper
    return (
        len(first) == 5 and first[1] == 16 and all(f"{prefix}{own}" in shapes for own in (_CAUSAL_BLOCK, _SPATIAL_NORM))
    )


def model_of(shapes: Shapes, path: Path) -> str:
    """Told by its patches and its channels: 16, or 32 where it moves a picture."""
    patch = shapes.get("patch_embed.proj.weight", ())
    if len(patch) not in (2, 4):
        raise BadFile(f"{path.name} is a CogVideoX transformer without its patches.", "Get the file again.")
    channels = patch[1] // 8 if len(patch) == 2 else patch[1]
    if channels not in (16, 32):
        raise BadFile(
            f"{path.name} is a CogVideoX transformer of {channels} channels (CogVideoX-Fun has 33).",
            "Get one of the models by Zhipu AI.",
        )
    if len(patch) == 2:
        return "cogvideox-1.5-5b" + ("-i2v" if channels == 32 else "")
    if channels == 32:
        return "cogvideox-5b-i2v"
    return "cogvideox-2b" if is_2b(count(shapes, r"transformer_blocks\.(\d{1,3})\."), path.stem) else "cogvideox-5b"


SCHEDULER = CONFIGS / "cogvideox" / "scheduler"
TRANSFORMER_KIND = FileKind(
    "cogvideox_transformer",
    "transformer",
    TRANSFORMER.name,
    CONFIGS / "cogvideox" / "transformer",
    changes=transformer_config,
    prefixes=_PREFIXES,
    is_at=_is_transformer,
    model_of=model_of,
)
VAE_KIND = FileKind(
    "cogvideox_vae",
    "VAE",
    CLIP_VAE.name,
    CONFIGS / "cogvideox" / "vae",
    changes=lambda shapes, name: vae_config(shapes),
    fits=("latent_channels", 16),
    prefixes=("first_stage_model.", "vae.", ""),
    is_at=_is_vae,
)
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "cogvideox-2b": {"vae": {"scaling_factor": 1.15258426}, "scheduler": {"snr_shift_scale": 3.0}},
    "cogvideox-1.5-5b-i2v": {"vae": {"scaling_factor": 0.7, "invert_scale_latents": True}},
}
"""By model, what is different in the configuration of a component that the files themselves cannot tell."""
