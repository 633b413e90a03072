"""One call of a transformer at a given size, for simulations and measurements."""

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
    _frames, height, width = size
    output: Tensor = network(
        hidden_states=make(batch, int(config["in_channels"]), height, width, dtype=dtype),
        timestep=make(batch),
        guidance=make(batch),
        encoder_hidden_states=make(batch, text, int(config["text_dim"]), dtype=dtype),
        return_dict=False,
    )[0]
    return output
