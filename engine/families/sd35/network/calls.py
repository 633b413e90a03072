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
    _frames, height, width = size
    output: Tensor = network(
        hidden_states=make(batch, int(config["in_channels"]), height, width, dtype=dtype),
        timestep=make(batch),
        encoder_hidden_states=make(batch, text, int(config["joint_attention_dim"]), dtype=dtype),
        pooled_projections=make(batch, int(config["pooled_projection_dim"]), dtype=dtype),
        return_dict=False,
    )[0]
    return output
