"""Changes added to a layer's outputs while a stage runs; the layer's weight stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.worker.adapters.change import WeightChange
from engine.worker.residency.reduced import ReducedLinear

Piece = tuple[WeightChange, Callable[[Tensor], Tensor], float]
"""A change, which of its rows this layer takes, and the strength."""


def attach(layer: nn.Module, pieces: list[Piece]) -> Callable[[], None]:
    """Returns what takes it off again."""
    if isinstance(layer, nn.Linear | nn.Conv2d):
        handles = [layer.register_forward_hook(hook) for hook in _hooks(pieces)]
    else:
        handles = _other_weights(layer, pieces)

    def remove() -> None:
        for handle in handles:
            handle.remove()

    return remove


def _hooks(pieces: list[Piece]) -> list[Any]:
    """One for all low ranks, side by side, one for each other change, which starts from the layer's own output."""
    own = [_own_weight(piece) for piece in pieces if piece[0].magnitude is not None]
    low = [piece for piece in pieces if piece[0].is_low_rank]
    whole = [piece for piece in pieces if not piece[0].is_low_rank and piece[0].magnitude is None and piece[0].factors]
    biases = [rows(change.bias) * strength for change, rows, strength in pieces if change.bias is not None]
    found: list[Any] = list(own)
    if low:
        found.append(_low_ranks(low))
    found += [_whole(piece) for piece in whole]
    if biases:
        found.append(_bias(torch.stack([bias.float() for bias in biases]).sum(0)))
    return found


def _low_ranks(pieces: list[Piece]) -> Any:
    down = torch.cat([change.factors["down"].float() for change, _, _ in pieces])
    ups = [rows(change.factors["up"].flatten(1)).float() * (change.scale * s) for change, rows, s in pieces]
    up = torch.cat(ups, 1)
    kept: dict[tuple[torch.device, torch.dtype], tuple[Tensor, Tensor]] = {}

    def add(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        (x,) = inputs
        key = (x.device, output.dtype)
        if key not in kept:
            kept[key] = (down.to(*key), up.to(*key))
        d, u = kept[key]
        x = x.to(output.dtype)
        if isinstance(module, nn.Conv2d):
            d = d.reshape(len(d), *module.weight.shape[1:])
            low = F.conv2d(x, d, None, module.stride, module.padding, module.dilation)
            return output + F.conv2d(low, u[:, :, None, None])
        return output + F.linear(F.linear(x, d), u)

    return add


def _whole(piece: Piece) -> Any:
    """The product is made for each call: whole matrices of all layers would be another model in memory."""
    change, rows, strength = piece

    def add(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        (x,) = inputs
        weight = (rows(change.delta(x.device)) * (change.scale * strength)).to(output.dtype)
        return output + _apply(module, x.to(output.dtype), weight)

    return add


def _own_weight(piece: Piece) -> Any:
    """DoRA: rows (or columns) of W + delta keep their direction and take the magnitude's lengths. As ComfyUI has it,
    the strength is that of the whole difference."""
    change, rows, strength = piece
    assert change.magnitude is not None
    given = change.magnitude.float()
    kept: dict[torch.device, tuple[Tensor, bool]] = {}

    def add(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        (x,) = inputs
        delta = rows(change.delta(x.device)) * change.scale
        weight = _weight(module).to(x.device)
        delta = delta.reshape(weight.shape)
        if x.device not in kept:
            both = (weight + delta).flatten(1)
            by_column = given.ndim == 2 and given.shape[0] == 1 and given.shape[1] != 1
            own = given.to(x.device).flatten() if by_column else rows(given.to(x.device).flatten())
            lengths = both.norm(dim=0 if by_column else 1)
            kept[x.device] = own / lengths.clamp_min(torch.finfo(torch.float32).tiny), by_column
        factor, by_column = kept[x.device]
        shaped = factor.reshape(1, -1) if by_column else factor.reshape(-1, 1)
        new = ((weight + delta).flatten(1) * shaped).reshape(weight.shape)
        return output + _apply(module, x.to(output.dtype), ((new - weight) * strength).to(output.dtype))

    return add


def _bias(bias: Tensor) -> Any:
    def add(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        own = bias.to(output.device, output.dtype)
        return output + (own[:, None, None] if isinstance(module, nn.Conv2d) else own)

    return add


def _apply(module: nn.Module, x: Tensor, weight: Tensor) -> Tensor:
    if isinstance(module, nn.Conv2d):
        weight = weight.reshape(module.weight.shape)
        return F.conv2d(x, weight, None, module.stride, module.padding, module.dilation)
    return F.linear(x, weight.reshape(module.weight.shape[0], -1) if weight.ndim > 2 else weight)


def _weight(module: nn.Module) -> Tensor:
    """The layer's own, float32."""
    if isinstance(module, ReducedLinear):
        return module.widened(torch.float32)
    weight: Tensor = module.weight  # type: ignore[assignment]
    return weight.detach().float()


def _other_weights(layer: nn.Module, pieces: list[Piece]) -> list[Any]:
    """A norm's weights are few: they are exchanged for each call."""
    changes: dict[str, Tensor] = {}
    for change, rows, strength in pieces:
        if "diff" in change.factors:
            add = rows(change.factors["diff"].float()) * (change.scale * strength)
            changes["weight"] = changes["weight"] + add if "weight" in changes else add
        if change.bias is not None:
            add = rows(change.bias.float()) * strength
            changes["bias"] = changes["bias"] + add if "bias" in changes else add
    before: dict[str, nn.Parameter] = {}

    def put(module: nn.Module, inputs: Any) -> None:
        for name, change in changes.items():
            own = module._parameters[name]
            assert own is not None
            before[name] = own
            changed = (own.float() + change.to(own.device)).to(own.dtype)
            module._parameters[name] = nn.Parameter(changed, requires_grad=False)

    def back(module: nn.Module, inputs: Any, output: Any) -> None:
        for name, own in before.items():
            module._parameters[name] = own
        before.clear()

    return [
        layer.register_forward_pre_hook(put),
        layer.register_forward_hook(back, prepend=True, always_call=True),
    ]
