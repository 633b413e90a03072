"""How long, how fast and on what a training goes: the learning rate's course, the batch, and its random numbers.

Everything random of a step comes from (seed, step, part): a resumed training needs no generator's state, and a batch
divided into parts is the same whether one process takes them in turn or each process has one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch


@dataclass(frozen=True)
class Schedule:
    """What a training is, besides its task. Learning rate: linear warm-up, constant, linear to zero over the last
    `decay` of the steps. `batch` is that of one step, over all `parts`; `optimizer` "adamw" gives Muon's matrices to
    AdamW too."""

    steps: int
    batch: int
    muon_lr: float = 0.02
    adam_lr: float = 1e-3
    warmup: int = 60
    decay: float = 0.35
    ema: float = 0.998
    clip: float = 1.0
    seed: int = 0
    checkpoint_seconds: float = 180.0
    begin: int = 0  # the step this course starts from: a trained model that goes on warms up and decays afresh
    optimizer: Literal["muon", "adamw"] = "muon"
    sample_seconds: float = 0.0  # pictures of the model in training, that often; 0 for none
    parts: int = 1
    part: int = 0

    def progress(self, step: int) -> float:
        """How much of the course is over, 0..1."""
        return (step - self.begin) / max(1, self.steps - self.begin)

    def rate(self, step: int) -> float:
        """Factor on the learning rates, 0..1."""
        left = (1 - self.progress(step)) / max(1e-9, self.decay)
        return max(0.0, min(1.0, (step - self.begin + 1) / max(1, self.warmup), left))

    def of_part(self, part: int) -> Schedule:
        """The same for one of the `parts` of each batch: its share of the rows, random numbers of its own."""
        return replace(self, batch=self.batch // self.parts, part=part)

    def rng(self, step: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, 0, step, self.part) if self.part else (self.seed, 0, step))

    def generator(self, step: int) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed * 1_000_003 + step + self.part * 1_000_000_007)
