"""What its transformer is trained to predict."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from engine.models.reading.component import ModelFolder
from engine.training.flow import draw_sigmas, mix
from engine.training.objectives import Noised
from engine.training.schedule import Schedule


class RectifiedFlow:
    """SD3 (Esser et al. 2024, arXiv:2403.03206): straight paths, sigma logit-normal, the velocity is predicted."""

    def encode(self, vae: Any, pixels: Tensor) -> Tensor:
        latents = vae.encode(pixels.to(vae.device, vae.dtype)).latent_dist.mode().float()
        return (latents - vae.config.shift_factor) * vae.config.scaling_factor

    def noised(self, clean: Tensor, generator: torch.Generator, schedule: Schedule) -> Noised:
        noise = torch.randn(clean.shape, generator=generator).to(clean.device)
        sigmas = draw_sigmas(len(clean), generator, 0.0, 1.0).to(clean.device)
        return Noised(mix(clean, noise, sigmas), sigmas * 1000, noise - clean)


def objective(folder: ModelFolder) -> RectifiedFlow:
    return RectifiedFlow()
