"""A job's LoRAs: added to the layers' outputs while a stage runs, and gone afterwards.

The layers' weights stay as they are, so that a model stays in memory for jobs with other LoRAs or none, weights may
be stored in any precision, and strength 0 is bit for bit the model itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.protocol.commands import Generate
from engine.protocol.errors import BadFile, ModelMissing
from engine.protocol.recipe import Adapter
from engine.worker.adapters.lora_file import LowRank, read_lora
from engine.worker.adapters.names import split_part, targets


@dataclass(frozen=True)
class _Lora:
    adapter: Adapter
    layers: dict[str, dict[str, LowRank]]
    """By component, then by the layer's name in the file."""

    def strength(self, part: str) -> float:
        text = self.adapter.text_strength
        return text if part.startswith("text_encoder") and text is not None else self.adapter.strength


class Adapters:
    """What ``recipe.adapters`` asks for. A LoRA whose strength is 0 is not even looked for in the network."""

    def __init__(self, loras: Sequence[tuple[Adapter, Path]] = ()) -> None:
        self._loras = []
        for adapter, path in loras:
            layers: dict[str, dict[str, LowRank]] = {}
            for name, change in read_lora(path).items():
                part, layer = split_part(name)
                layers.setdefault(part, {})[layer] = change
            self._loras.append(_Lora(adapter, layers))

    @classmethod
    def of(cls, job: Generate) -> Adapters:
        adapters = job.recipe.adapters
        if len(adapters) != len(job.adapter_files):
            raise ModelMissing(
                "The recipe has LoRAs whose files were not found.", "Choose them anew.", field="adapters"
            )
        return cls(list(zip(adapters, (Path(asset.path) for asset in job.adapter_files), strict=True)))

    def text_settings(self) -> tuple[Any, ...]:
        """What decides the encoding of a text, for the cache's key; empty where no LoRA changes a text encoder."""
        return tuple(
            (one.adapter.sha256, one.adapter.name, part, one.strength(part))
            for one in self._loras
            for part in sorted(one.layers)
            if part.startswith("text_encoder") and one.strength(part)
        )

    @contextmanager
    def attached(self, parts: dict[str, Any]) -> Iterator[None]:
        """Added to the networks among ``parts`` for as long as the block runs. Raises ``BadFile`` where one does not
        fit."""
        with ExitStack() as stack:
            for part, network in parts.items():
                if isinstance(network, nn.Module):
                    for layer, changes in self._changes(part, network).items():
                        stack.callback(_add(network.get_submodule(layer), changes).remove)
            yield

    def _changes(self, part: str, network: nn.Module) -> dict[str, list[LowRank]]:
        """All LoRAs' changes of ``network`` by layer."""
        wanted = [(one, one.layers.get(part, {})) for one in self._loras if one.strength(part)]
        if not any(layers for _, layers in wanted):
            return {}
        known = targets(network)
        found: dict[str, list[LowRank]] = {}
        for one, layers in wanted:
            for name, change in layers.items():
                for target in known.get(name, ()):
                    piece = LowRank(change.down, target.rows(change.up), change.scale * one.strength(part))
                    _check(one.adapter, target.layer, network.get_submodule(target.layer), piece)
                    found.setdefault(target.layer, []).append(piece)
            strangers = [name for name in layers if name not in known]
            if strangers:
                raise BadFile(
                    f"{one.adapter.name} does not fit this model: it changes {len(strangers)} layers of {len(layers)}"
                    f" that the {part.replace('_', ' ')} does not have.",
                    "Choose a LoRA that was made for this model.",
                    field="adapters",
                    detail="\n".join(strangers),
                )
        return found


def _check(adapter: Adapter, name: str, layer: nn.Module, change: LowRank) -> None:
    weight = layer.weight
    if isinstance(layer, nn.Conv2d):
        fits = change.down.shape[1:] == weight.shape[1:] and len(change.up) == len(weight)
    else:
        fits = change.down.shape[1:] == (layer.in_features,) and len(change.up) == layer.out_features
    if not fits:
        raise BadFile(
            f"{adapter.name} does not fit this model: {name} has another size.",
            "Choose a LoRA that was made for this model.",
            field="adapters",
        )


def _add(layer: nn.Module, changes: list[LowRank]) -> torch.utils.hooks.RemovableHandle:
    """One hook for all changes of a layer: their ranks side by side."""
    down = torch.cat([change.down.float() for change in changes])
    up = torch.cat([change.up.float() * change.scale for change in changes], 1)
    kept: dict[tuple[torch.device, torch.dtype], tuple[Tensor, Tensor]] = {}

    def add(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        (x,) = inputs
        key = (x.device, output.dtype)
        if key not in kept:
            kept[key] = (down.to(*key), up.to(*key))
        d, u = kept[key]
        x = x.to(output.dtype)
        if isinstance(module, nn.Conv2d):
            low = F.conv2d(x, d, None, module.stride, module.padding, module.dilation)
            return output + F.conv2d(low, u[:, :, None, None])
        return output + F.linear(F.linear(x, d), u)

    return layer.register_forward_hook(add)
