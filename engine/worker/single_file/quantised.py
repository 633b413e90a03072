"""Linear layers whose weights stay quantised in memory and are widened for each call, as ggml's blocks say."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.worker.single_file.tensors import Blocks


class QuantisedLinear(nn.Linear):
    """``weight`` is uint8 [out_features, bytes of a row] in blocks of the ggml type ``type``.

    The product is taken in the dtype of the input.
    """

    def __init__(self, blocks: Blocks, bias: Tensor | None, in_features: int) -> None:
        super().__init__(in_features, blocks.data.shape[0], bias=bias is not None, device="meta")
        self.type = blocks.type
        self.weight = nn.Parameter(blocks.data, requires_grad=False)
        if bias is not None:
            self.bias = nn.Parameter(bias, requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        weight = Blocks(self.weight.data, self.type).widened(x.dtype)
        return functional.linear(x, weight, None if self.bias is None else self.bias.to(x.dtype))

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, type={self.type}"


def replace_linear(network: nn.Module, name: str, blocks: Blocks, bias: Tensor | None) -> bool:
    """Put a quantised layer in the place of the linear layer ``name``; False where there is none of that name."""
    parent_name, _, child = name.rpartition(".")
    parent = network.get_submodule(parent_name)
    layer = getattr(parent, child, None)
    if not isinstance(layer, nn.Linear):
        return False
    made = QuantisedLinear(blocks, bias, layer.in_features)
    if isinstance(parent, (nn.ModuleList, nn.Sequential)):
        parent[int(child)] = made
    else:
        setattr(parent, child, made)
    return True


def widen(value: Tensor | Blocks, dtype: torch.dtype) -> Tensor:
    return value.widened(dtype) if isinstance(value, Blocks) else value.to(dtype)
