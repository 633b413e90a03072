"""Latent-to-RGB factors: the cheapest preview, one 16 x 3 matrix product a step.

For any VAE folder: encode pictures or frames, scale the latents as the denoiser sees them, average the pixels down to
latent resolution, and solve `rgb = latents @ factors + bias` by least squares. RGB is in 0..1.
``python -m engine.training latent-rgb VAE_FOLDER PICTURE...`` prints them for a model of one's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderKLCogVideoX
from torch.nn import functional as F

from engine.media.pictures import read


@dataclass(frozen=True)
class LatentRGBFit:
    """`factors` `[C][3]`, `bias` `[3]`."""

    factors: list[list[float]]
    bias: list[float]

    def preview(self, latents: torch.Tensor) -> torch.Tensor:
        """`[..., C, h, w]` to `[..., 3, h, w]` in 0..1."""
        rgb = torch.einsum("...chw,cr->...rhw", latents, torch.tensor(self.factors))
        return (rgb + torch.tensor(self.bias).view(3, 1, 1)).clamp(0, 1)


def solve(latents: torch.Tensor, pixels: torch.Tensor) -> LatentRGBFit:
    """`latents` `[N, C]` model-space, `pixels` `[N, 3]` in 0..1."""
    design = torch.cat([latents, torch.ones(len(latents), 1)], 1).double()
    solution = torch.linalg.lstsq(design, pixels.double()).solution
    return LatentRGBFit(
        [[round(v, 5) for v in row] for row in solution[:-1].tolist()], [round(v, 5) for v in solution[-1].tolist()]
    )


@torch.no_grad()
def fit_pictures(vae: AutoencoderKL, pictures: torch.Tensor) -> LatentRGBFit:
    """`pictures` `[B, 3, H, W]` in -1..1."""
    latents = (vae.encode(pictures).latent_dist.mode() - (vae.config.shift_factor or 0.0)) * vae.config.scaling_factor
    small = F.adaptive_avg_pool2d(pictures / 2 + 0.5, latents.shape[-2:])
    return solve(latents.movedim(1, -1).flatten(0, 2), small.movedim(1, -1).flatten(0, 2))


@torch.no_grad()
def fit_clips(vae: AutoencoderKLCogVideoX, clips: torch.Tensor) -> LatentRGBFit:
    """`clips` `[B, 3, 1+4k, H, W]` in -1..1. A latent frame is compared with the last of its frames."""
    latents = vae.encode(clips).latent_dist.mode() * vae.config.scaling_factor
    small = F.adaptive_avg_pool3d((clips / 2 + 0.5)[:, :, ::4], latents.shape[-3:])
    return solve(latents.movedim(1, -1).flatten(0, 3), small.movedim(1, -1).flatten(0, 3))


def fit_folder(folder: Path, pictures: list[Path], side: int = 512) -> LatentRGBFit:
    """For a VAE folder in diffusers layout and picture files (for a video VAE each is a clip of one frame)."""
    video = "CogVideoX" in (folder / "config.json").read_text()
    loaded = [read(p).resize((side, side)) for p in pictures]
    pixels = torch.from_numpy(np.stack([np.asarray(p) for p in loaded])).permute(0, 3, 1, 2).float() / 127.5 - 1
    if video:
        return fit_clips(AutoencoderKLCogVideoX.from_pretrained(folder), pixels.unsqueeze(2))
    return fit_pictures(AutoencoderKL.from_pretrained(folder), pixels)
