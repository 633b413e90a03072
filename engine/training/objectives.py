"""What a family's transformer is trained to predict, and how its VAE makes latents: the part of fine-tuning that
differs between families. Each says it in its module ``training``."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from engine.families.registry import FAMILIES
from engine.models.reading.component import ModelFolder
from engine.protocol.errors import BadArguments

from .schedule import Schedule


@dataclass(frozen=True)
class Noised:
    """`x` is told to the network with `timesteps` `[B]`; `target` is what it should say."""

    x: Tensor
    timesteps: Tensor
    target: Tensor


class Objective(Protocol):
    def encode(self, vae: Any, pixels: Tensor) -> Tensor:
        """Frames `[T, 3, H, W]` in -1..1 to latents `[1, ...]` as the transformer takes them, float32."""
        ...

    def noised(self, clean: Tensor, generator: torch.Generator, schedule: Schedule) -> Noised: ...


def objective(family: str, folder: ModelFolder) -> Objective:
    """That of a family. Raises ``BadArguments`` where it cannot be trained here."""
    known = FAMILIES[family]
    if not known.training:
        raise BadArguments(f"Laterna cannot train LoRAs for {known.info.name} yet.", "Choose another model.")
    made: Objective = importlib.import_module(known.training).objective(folder)
    return made
