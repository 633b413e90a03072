"""Linear layers whose weights are kept in fewer bits than the arithmetic has, and widened for each call.

8 bits: the nearest of 255 steps between −m and m, where m is the largest weight of the row (symmetric quantisation,
one scale for each output; as in LLM.int8(), Dettmers et al. 2022, without its outliers). On the models that ship this
changes pictures four times less than float8 does (``docs/memory.md``), and on a processor it is widened twice as fast.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

STEPS = 127


class ReducedLinear(nn.Linear):
    """The product is taken in the dtype of the input. What it holds are parameters, so that blocks can be streamed."""

    def __init__(self, layer: nn.Linear, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__(layer.in_features, layer.out_features, bias=bias is not None, device="meta")
        self.weight = nn.Parameter(weight, requires_grad=False)
        if bias is not None:
            self.bias = nn.Parameter(bias, requires_grad=False)

    def widened(self, dtype: torch.dtype) -> Tensor:
        """The weight [out_features, in_features]."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.widened(x.dtype), None if self.bias is None else self.bias.to(x.dtype))


class EightBitLinear(ReducedLinear):
    """``weight`` holds the bits of ``kind`` (int8 or a float8) as int8: a T5 asks its layers for their dtype, and takes
    that for its activations unless it is int8. ``scale`` float32 [out_features or 1, 1], None for 1."""

    def __init__(self, layer: nn.Linear, kind: torch.dtype, scale: Tensor | None, bias: Tensor | None) -> None:
        shape = (layer.out_features, layer.in_features)
        super().__init__(layer, torch.empty(shape, dtype=torch.int8, device="meta"), bias)
        self.kind = kind
        self.scale = None if scale is None else nn.Parameter(scale, requires_grad=False)

    def widened(self, dtype: torch.dtype) -> Tensor:
        stored = self.weight.data.view(self.kind)
        if self.scale is None:
            return stored.to(dtype)
        if self.kind == torch.int8:  # whole numbers up to 127 are exact in every dtype
            return stored.to(dtype).mul_(self.scale)
        return stored.float().mul_(self.scale).to(dtype)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, kind={self.kind}"


def quantise(weight: Tensor) -> tuple[Tensor, Tensor]:
    """int8 [rows, columns] and its scale, float32 [rows, 1]."""
    wide = weight.float()
    scale = wide.abs().amax(1, keepdim=True) / STEPS
    scale[scale == 0] = 1.0
    return (wide / scale).round_().to(torch.int8), scale


def replace_layer(network: nn.Module, name: str, made: nn.Module) -> None:
    """Put ``made`` in the place of the module ``name``."""
    parent_name, _, child = name.rpartition(".")
    parent = network.get_submodule(parent_name)
    if isinstance(parent, (nn.ModuleList, nn.Sequential)):
        parent[int(child)] = made
    else:
        setattr(parent, child, made)
