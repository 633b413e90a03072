"""Weights kept in a small dtype and widened for each layer's call: the arithmetic of the wide dtype, half the memory.

The values are those of the stored weights; widening is exact. Layers that hold few weights (norms, positions) are
widened for good.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

CAST_LAYERS = (nn.Linear, nn.Embedding, nn.Conv1d, nn.Conv2d, nn.Conv3d)


def cast_for_each_call(network: nn.Module, compute: torch.dtype) -> None:
    """Keep the weights of ``network``'s large layers as they are and compute with them in ``compute``."""
    for module in network.modules():
        if isinstance(module, CAST_LAYERS):
            stored = {name: parameter.data for name, parameter in module.named_parameters(recurse=False)}
            _hook(module, stored, compute)
        else:
            for parameter in module.parameters(recurse=False):
                if parameter.is_floating_point():
                    parameter.data = parameter.data.to(compute)
            for name, buffer in module.named_buffers(recurse=False):
                if buffer.is_floating_point():
                    setattr(module, name, buffer.to(compute))


def _hook(module: nn.Module, stored: dict[str, torch.Tensor], compute: torch.dtype) -> None:
    def widen(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        for name, parameter in module.named_parameters(recurse=False):
            parameter.data = stored[name].to(compute)

    def narrow(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        for name, parameter in module.named_parameters(recurse=False):
            parameter.data = stored[name]

    module.register_forward_pre_hook(widen)
    module.register_forward_hook(narrow, always_call=True)
