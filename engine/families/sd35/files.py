"""Stable Diffusion 3's own networks in single files: the original checkpoints' names, and what the shapes say.

Sources of the original names: Stability AI's ``sd3-ref`` (``mmditx.py``, ``other_impls.py``) for the transformer,
CompVis' latent-diffusion (``autoencoder``) for the VAE. A file that has diffusers' names already is taken as it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.families.files import FileKind
from engine.families.networks import PICTURE_VAE
from engine.families.sd35.published import TRANSFORMER
from engine.families.shapes import Shapes, count
from engine.families.takes import THIRDS, Piece, Take, as_they_are
from engine.protocol.errors import BadFile
from resources import CONFIGS

_TRANSFORMER = {
    "x_embedder.proj": "pos_embed.proj",
    "t_embedder.mlp.0": "time_text_embed.timestep_embedder.linear_1",
    "t_embedder.mlp.2": "time_text_embed.timestep_embedder.linear_2",
    "y_embedder.mlp.0": "time_text_embed.text_embedder.linear_1",
    "y_embedder.mlp.2": "time_text_embed.text_embedder.linear_2",
    "context_embedder": "context_embedder",
    "final_layer.linear": "proj_out",
    "final_layer.adaLN_modulation.1": "norm_out.linear",
}
_BLOCK = re.compile(r"joint_blocks\.(\d+)\.(x|context)_block\.(.+)")
_IN_BLOCK = {
    "x": {
        "attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
        "attn.ln_q": ("attn.norm_q",),
        "attn.ln_k": ("attn.norm_k",),
        "attn.proj": ("attn.to_out.0",),
        "attn2.qkv": ("attn2.to_q", "attn2.to_k", "attn2.to_v"),
        "attn2.ln_q": ("attn2.norm_q",),
        "attn2.ln_k": ("attn2.norm_k",),
        "attn2.proj": ("attn2.to_out.0",),
        "mlp.fc1": ("ff.net.0.proj",),
        "mlp.fc2": ("ff.net.2",),
        "adaLN_modulation.1": ("norm1.linear",),
    },
    "context": {
        "attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
        "attn.ln_q": ("attn.norm_added_q",),
        "attn.ln_k": ("attn.norm_added_k",),
        "attn.proj": ("attn.to_add_out",),
        "mlp.fc1": ("ff_context.net.0.proj",),
        "mlp.fc2": ("ff_context.net.2",),
        "adaLN_modulation.1": ("norm1_context.linear",),
    },
}


def transformer(names: Iterable[str]) -> list[Take]:
    """MMDiT and MMDiT-X. The last context block only feeds attention: its modulation is (shift, scale)."""
    names = list(names)
    if "pos_embed.pos_embed" in names:
        return as_they_are(names)
    last = max((int(match[1]) for name in names if (match := _BLOCK.match(name))), default=-1)
    found = []
    for name in names:
        stem, _, kind = name.rpartition(".")
        match = _BLOCK.match(stem)
        if name == "pos_embed":
            found.append(Take("pos_embed.pos_embed", name, "positions"))
        elif match:
            targets = _IN_BLOCK[match[2]].get(match[3], ())
            is_last = match[2] == "context" and int(match[1]) == last and match[3] == "adaLN_modulation.1"
            pieces = THIRDS if len(targets) == 3 else ("swapped" if is_last else "all",)
            block = f"transformer_blocks.{match[1]}"
            found += [
                Take(f"{block}.{target}.{kind}", name, piece)
                for target, piece in zip(targets, pieces, strict=False)  # no targets: what is unknown is left out
            ]
        elif stem in _TRANSFORMER:
            piece: Piece = "swapped" if stem == "final_layer.adaLN_modulation.1" else "all"
            found.append(Take(f"{_TRANSFORMER[stem]}.{kind}", name, piece))
    return found


_VAE_RULES: tuple[tuple[str, str], ...] = (
    (r"\.mid\.block_1\.", ".mid_block.resnets.0."),
    (r"\.mid\.block_2\.", ".mid_block.resnets.1."),
    (r"\.mid\.attn_1\.norm\.", ".mid_block.attentions.0.group_norm."),
    (r"\.mid\.attn_1\.([qkv])\.", r".mid_block.attentions.0.to_\1."),
    (r"\.mid\.attn_1\.proj_out\.", ".mid_block.attentions.0.to_out.0."),
    (r"\.down\.(\d+)\.block\.(\d+)\.", r".down_blocks.\1.resnets.\2."),
    (r"\.down\.(\d+)\.downsample\.", r".down_blocks.\1.downsamplers.0."),
    (r"\.up\.(\d+)\.block\.(\d+)\.", r".up_blocks.\1.resnets.\2."),
    (r"\.up\.(\d+)\.upsample\.", r".up_blocks.\1.upsamplers.0."),
    (r"\.nin_shortcut\.", ".conv_shortcut."),
    (r"coder\.norm_out\.", "coder.conv_norm_out."),
)
_UP = re.compile(r"\.up_blocks\.(\d+)\.")


def vae(names: Iterable[str]) -> list[Take]:
    """The original counts the decoder's levels from the fine end, diffusers from the coarse one."""
    names = [name for name in names if name.startswith(("encoder.", "decoder.", "quant_conv.", "post_quant_conv."))]
    if any(".up_blocks." in name for name in names):
        return as_they_are(names)
    levels = 1 + max((int(match[1]) for name in names if (match := re.search(r"\.up\.(\d+)\.", name))), default=0)
    found = []
    for name in names:
        target = name
        for pattern, replacement in _VAE_RULES:
            target = re.sub(pattern, replacement, target)
        target = _UP.sub(lambda match: f".up_blocks.{levels - 1 - int(match[1])}.", target)
        is_matrix = re.search(r"\.attn_1\.(q|k|v|proj_out)\.weight$", name) is not None
        found.append(Take(target, name, "matrix" if is_matrix else "all"))
    return found


