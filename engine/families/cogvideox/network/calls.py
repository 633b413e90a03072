"""One call of the transformer at a given size, for simulations and measurements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def call(
    network: Any,
    config: dict[str, Any],
    batch: int,
    size: tuple[int, int, int],
    text: int,
    make: Callable[..., Tensor],
    dtype: torch.dtype,
) -> Tensor:
    """``size``: latent frames, height and width in latent pixels. ``make`` gives the inputs from their shapes."""
    frames, height, width = size
    patch_t = config.get("patch_size_t") or 1
    frames = -(-frames // patch_t) * patch_t
    tokens = frames // patch_t * (height // 2) * (width // 2)
    rotary = None
    if config.get("use_rotary_positional_embeddings"):
        rotary = (make(tokens, int(config["attention_head_dim"])),) * 2
    output: Tensor = network(
        hidden_states=make(batch, frames, int(config["in_channels"]), height, width, dtype=dtype),
        encoder_hidden_states=make(batch, text, int(config.get("text_embed_dim", 4096)), dtype=dtype),
        timestep=make(batch),
        ofs=make(1, dtype=dtype) if config.get("ofs_embed_dim") else None,
        image_rotary_emb=rotary,
        return_dict=False,
    )[0]
    return output
