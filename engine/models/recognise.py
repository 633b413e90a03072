"""What a model file is, from its header: family, variant, precision, and which components it holds.

Key names are those of the reference implementations: SD3.5's ``joint_blocks`` (MMDiT), the VAE's
``first_stage_model.``, the text encoders' ``text_encoders.clip_l.`` and so on of all-in-one checkpoints, and the
separate files that ComfyUI users have. Nothing but the header is read; pickles are refused unread.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from engine.files import open_regular
from engine.models.gguf_header import MAGIC, read_gguf
from engine.models.safetensors_header import Header, read_header
from engine.protocol.errors import BadFile, UnsafeModel, from_os_error

PICKLES = (".ckpt", ".pt", ".pth", ".bin", ".pkl", ".pickle")
_PICKLE_STARTS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_TRANSFORMER_PREFIXES = ("model.diffusion_model.", "")
_BLOCK = re.compile(r"(?:joint|transformer)_blocks\.(\d{1,3})\.")
_FIRST = "joint_blocks.0.x_block.attn.qkv.weight"
_FIRST_DIFFUSERS = "transformer_blocks.0.attn.norm_added_q.weight"  # FLUX has it too, but no positions beside it
_FLUX_VAE = re.compile(r"flux|^ae$|^ae[._-]")  # of the same shapes as SD 3.5's, with other numbers
_EMBEDDED_PARTS = {
    "vae": "first_stage_model.",
    "text_encoder": "text_encoders.clip_l.",
    "text_encoder_2": "text_encoders.clip_g.",
    "text_encoder_3": "text_encoders.t5xxl.",
}
_PRECISIONS = {
    "F64": "fp64",
    "F32": "fp32",
    "F16": "fp16",
    "BF16": "bf16",
    "F8_E4M3": "fp8",
    "F8_E5M2": "fp8",
    "I8": "int8",
}
_STRANGERS = {
    "model.diffusion_model.input_blocks.": "a Stable Diffusion 1, 2 or XL checkpoint",
    "double_blocks.": "a FLUX transformer",
    "model.diffusion_model.double_blocks.": "a FLUX checkpoint",
    "transformer_blocks.0.attn1.to_q.": "a transformer of a family that Laterna does not know",
    "lora_": "a LoRA, not a model",
    "control_model.": "a ControlNet, not a model",
}

Format = Literal["diffusers", "safetensors", "gguf"]
Shapes = Mapping[str, tuple[int, ...]]


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """A component at ``path``: a folder in diffusers layout, or a file whose tensors below ``prefix`` it is.

    ``precision`` is what most of it is stored in (bf16, fp16, fp8, Q8_0 …).
    """

    name: str
    path: str
    format: Format
    precision: str
    bytes: int
    prefix: str = ""


class RecognisedFile(msgspec.Struct, frozen=True):
    """``model`` is the catalogued id of the transformer in it, "" where it holds none."""

    family: str
    model: str
    parts: tuple[Part, ...]


def recognise_file(path: Path) -> RecognisedFile:
    """Raises ``UnsafeModel`` for a pickle, ``ModelDamaged`` for a broken header, ``BadFile`` for anything else."""
    if path.suffix.lower() in PICKLES:
        raise _pickle(path)
    try:
        with open_regular(path) as file:
            start = file.read(4)
    except OSError as error:
        raise from_os_error(error, "reading the model file", path) from error
    if start.startswith(_PICKLE_STARTS):
        raise _pickle(path)
    if start == MAGIC:
        return _gguf(path)
    if path.suffix.lower() != ".safetensors":
        raise BadFile(f"{path.name} is no model file that Laterna knows.", "Choose a .safetensors or .gguf file.")
    return _safetensors(path)


def _pickle(path: Path) -> UnsafeModel:
    return UnsafeModel(
        f"{path.name} is a pickle: opening it can run any program.", "Get the same model as .safetensors."
    )


def _safetensors(path: Path) -> RecognisedFile:
    header = read_header(path)
    shapes = {name: tensor.shape for name, tensor in header.tensors.items()}
    for prefix in _TRANSFORMER_PREFIXES:
        if f"{prefix}{_FIRST}" in shapes or f"{prefix}{_FIRST_DIFFUSERS}" in shapes:
            parts = [_part("transformer", path, header, prefix)]
            for name, inner in _EMBEDDED_PARTS.items():
                if any(key.startswith(inner) for key in shapes):
                    parts.append(_part(name, path, header, inner))
            return RecognisedFile("sd35", _sd35_variant(path, shapes, prefix), tuple(parts))
    single = _single_part(path, shapes)
    if single is not None:
        family, name = single
        return RecognisedFile(family, "", (_part(name, path, header, ""),))
    raise _stranger(path, shapes)


def _gguf(path: Path) -> RecognisedFile:
    header = read_gguf(path)
    shapes = {name: tensor.shape for name, tensor in header.tensors.items()}
    if _FIRST not in shapes:
        architecture = str(header.metadata.get("general.architecture", "unknown"))[:40]
        raise BadFile(f"{path.name} holds a model of the kind “{architecture}”.", "Laterna reads GGUF files of SD 3.5.")
    size = sum(tensor.bytes for tensor in header.tensors.values())
    part = Part("transformer", str(path), "gguf", header.type(), size)
    return RecognisedFile("sd35", _sd35_variant(path, shapes, ""), (part,))


def precision_name(dtype: str) -> str:
    """``BF16`` as people write it."""
    return _PRECISIONS.get(dtype, dtype.lower())


def _part(name: str, path: Path, header: Header, prefix: str) -> Part:
    size = sum(tensor.bytes for key, tensor in header.tensors.items() if key.startswith(prefix))
    return Part(name, str(path), "safetensors", precision_name(header.dtype(prefix)), size, prefix)


def _sd35_variant(path: Path, shapes: Shapes, prefix: str) -> str:
    depth = 1 + max(int(match[1]) for key in shapes if (match := _BLOCK.match(key.removeprefix(prefix))))
    attention = f"{prefix}joint_blocks.0.x_block.attn"
    is_diffusers = f"{prefix}{_FIRST}" not in shapes
    if is_diffusers and f"{prefix}pos_embed.pos_embed" not in shapes:
        raise _stranger(path, {"double_blocks.": ()})
    if f"{attention}2.qkv.weight" in shapes or f"{prefix}transformer_blocks.0.attn2.to_q.weight" in shapes:
        return "sd3.5-medium"
    if depth == 38 or is_diffusers or f"{attention}.ln_q.weight" in shapes:  # SD 3.5 normalises queries and keys
        # Large and Turbo differ in their numbers only.
        return "sd3.5-large-turbo" if "turbo" in path.name.lower() else "sd3.5-large"
    raise BadFile(
        f"{path.name} is an MMDiT of {depth} blocks (Stable Diffusion 3 Medium has 24): no Stable Diffusion 3.5.",
        "Get one of the 3.5 models.",
    )


def _single_part(path: Path, shapes: Shapes) -> tuple[str, str] | None:
    """Family and component of a text encoder or VAE file."""
    clip = shapes.get("text_model.embeddings.token_embedding.weight")
    if clip is not None and len(clip) == 2:
        return {768: ("sd35", "text_encoder"), 1280: ("sd35", "text_encoder_2")}.get(clip[1])
    if _is_t5_xxl(shapes):
        return "sd35", "text_encoder_3"
    for prefix in ("", "first_stage_model."):
        decoder = shapes.get(f"{prefix}decoder.conv_in.weight")
        if decoder is not None and len(decoder) == 4 and decoder[1] == 16:
            if _FLUX_VAE.search(path.stem.lower()):
                raise BadFile(f"{path.name} is FLUX's VAE.", "Choose that of Stable Diffusion 3.5.")
            return "sd35", "vae"
    return None


def _is_t5_xxl(shapes: Shapes) -> bool:
    """The encoder of T5 v1.1 XXL, not that of UMT5, which has positions of its own in each layer."""
    words = shapes.get("shared.weight") or shapes.get("encoder.embed_tokens.weight") or ()
    return (
        words[-1:] == (4096,)
        and any(key.endswith(".layer.1.DenseReluDense.wo.weight") for key in shapes)
        and "encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight" not in shapes
        and "decoder.block.0.layer.0.SelfAttention.q.weight" not in shapes
    )


def _stranger(path: Path, shapes: Shapes) -> BadFile:
    for start, what in _STRANGERS.items():
        if any(key.startswith(start) for key in shapes):
            return BadFile(f"{path.name} is {what}.", "Laterna runs Stable Diffusion 3.5 and CogVideoX.")
    return BadFile(
        f"{path.name} holds nothing that Laterna knows ({len(shapes)} tensors).",
        "Laterna runs Stable Diffusion 3.5 and CogVideoX.",
    )
