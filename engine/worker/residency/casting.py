"""Weights kept in a small dtype and widened for each layer's call: the arithmetic of the wide dtype, half the memory.

The values are those of the stored weights; widening is exact. Layers that hold few weights (norms, positions) are
widened for good.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor

from engine.families.registry import NETWORK_CLASSES
from engine.worker.residency.reduced import ReducedLinear

CAST_LAYERS = (nn.Linear, nn.Embedding, nn.Conv1d, nn.Conv2d, nn.Conv3d)

ALIGNED = 16
"""Numbers; kernels sum in another order at odd addresses."""

CAST_TOGETHER = frozenset({"T5DenseActDense", "T5DenseGatedActDense"})
"""Modules (transformers' T5) that look at a layer's dtype before calling it, and so are widened as a whole."""


class _Scratch:
    """Where a processor widens weights to, one layer after the other: memory that is fresh from the system each time
    costs several times as long as the conversion."""

    def __init__(self, compute: torch.dtype) -> None:
        self._compute = compute
        self._memory: Tensor | None = None
        self.size = 0

    def widened(self, weight: Tensor, begin: int) -> Tensor:
        """``weight`` in the wide dtype, ``begin`` numbers into the memory."""
        if weight.device.type != "cpu" or isinstance(weight, FakeTensor):
            return weight.to(self._compute)
        if self._memory is None:
            self._memory = torch.empty(self.size, dtype=self._compute)
        return self._memory[begin : begin + weight.numel()].view(weight.shape).copy_(weight)

    def clear(self, *_: Any) -> None:
        self._memory = None


def _widened_in_use() -> frozenset[str]:
    return frozenset(name for known in NETWORK_CLASSES.values() for name in known.widened_in_use)


def cast_for_each_call(network: nn.Module, compute: torch.dtype) -> None:
    """Keep the weights of ``network``'s large layers as they are and compute with them in ``compute``."""
    scratch = _Scratch(compute)
    _cast(network, compute, scratch, _widened_in_use())
    network.register_forward_hook(scratch.clear, always_call=True)


def _cast(network: nn.Module, compute: torch.dtype, scratch: _Scratch, widened_in_use: frozenset[str]) -> None:
    if isinstance(network, ReducedLinear):
        return  # they widen themselves
    if type(network).__name__ in CAST_TOGETHER or isinstance(network, CAST_LAYERS):
        _hook(network, scratch)
        return
    for parameter in network.parameters(recurse=False):
        if parameter.is_floating_point():
            parameter.data = parameter.data.to(compute)
    for name, buffer in network.named_buffers(recurse=False):
        if buffer.is_floating_point() and type(network).__name__ not in widened_in_use:
            setattr(network, name, buffer.to(compute))
    for child in network.children():
        _cast(child, compute, scratch, widened_in_use)


def _hook(module: nn.Module, scratch: _Scratch) -> None:
    reduced = {id(own) for layer in module.modules() if isinstance(layer, ReducedLinear) for own in layer.parameters()}
    parameters = [parameter for parameter in module.parameters() if id(parameter) not in reduced]
    begins = list(accumulate((-(-weight.numel() // ALIGNED) * ALIGNED for weight in parameters), initial=0))
    scratch.size = max(scratch.size, begins.pop())
    stored: list[torch.Tensor] = []  # as they lie at the time of the call: streamed weights are elsewhere every time

    def widen(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        for parameter, begin in zip(parameters, begins, strict=True):
            stored.append(parameter.data)
            parameter.data = scratch.widened(parameter.data, begin)

    def narrow(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        for parameter, data in zip(parameters, stored, strict=False):  # none are stored if the call was stopped before
            parameter.data = data
        stored.clear()

    module.register_forward_pre_hook(widen)
    module.register_forward_hook(narrow, always_call=True)
