"""Linear layers whose weights stay quantised in memory and are widened for each call, as ggml's blocks say."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.worker.residency.reduced import ReducedLinear
from engine.worker.single_file.tensors import Blocks


class QuantisedLinear(ReducedLinear):
    """``weight`` is [out_features, bytes of a row] in blocks of the ggml type ``type``, as int8: a T5 takes its layers'
    dtype for its activations unless it is int8."""

    def __init__(self, layer: nn.Linear, weight: Tensor, type: str, bias: Tensor | None) -> None:
        super().__init__(layer, weight, bias)
        self.type = type

    def widened(self, dtype: torch.dtype) -> Tensor:
        return Blocks(self.weight.data.view(torch.uint8), self.type).widened(dtype)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, type={self.type}"
