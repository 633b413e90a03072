"""What a family's transformer is trained to predict, and how its VAE makes latents: the part of fine-tuning that
differs between families."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from engine.worker.model_folder import ModelFolder

from .flow import draw_sigmas, mix
from .schedule import Schedule
from .timesteps import uniform


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


class RectifiedFlow:
    """SD3 (Esser et al. 2024, arXiv:2403.03206): straight paths, sigma logit-normal, the velocity is predicted."""

    def encode(self, vae: Any, pixels: Tensor) -> Tensor:
        latents = vae.encode(pixels.to(vae.device, vae.dtype)).latent_dist.mode().float()
        return (latents - vae.config.shift_factor) * vae.config.scaling_factor

    def noised(self, clean: Tensor, generator: torch.Generator, schedule: Schedule) -> Noised:
        noise = torch.randn(clean.shape, generator=generator).to(clean.device)
        sigmas = draw_sigmas(len(clean), generator, 0.0, 1.0).to(clean.device)
        return Noised(mix(clean, noise, sigmas), sigmas * 1000, noise - clean)


class VPrediction:
    """CogVideoX: v-prediction (Salimans and Ho 2022, arXiv:2202.00512) on a schedule with zero terminal SNR (Lin et al.
    2023, arXiv:2305.08891), timesteps explicitly uniform."""

    def __init__(self, folder: ModelFolder) -> None:
        from engine.worker.sampling.cogvideox import make_scheduler

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


def objective(family: str, folder: ModelFolder) -> Objective:
    return RectifiedFlow() if family == "sd35" else VPrediction(folder)
