"""What its transformer is trained to predict."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from engine.families.cogvideox.network.sampling import make_scheduler
from engine.models.reading.component import ModelFolder
from engine.training.objectives import Noised
from engine.training.schedule import Schedule
from engine.training.timesteps import uniform


class VPrediction:
    """CogVideoX: v-prediction (Salimans and Ho 2022, arXiv:2202.00512) on a schedule with zero terminal SNR (Lin et al.
    2023, arXiv:2305.08891), timesteps explicitly uniform."""

    def __init__(self, folder: ModelFolder) -> None:
        scheduler = make_scheduler(folder.parts["scheduler"].config, "ddim", "trailing", 1)
        self._alphas = scheduler.alphas_cumprod.float()

    def encode(self, vae: Any, pixels: Tensor) -> Tensor:
        clip = pixels.permute(1, 0, 2, 3)[None].to(vae.device, vae.dtype)
        latents = vae.encode(clip).latent_dist.mode().float() * vae.config.scaling_factor
        return latents.permute(0, 2, 1, 3, 4)

    def noised(self, clean: Tensor, generator: torch.Generator, schedule: Schedule) -> Noised:
        noise = torch.randn(clean.shape, generator=generator).to(clean.device)
        timesteps = uniform(len(clean), generator, schedule.part, schedule.parts, len(self._alphas))
        alpha = self._alphas[timesteps].view(-1, *[1] * (clean.ndim - 1)).to(clean.device)
        x = alpha.sqrt() * clean + (1 - alpha).sqrt() * noise
        return Noised(x, timesteps.to(clean.device), alpha.sqrt() * noise - (1 - alpha).sqrt() * clean)


def objective(folder: ModelFolder) -> VPrediction:
    return VPrediction(folder)
