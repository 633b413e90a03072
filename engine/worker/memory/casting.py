"""Weights kept in a small dtype and widened for each layer's call: the arithmetic of the wide dtype, half the memory.

The values are those of the stored weights; widening is exact. Layers that hold few weights (norms, positions) are
widened for good.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from engine.worker.memory.reduced import ReducedLinear

CAST_LAYERS = (nn.Linear, nn.Embedding, nn.Conv1d, nn.Conv2d, nn.Conv3d)

CAST_TOGETHER = frozenset({"T5DenseActDense", "T5DenseGatedActDense"})
"""Modules (transformers' T5) that look at a layer's dtype before calling it, and so are widened as a whole."""

WIDENED_IN_USE = frozenset({"PatchEmbed", "CogVideoXPatchEmbed"})
"""Modules (diffusers') whose table of positions is added to wide numbers: a sum is wide if one side is. SD3.5 Medium's
would take 0.9 GB in float32, of which a picture uses a corner."""


def cast_for_each_call(network: nn.Module, compute: torch.dtype) -> None:
    """Keep the weights of ``network``'s large layers as they are and compute with them in ``compute``."""
    if isinstance(network, ReducedLinear):
        return  # they widen themselves
    if type(network).__name__ in CAST_TOGETHER or isinstance(network, CAST_LAYERS):
        _hook(network, compute)
        return
    for parameter in network.parameters(recurse=False):
        if parameter.is_floating_point():
            parameter.data = parameter.data.to(compute)
    for name, buffer in network.named_buffers(recurse=False):
        if buffer.is_floating_point() and type(network).__name__ not in WIDENED_IN_USE:
            setattr(network, name, buffer.to(compute))
    for child in network.children():
        cast_for_each_call(child, compute)


def _hook(module: nn.Module, compute: torch.dtype) -> None:
    reduced = {id(own) for layer in module.modules() if isinstance(layer, ReducedLinear) for own in layer.parameters()}
    parameters = [parameter for parameter in module.parameters() if id(parameter) not in reduced]
    stored: list[torch.Tensor] = []  # as they lie at the time of the call: streamed weights are elsewhere every time

    def widen(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        for parameter in parameters:
            stored.append(parameter.data)
            parameter.data = parameter.data.to(compute)

    def narrow(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        for parameter, data in zip(parameters, stored, strict=False):  # none are stored if the call was stopped before
            parameter.data = data
        stored.clear()

    module.register_forward_pre_hook(widen)
    module.register_forward_hook(narrow, always_call=True)
