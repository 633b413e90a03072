"""Distillation of the picture model to a few steps without guidance: laterna-mini-image-turbo.

The student starts as a copy of the teacher. The path from noise to picture is cut into as many segments as the student
may take steps; the teacher integrates each segment with guidance in several small steps, and the student learns the
mean velocity of the whole segment, which one step of it then follows. So guidance and many steps both become part of
the weights (Meng et al. 2023, arXiv:2210.03142, for guidance; Salimans and Ho 2022, arXiv:2202.00512, for steps). The
paths begin in noise and are the teacher's own samples; more and more rows go on from where the *student* arrived, so
that it learns to mend its own errors instead of adding them up (Ross et al. 2011, arXiv:1011.0686).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from .flow import sample_euler
from .image import ImageShape, ImageTask, build_transformer, latent_noise, make_batch, token_weights
from .pca import CHANNELS
from .scenes import IMAGE_SIDE
from .trainer import ParameterGroup, Schedule, split_groups


@dataclass(frozen=True)
class Distillation:
    """`steps` of the student; `substeps` of the teacher for each of them; the teacher's `guidance`. `own` is the
    share of rows that go on from the student's states, reached in the middle of the course."""

    steps: int = 4
    substeps: int = 2
    guidance: float = 3.0
    own: float = 0.7


class TurboTask:
    """Trains a student transformer; the teacher's transformer and text encoders stay as they are."""

    def __init__(self, teacher: ImageTask, shape: ImageShape, distillation: Distillation,
                 compiled: bool = False) -> None:  # fmt: skip
        self.teacher, self.domain, self.distillation = teacher, teacher.domain, distillation
        teacher.modules.eval().requires_grad_(False)
        student = build_transformer(shape)
        student.load_state_dict(teacher.modules["transformer"].state_dict())
        self.modules = nn.ModuleDict({"transformer": student})
        if compiled:
            for block in student.transformer_blocks:
                block.compile()

    def groups(self) -> list[ParameterGroup]:
        return split_groups(self.modules["transformer"], 1.0, ("norm1", "norm2"))

    def loss(self, step: int, schedule: Schedule) -> tuple[torch.Tensor, dict[str, float]]:
        rng, generator = schedule.rng(step), schedule.generator(step)
        batch = make_batch(
            rng, self.domain, self.teacher.pools.at(step, schedule.seed), schedule.batch, self.teacher.singles
        )
        side = IMAGE_SIDE // 8
        x = torch.randn(schedule.batch, CHANNELS, side, side, generator=generator)[batch.shared]
        ramp = min(1.0, 2 * schedule.progress(step))
        own = torch.from_numpy(rng.random(len(x)) < self.distillation.own * ramp).view(-1, 1, 1, 1)
        weights = token_weights(batch.tokens).repeat_interleave(2, 1).repeat_interleave(2, 2).unsqueeze(1)
        with torch.no_grad():
            sequence, pooled = self.teacher.modules["text"](batch.captions)
            guided = self.teacher.guided(batch.captions, self.distillation.guidance)
        total, metrics = torch.zeros(()), {}
        for n, (start, end) in enumerate(itertools.pairwise(_sigmas(self.distillation.steps))):
            arrived = sample_euler(guided, x, self.distillation.substeps, start, end)
            wanted = (arrived - x) / (end - start)
            made = self._velocity(x, start, sequence, pooled)
            error = (made - wanted).square()
            total = total + (error * weights).mean()
            metrics[f"segment_{n}"] = error.mean().item()
            x = torch.where(own, x + (end - start) * made.detach(), arrived)
        return total / self.distillation.steps, metrics

    def _velocity(self, x: torch.Tensor, sigma: float, sequence: torch.Tensor, pooled: torch.Tensor) -> torch.Tensor:
        times = torch.full((len(x),), 1000 * sigma)
        return self.modules["transformer"](x, sequence, pooled, times, return_dict=False)[0].float()

    @torch.no_grad()
    def sample(self, captions: list[str], seed: int, steps: int | None = None) -> np.ndarray:
        """Pictures `[B, H, W, 3]` in 0..1 through the PCA decoder, as many steps as the student learned."""
        sequence, pooled = self.teacher.modules["text"](captions)
        x = latent_noise(len(captions), seed)
        for start, end in itertools.pairwise(_sigmas(steps or self.distillation.steps)):
            x = x + (end - start) * self._velocity(x, start, sequence, pooled)
        return self.teacher.decode(x)

    def pictures(self) -> np.ndarray:
        """As the teacher's: sixteen held-out prompts, for the log."""
        return self.teacher.pictures(self.sample)


def _sigmas(steps: int) -> list[float]:
    return [1 - n / steps for n in range(steps + 1)]
