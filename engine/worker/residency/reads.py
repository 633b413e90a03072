"""How each weight of a network is read from its files, in the form in which the network keeps it."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from engine.models.reading.component import Component
from engine.worker.residency.networks import blocks_of
from engine.worker.residency.reduced import EightBitLinear, ReducedLinear, quantise, replace_layer
from engine.worker.residency.residency import Residency
from engine.worker.residency.stretches import Stretch, StretchReader
from engine.worker.single_file.quantised import QuantisedLinear

Read = Callable[[StretchReader, Tensor], object]
"""``read(reader, target)`` fills ``target``, a tensor of the weight's shape and kept dtype on the CPU."""

Reads = dict[str, Read]
"""By the weight's name in the network."""


def reads_for(network: nn.Module, part: Component, stretches: dict[str, Stretch], residency: Residency) -> Reads:
    """Of every weight of ``network``, which is empty; its linear layers become ones that keep fewer bits, where the
    file has no more than these (8 bits, ggml blocks), or within blocks where ``residency`` wants 8 bits."""
    found = {name: _plain(stretch) for name, stretch in stretches.items()}
    inside = {id(module) for block in blocks_of(network) for module in block.modules()}
    for name, layer in list(network.named_modules()):
        stretch = stretches.get(f"{name}.weight")
        if stretch is not None and isinstance(layer, nn.Linear):
            made, reads = _reduced(layer, stretch, residency.weights == "int8" and id(layer) in inside)
            if made is not None:
                replace_layer(network, name, made)
                found |= {f"{name}.{own}": read for own, read in reads.items()}
    projection = "text_projection.weight"  # a CLIP-L without one: the identity stands for it, as in the reference
    if part.format != "diffusers" and projection not in found and projection in dict(network.named_parameters()):
        found[projection] = lambda reader, target: torch.eye(len(target), out=target)
    return found


def _plain(stretch: Stretch) -> Read:
    return lambda reader, target: reader.read_into(stretch, target)


def _reduced(layer: nn.Linear, stretch: Stretch, is_wanted: bool) -> tuple[ReducedLinear | None, Reads]:
    """What takes the place of ``layer``, if anything does, and how its own tensors are read."""
    raw = _plain(stretch.raw()) if stretch.is_reduced else None
    if stretch.type and raw is not None:
        weight = torch.empty(stretch.raw().shape, dtype=torch.int8, device="meta")
        return QuantisedLinear(layer, weight, stretch.type, layer.bias), {"weight": raw}
    if raw is not None:
        factor, reads = stretch.factor, {"weight": raw}
        if factor is None:
            return EightBitLinear(layer, stretch.dtype, None, layer.bias), reads
        rows = math.prod(factor.shape)
        reads["scale"] = lambda reader, target: target.copy_(reader.read(factor, torch.float32).reshape(rows, 1))
        return EightBitLinear(layer, stretch.dtype, _scale(rows), layer.bias), reads
    if not is_wanted:
        return None, {}
    eight = _EightBits(stretch)
    made = EightBitLinear(layer, torch.int8, _scale(layer.out_features), layer.bias)
    return made, {"weight": eight.weight, "scale": eight.scale}


def _scale(rows: int) -> Tensor:
    return torch.empty(rows, 1, dtype=torch.float32, device="meta")


class _EightBits:
    """A weight of more bits, converted as it is read; its scale is kept for the read that follows."""

    def __init__(self, stretch: Stretch) -> None:
        self._stretch = stretch
        self._scale: Tensor | None = None

    def weight(self, reader: StretchReader, target: Tensor) -> None:
        values, self._scale = quantise(reader.read(self._stretch, torch.float32))
        target.copy_(values)

    def scale(self, reader: StretchReader, target: Tensor) -> None:
        if self._scale is None:
            _, self._scale = quantise(reader.read(self._stretch, torch.float32))
        target.copy_(self._scale)
