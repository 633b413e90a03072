"""LoRA files with nothing but zeros in them."""

from __future__ import annotations

import json
import struct
from pathlib import Path

NAMES = {
    "sd35": "transformer.transformer_blocks.0.attn.to_q",
    "kohya": "lora_unet_joint_blocks_0_x_block_attn_qkv",
    "cogvideox": "transformer.transformer_blocks.0.attn1.to_q",
    "flux": "transformer.single_transformer_blocks.0.attn.to_q",
    "sdxl": "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q",
}


def write_lora(
    path: Path, kind: str = "sd35", width: int = 64, rank: int = 4, metadata: dict[str, str] | None = None
) -> Path:
    """A LoRA of one layer, named as files of that ``kind`` are."""
    down, up = ("lora_down", "lora_up") if kind in ("kohya", "sdxl") else ("lora_A", "lora_B")
    return write_tensors(
        path, {f"{NAMES[kind]}.{down}.weight": (rank, width), f"{NAMES[kind]}.{up}.weight": (width, rank)}, metadata
    )


def write_tensors(path: Path, shapes: dict[str, tuple[int, ...]], metadata: dict[str, str] | None = None) -> Path:
    """A safetensors file of fp32 zeros."""
    header: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    place = 0
    for name, shape in shapes.items():
        size = 4
        for length in shape:
            size *= length
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [place, place + size]}
        place += size
    raw = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + bytes(place))
    return path
