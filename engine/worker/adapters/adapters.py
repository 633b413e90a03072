"""A job's LoRAs: added to the layers' outputs while a stage runs, and gone afterwards.

The layers' weights stay as they are, so that a model stays in memory for jobs with other LoRAs or none, weights may
be stored in any precision, and strength 0 is bit for bit the model itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from engine.families.base import Family
from engine.families.lora import Target
from engine.families.registry import FAMILIES
from engine.protocol.commands import Generate
from engine.protocol.errors import BadFile, ModelMissing
from engine.protocol.recipe import Adapter
from engine.worker.adapters.attach import Piece, attach
from engine.worker.adapters.change import WeightChange
from engine.worker.adapters.lora_file import read_lora
from engine.worker.adapters.names import DENOISER, rows_of, split_part, targets

MOST_NAMED = 3


@dataclass(frozen=True)
class _Lora:
    adapter: Adapter
    layers: dict[str, dict[str, WeightChange]]
    """By component, then by the layer's name in the file."""

    def strength(self, part: str) -> float:
        text = self.adapter.text_strength
        return text if part.startswith("text_encoder") and text is not None else self.adapter.strength


class Adapters:
    """What ``recipe.adapters`` asks for. A LoRA whose strength is 0 is not even looked for in the network."""

    def __init__(
        self,
        loras: Sequence[tuple[Adapter, Path]] = (),
        tell: Callable[[str], None] = lambda message: None,
        family: Family | None = None,
    ) -> None:
        self._loras = []
        self._tell = tell
        self._told: set[tuple[str, str]] = set()
        for adapter, path in loras:
            layers: dict[str, dict[str, WeightChange]] = {}
            for name, change in read_lora(path, tell).items():
                part, layer = split_part(name, family.denoisers()[1:] if family is not None else ())
                layers.setdefault(part, {})[layer] = change
            self._loras.append(_Lora(adapter, _for_denoisers(layers, adapter.name, family)))

    @classmethod
    def of(cls, job: Generate, tell: Callable[[str], None] = lambda message: None) -> Adapters:
        """``tell`` is given a sentence for a LoRA of which something is left out."""
        adapters = job.recipe.adapters
        if len(adapters) != len(job.adapter_files):
            raise ModelMissing(
                "The recipe has LoRAs whose files were not found.", "Choose them anew.", field="adapters"
            )
        return cls(
            list(zip(adapters, (Path(asset.path) for asset in job.adapter_files), strict=True)),
            tell,
            FAMILIES[job.recipe.family],
        )

    def text_settings(self) -> tuple[Any, ...]:
        """What decides the encoding of a text, for the cache's key; empty where no LoRA changes a text encoder."""
        return tuple(
            (one.adapter.sha256, one.adapter.name, part, one.strength(part))
            for one in self._loras
            for part in sorted(one.layers)
            if part.startswith("text_encoder") and one.strength(part)
        )

    def changing(self, parts: Sequence[str]) -> list[str]:
        """The names of the LoRAs that change one of ``parts``."""
        return [
            one.adapter.name for one in self._loras if any(part in one.layers and one.strength(part) for part in parts)
        ]

    @contextmanager
    def attached(self, parts: dict[str, Any]) -> Iterator[None]:
        """Added to the networks among ``parts`` for as long as the block runs. Raises ``BadFile`` where one does not
        fit."""
        with ExitStack() as stack:
            for part, network in parts.items():
                if isinstance(network, nn.Module):
                    for layer, pieces in self._pieces(part, network).items():
                        stack.callback(attach(network.get_submodule(layer), pieces))
            yield

    def _pieces(self, part: str, network: nn.Module) -> dict[str, list[Piece]]:
        """All LoRAs' changes of ``network`` by layer."""
        wanted = [(one, one.layers.get(part, {})) for one in self._loras if one.strength(part)]
        if not any(layers for _, layers in wanted):
            return {}
        known = targets(network)
        found: dict[str, list[Piece]] = {}
        for one, layers in wanted:
            for name, change in layers.items():
                for target in known.get(name, ()):
                    _check(one.adapter, target, network.get_submodule(target.layer), change)
                    found.setdefault(target.layer, []).append((change, partial(rows_of, target), one.strength(part)))
            strangers = [name for name in layers if name not in known]
            if strangers:
                self._left_out(one, part, strangers)
        return found

    def _left_out(self, one: _Lora, part: str, strangers: list[str]) -> None:
        """Most of a LoRA is worth having; where nothing of it fits, it is for another model."""
        layers = one.layers[part]
        if len(strangers) == len(layers) and part == max(one.layers, key=lambda name: len(one.layers[name])):
            raise BadFile(
                f"{one.adapter.name} does not fit this model: it changes {len(strangers)} layers of {len(layers)}"
                f" that the {part.replace('_', ' ')} does not have.",
                "Choose a LoRA that was made for this model.",
                field="adapters",
                detail="\n".join(strangers),
            )
        if (one.adapter.name, part) not in self._told:
            self._told.add((one.adapter.name, part))
            shown = ", ".join(strangers[:MOST_NAMED]) + (" …" if len(strangers) > MOST_NAMED else "")
            self._tell(_sentence(one.adapter.name, len(strangers), len(layers), shown))


def _sentence(name: str, strangers: int, layers: int, shown: str) -> str:
    return f"{name}: {strangers} of {layers} layers are left out, this model does not have them: {shown}."


Layers = dict[str, dict[str, WeightChange]]


def _for_denoisers(layers: Layers, name: str, family: Family | None) -> Layers:
    """What says no part goes to the denoiser, or to those of several that the file named ``name`` is for."""
    if family is None or DENOISER not in layers:
        return layers
    own, *others = family.denoisers()
    meant = (own,) if any(other in layers for other in others) else family.lora_denoisers(name)
    rest = {part: changes for part, changes in layers.items() if part != DENOISER}
    return rest | dict.fromkeys(meant, layers[DENOISER])


def _check(adapter: Adapter, target: Target, layer: nn.Module, change: WeightChange) -> None:
    """Raises ``BadFile`` where the change is of another size than the layer."""
    weight = tuple(layer.weight.shape)  # type: ignore[union-attr,arg-type]
    if isinstance(layer, nn.Linear):
        weight = (layer.out_features, layer.in_features)
    fits = True
    if change.factors:
        shape = change.shape()
        rows = shape[0] // target.pieces
        fits = rows == weight[0] and math.prod(shape[1:]) == math.prod(weight[1:])
    if change.bias is not None:
        fits = fits and change.bias.numel() // target.pieces == weight[0] and getattr(layer, "bias", None) is not None
    if not isinstance(layer, nn.Linear | nn.Conv2d):
        fits = fits and not (change.factors.keys() - {"diff"})
    if change.magnitude is not None:  # of rows, or of columns where the projections are not one
        own = change.magnitude
        by_column = own.ndim == 2 and own.shape[0] == 1 and own.shape[1] != 1
        sound = own.numel() == math.prod(weight[1:]) if by_column else own.numel() // target.pieces == weight[0]
        fits = fits and sound and not (by_column and target.pieces > 1)
    if not fits:
        raise BadFile(
            f"{adapter.name} does not fit this model: {target.layer} has another size.",
            "Choose a LoRA that was made for this model.",
            field="adapters",
        )
