"""Which kinds of components a file holds, below which prefixes, and which model its transformer is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from engine.models.reading.cogvideox_files import is_2b
from engine.models.reading.shapes import Shapes, count
from engine.protocol.errors import BadFile

_TRANSFORMER_PREFIXES = ("model.diffusion_model.", "diffusion_model.", "transformer.", "model.", "module.", "")
_MMDIT = "joint_blocks.0.x_block.attn.qkv.weight"
_MMDIT_DIFFUSERS = ("transformer_blocks.0.attn.norm_added_q.weight", "transformer_blocks.0.attn.add_q_proj.weight")
_POSITIONS = "pos_embed.pos_embed"
_COGVIDEOX = ("transformer_blocks.0.attn1.norm_q.weight", "patch_embed.text_proj.weight")
_VAE_PREFIXES = ("first_stage_model.", "vae.", "")
_CLIP_WORDS = "text_model.embeddings.token_embedding.weight"
_CLIP_WIDTHS = {768: "clip_l", 1280: "clip_g"}
_TEXT_PREFIXES = {
    "clip_l": ("text_encoders.clip_l.transformer.", "text_encoders.clip_l.", "clip_l.transformer."),
    "clip_g": ("text_encoders.clip_g.transformer.", "text_encoders.clip_g.", "clip_g.transformer."),
    "t5": ("text_encoders.t5xxl.transformer.", "text_encoders.t5xxl.", "t5xxl.transformer."),
}
_FLUX_VAE = re.compile(r"flux|^ae$|^ae[._-]")  # of the same shapes as SD 3.5's, with other numbers


@dataclass(frozen=True)
class Found:
    kind: str
    prefix: str


def find_components(shapes: Shapes, stem: str) -> list[Found]:
    """The transformer first. ``stem`` is the file's name: FLUX's VAE is told from SD 3's by nothing else, and raises
    ``BadFile``."""
    found = []
    transformer = _transformer(shapes)
    if transformer is not None:
        found.append(transformer)
    found += _vae(shapes, stem, alone=transformer is None)
    for kind, prefixes in _TEXT_PREFIXES.items():
        prefix = next((prefix for prefix in prefixes if _text(shapes, prefix) == kind), None)
        if prefix is not None:
            found.append(Found(kind, prefix))
    alone = next((kind for prefix in ("", "transformer.") if (kind := _text(shapes, prefix))), "")
    if alone and not found:
        found.append(Found(alone, ""))
    return found


def is_controlnet(shapes: Shapes) -> bool:
    """One of Stable Diffusion 3.5, in diffusers' names or the vendor's."""
    return any(name.endswith("controlnet_blocks.0.weight") for name in shapes) and not any(
        name.startswith(("single_", "controlnet_single", "double_blocks", "input_hint")) for name in shapes
    )


def model_of(found: Found, shapes: Shapes, path: Path) -> str:
    """The catalogued id of a transformer, "" for anything else. Raises ``BadFile`` for one that is not run."""
    own = {name.removeprefix(found.prefix): shape for name, shape in shapes.items() if name.startswith(found.prefix)}
    if found.kind == "sd3_transformer":
        return _sd35(own, path)
    return _cogvideox(own, path) if found.kind == "cogvideox_transformer" else ""


def _transformer(shapes: Shapes) -> Found | None:
    for prefix in _TRANSFORMER_PREFIXES:
        is_mmdit = any(f"{prefix}{name}" in shapes for name in _MMDIT_DIFFUSERS) and f"{prefix}{_POSITIONS}" in shapes
        if is_mmdit or f"{prefix}{_MMDIT}" in shapes:
            return Found("sd3_transformer", prefix)
        if all(f"{prefix}{name}" in shapes for name in _COGVIDEOX):
            return Found("cogvideox_transformer", prefix)
    return None


def _vae(shapes: Shapes, stem: str, alone: bool) -> list[Found]:
    for prefix in _VAE_PREFIXES:
        clip = shapes.get(f"{prefix}decoder.conv_in.conv.weight")  # causal convolutions lie one deeper
        if clip is not None and len(clip) == 5 and clip[1] == 16 and f"{prefix}{_CAUSAL_BLOCK}" in shapes:
            return [Found("cogvideox_vae", prefix)]
        picture = shapes.get(f"{prefix}decoder.conv_in.weight")
        if picture is not None and len(picture) == 4 and picture[1] == 16:
            if alone and _FLUX_VAE.search(stem.lower()):
                raise BadFile(f"{stem} is FLUX's VAE.", "Choose that of Stable Diffusion 3.5.")
            return [Found("sd3_vae", prefix)]
    return []


_CAUSAL_BLOCK = "encoder.down_blocks.0.resnets.0.conv1.conv.weight"


def _text(shapes: Shapes, prefix: str) -> str:
    """The kind of text encoder below ``prefix``, "" for none."""
    words = shapes.get(f"{prefix}{_CLIP_WORDS}")
    if words is not None and len(words) == 2:
        return _CLIP_WIDTHS.get(words[1], "")
    return "t5" if _is_t5(shapes, prefix) else ""


def _is_t5(shapes: Shapes, prefix: str) -> bool:
    """The encoder of T5 v1.1 XXL, not that of UMT5, which has positions of its own in each layer."""
    words = shapes.get(f"{prefix}shared.weight") or shapes.get(f"{prefix}encoder.embed_tokens.weight") or ()
    ggml = shapes.get(f"{prefix}token_embd.weight") or ()
    if ggml[-1:] == (4096,):
        return (
            f"{prefix}enc.blk.0.attn_rel_b.weight" in shapes
            and f"{prefix}enc.blk.1.attn_rel_b.weight" not in shapes
            and f"{prefix}enc.blk.0.ffn_gate.weight" in shapes
        )
    return (
        words[-1:] == (4096,)
        and any(key.startswith(prefix) and key.endswith(".layer.1.DenseReluDense.wo.weight") for key in shapes)
        and f"{prefix}encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight" not in shapes
        and f"{prefix}decoder.block.0.layer.0.SelfAttention.q.weight" not in shapes
    )


def _sd35(shapes: Shapes, path: Path) -> str:
    depth = count(shapes, r"(?:joint|transformer)_blocks\.(\d{1,3})\.")
    attention = "joint_blocks.0.x_block.attn"
    if f"{attention}2.qkv.weight" in shapes or "transformer_blocks.0.attn2.to_q.weight" in shapes:
        return "sd3.5-medium"
    # SD 3.5 normalises queries and keys.
    normalised = f"{attention}.ln_q.weight" in shapes or "transformer_blocks.0.attn.norm_q.weight" in shapes
    if depth == 38 or normalised:  # Large and Turbo differ in their numbers only.
        return "sd3.5-large-turbo" if "turbo" in path.name.lower() else "sd3.5-large"
    raise BadFile(
        f"{path.name} is an MMDiT of {depth} blocks (Stable Diffusion 3 Medium has 24): no Stable Diffusion 3.5.",
        "Get one of the 3.5 models.",
    )


def _cogvideox(shapes: Shapes, path: Path) -> str:
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
