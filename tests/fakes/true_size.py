"""Files with the true names, shapes and sizes of published weights, and no data on the disk (sparse).

The names come from the networks themselves, made without memory from the published configurations; what other programs
call them comes from ``single_files``.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import torch
from accelerate import init_empty_weights
from torch import Tensor

from engine.families.registry import NETWORKS
from engine.models.gguf_header import TYPES
from tests.fakes import single_files as layouts

Shapes = dict[str, tuple[int, ...]]
Storage = dict[str, tuple[str, tuple[int, ...]]]
"""By name: the dtype as safetensors writes it, and the shape."""

DTYPE_BYTES = {"F32": 4, "BF16": 2, "F16": 2, "F8_E4M3": 1, "U8": 1}


@cache
def shapes_of(network: str) -> Shapes:
    """The state of a published network (a name of ``registry.NETWORKS``) as diffusers or transformers names it."""
    import diffusers
    import transformers

    cls_name, config = NETWORKS[network]
    with init_empty_weights(include_buffers=True):
        if hasattr(diffusers, cls_name):
            made = getattr(diffusers, cls_name).from_config(config)
        else:
            cls = getattr(transformers, cls_name)
            made = cls(cls.config_class(**config))
    return {name: tuple(tensor.shape) for name, tensor in made.state_dict().items()}


def renamed(shapes: Shapes, naming: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]) -> Shapes:
    """``naming`` of tensors (a function of ``single_files``) for shapes."""
    tensors = naming({name: torch.empty(shape, device="meta") for name, shape in shapes.items()})
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def under(prefix: str, storage: Storage) -> Storage:
    return {prefix + name: one for name, one in storage.items()}


def plain(shapes: Shapes, dtype: str) -> Storage:
    return {name: (dtype, shape) for name, shape in shapes.items()}


def fp8(shapes: Shapes, scaled: bool, rest: str = "F16") -> Storage:
    """Matrices in eight bits, what is small in sixteen; with ComfyUI's factors or without."""
    found: Storage = {"scaled_fp8": ("F8_E4M3", (2,))} if scaled else {}
    for name, shape in shapes.items():
        is_matrix = len(shape) == 2 and name.endswith(".weight") and math.prod(shape) > 100_000
        found[name] = ("F8_E4M3" if is_matrix else rest, shape)
        if is_matrix and scaled:
            found[name.removesuffix(".weight") + ".scale_weight"] = ("F32", ())
    return found


def ggml_blocks(shapes: Shapes, type: str = "Q4_0") -> Storage:
    """Matrices of the blocks as ggml blocks within safetensors."""
    numbers, size = next((numbers, size) for name, numbers, size in TYPES.values() if name == type)
    found: Storage = {}
    for name, shape in shapes.items():
        if len(shape) == 2 and "transformer_blocks" in name:
            stem = name.removesuffix(".weight")
            found[f"{stem}.{type}_qweight"] = ("U8", (shape[0], shape[1] // numbers * size))
        else:
            found[name] = ("BF16", shape)
    return found


def safetensors(path: Path, storage: Storage, metadata: Mapping[str, str] | None = None) -> Path:
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name, (dtype, shape) in storage.items():
        size = math.prod(shape) * DTYPE_BYTES[dtype]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    raw = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(len(raw).to_bytes(8, "little") + raw)
        file.truncate(8 + len(raw) + end)
    return path


def gguf(path: Path, shapes: Shapes, type: str, metadata: Mapping[str, object] | None = None) -> Path:
    """Matrices in ``type`` where whole blocks of it fill their rows, everything else in F32."""
    ids = {name: (number, block, size) for number, (name, block, size) in TYPES.items()}
    entries, offset = [], 0
    for name, shape in shapes.items():
        fits = len(shape) == 2 and shape[-1] % ids[type][1] == 0 and name != "pos_embed"
        number, block, size = ids[type if fits else "F32"]
        entries.append(_text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape[::-1], number, offset))
        offset += -(-math.prod(shape) // block * size // 32) * 32
    told = metadata or {}
    raw = b"GGUF" + struct.pack("<IQQ", 3, len(entries), len(told))
    raw += b"".join(_text(key) + _value(value) for key, value in told.items()) + b"".join(entries)
    raw += bytes(-len(raw) % 32)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(raw)
        file.truncate(len(raw) + offset)
    return path


def _text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def _value(value: object) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    assert isinstance(value, list)
    kind, body = _ARRAYS[type(value[0])]
    return struct.pack("<IIQ", 9, kind, len(value)) + b"".join(map(body, value))


_ARRAYS: dict[type, tuple[int, Callable[..., bytes]]] = {
    str: (8, _text),
    float: (6, lambda value: struct.pack("<f", value)),
    int: (5, lambda value: struct.pack("<i", value)),
}


def mmdit(network: str) -> Shapes:
    """The transformer as the vendor names it."""
    return renamed(shapes_of(network), layouts.original_transformer)


def vae() -> Shapes:
    """Stable Diffusion 3.5's as the vendor names it."""
    return renamed(shapes_of("sd3-vae"), layouts.original_vae)


def t5() -> Shapes:
    """The encoder with one table of words, as most files have it."""
    return {name: shape for name, shape in shapes_of("t5-xxl").items() if name != "encoder.embed_tokens.weight"}


def encoders(*names: str, dtype: str = "F16") -> Storage:
    """Those of an all-in-one file."""
    of: dict[str, Shapes] = {"clip_l": shapes_of("clip-l"), "clip_g": shapes_of("clip-g"), "t5xxl": t5()}
    found: Storage = {}
    for name in names:
        found |= under(f"text_encoders.{name}.transformer.", plain(of[name], dtype))
    return found


@cache
def controlnet() -> Shapes:
    """The vendor's for Large, of eight billion: no text of its own, the main network's embedded latents."""
    from diffusers.models.controlnets.controlnet_sd3 import SD3ControlNetModel

    config = {key: value for key, value in NETWORKS["sd3.5-large"][1].items() if key != "dual_attention_layers"}
    with init_empty_weights(include_buffers=True):
        made = SD3ControlNetModel.from_config(
            config | {"num_layers": 38, "joint_attention_dim": None, "use_pos_embed": False, "pos_embed_type": None}
        )
    return {name: tuple(tensor.shape) for name, tensor in made.state_dict().items()}