def transformer_config(shapes: Shapes) -> dict[str, Any]:
    width, channels, patch, _ = shapes["pos_embed.proj.weight"]
    layers = count(shapes, r"transformer_blocks\.(\d+)\.")
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
        "pos_embed_max_size": math.isqrt(shapes["pos_embed.pos_embed"][-2]),
        "dual_attention_layers": [
            layer for layer in range(layers) if f"transformer_blocks.{layer}.attn2.to_q.weight" in shapes
        ],
        "qk_norm": "rms_norm" if norm else None,
    }


def vae_config(shapes: Shapes) -> dict[str, Any]:
    levels = count(shapes, r"encoder\.down_blocks\.(\d+)\.")
    resnets = "encoder.down_blocks.{}.resnets.0.conv1.weight"
    return {
        "block_out_channels": [shapes[resnets.format(level)][0] for level in range(levels)],
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "layers_per_block": count(shapes, r"encoder\.down_blocks\.0\.resnets\.(\d+)\."),
        "latent_channels": shapes["decoder.conv_in.weight"][1],
        "use_quant_conv": "quant_conv.weight" in shapes,
        "use_post_quant_conv": "post_quant_conv.weight" in shapes,
    }


_PREFIXES = ("model.diffusion_model.", "diffusion_model.", "transformer.", "model.", "module.", "")
_MMDIT = "joint_blocks.0.x_block.attn.qkv.weight"
_MMDIT_DIFFUSERS = ("transformer_blocks.0.attn.norm_added_q.weight", "transformer_blocks.0.attn.add_q_proj.weight")
_POSITIONS = "pos_embed.pos_embed"
_FLUX_VAE = re.compile(r"flux|^ae$|^ae[._-]")  # of the same shapes, with other numbers


def _is_transformer(shapes: Shapes, prefix: str, stem: str) -> bool:
    is_diffusers = any(f"{prefix}{name}" in shapes for name in _MMDIT_DIFFUSERS) and f"{prefix}{_POSITIONS}" in shapes
    return is_diffusers or f"{prefix}{_MMDIT}" in shapes


def _is_vae(shapes: Shapes, prefix: str, stem: str) -> bool:
    first = shapes.get(f"{prefix}decoder.conv_in.weight", ())
    return len(first) == 4 and first[1] == 16


def _refuse_flux(stem: str) -> None:
    if _FLUX_VAE.search(stem.lower()):
        raise BadFile(f"{stem} is FLUX's VAE.", "Choose that of Stable Diffusion 3.5.")


def model_of(shapes: Shapes, path: Path) -> str:
    """Large and Turbo differ in their numbers only, Stable Diffusion 3 from 3.5 in that it does not normalise queries
    and keys."""
    depth = count(shapes, r"(?:joint|transformer)_blocks\.(\d{1,3})\.")
    attention = "joint_blocks.0.x_block.attn"
    if f"{attention}2.qkv.weight" in shapes or "transformer_blocks.0.attn2.to_q.weight" in shapes:
        return "sd3.5-medium"
    normalised = f"{attention}.ln_q.weight" in shapes or "transformer_blocks.0.attn.norm_q.weight" in shapes
    if depth == 38 or normalised:
        return "sd3.5-large-turbo" if "turbo" in path.name.lower() else "sd3.5-large"
    raise BadFile(
        f"{path.name} is an MMDiT of {depth} blocks (Stable Diffusion 3 Medium has 24): no Stable Diffusion 3.5.",
        "Get one of the 3.5 models.",
    )


def is_controlnet(shapes: Shapes) -> bool:
    """In diffusers' names or the vendor's: only these embed the picture that controls as the latents are embedded."""
    return all(any(name.endswith(own) for name in shapes) for own in _CONTROLNET)


_CONTROLNET = ("controlnet_blocks.0.weight", "pos_embed_input.proj.weight")
SCHEDULER = CONFIGS / "sd35" / "scheduler"
TRANSFORMER_KIND = FileKind(
    "sd3_transformer",
    "transformer",
    TRANSFORMER.name,
    CONFIGS / "sd35" / "transformer",
    transformer,
    lambda shapes, name: transformer_config(shapes),
    prefixes=_PREFIXES,
    is_at=_is_transformer,
    model_of=model_of,
)
VAE_KIND = FileKind(
    "sd3_vae",
    "VAE",
    PICTURE_VAE.name,
    CONFIGS / "sd35" / "vae",
    vae,
    lambda shapes, name: vae_config(shapes),
    ("latent_channels", 16),
    ("first_stage_model.", "vae.", ""),
    is_at=_is_vae,
    refuse_alone=_refuse_flux,
)
