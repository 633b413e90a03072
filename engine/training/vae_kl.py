"""The 3D causal VAE from nothing but clips: reconstruction and KL, as CogVideoX trains it (Yang et al. 2024,
arXiv:2408.06072; the KL term is Kingma and Welling's, 2013, arXiv:1312.6114).

Warm start in two dimensions: a single frame passes the causal network as a picture does (every kernel sees the frame
repeated in time and so acts as one two-dimensional kernel), at a fraction of a clip's cost. So the first part of the
steps trains on single frames, and clips then only have to add time.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from diffusers import AutoencoderKLCogVideoX
from torch import Tensor, nn

from .schedule import Schedule
from .trainer import ParameterGroup, split_groups
from .vae import psnr, reconstruction_loss

Clips = Callable[[int, torch.Generator], Tensor]  # count, generator -> [B, 3, T, H, W] in -1..1


def kl(moments: Tensor) -> Tensor:
    """Mean divergence from N(0, 1) of a posterior given by mean and log variance `[B, 2 C, ...]`, in nats a number."""
    mean, log_variance = moments.chunk(2, dim=1)
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()


def tiny_vae(channels: tuple[int, ...] = (8, 8, 16, 16), side: int = 32) -> AutoencoderKLCogVideoX:
    """Four times smaller in time and eight in space, as the real one, with a handful of channels."""
    depth = len(channels)
    return AutoencoderKLCogVideoX(
        in_channels=3, out_channels=3, latent_channels=8, block_out_channels=channels, layers_per_block=1,
        down_block_types=("CogVideoXDownBlock3D",) * depth, up_block_types=("CogVideoXUpBlock3D",) * depth,
        norm_num_groups=4, act_fn="silu", sample_height=side, sample_width=side, temporal_compression_ratio=4,
    )  # fmt: skip


class KlVaeTask:
    """`still` is the share of the steps that train on first frames alone, `weight` that of the KL term."""

    def __init__(self, vae: nn.Module, clips: Clips, still: float = 0.0, weight: float = 3e-4) -> None:
        self.modules = nn.ModuleDict({"vae": vae})
        self.clips, self.still, self.weight = clips, still, weight

    def groups(self) -> list[ParameterGroup]:
        return split_groups(self.modules["vae"])

    def loss(self, step: int, schedule: Schedule) -> tuple[Tensor, dict[str, float]]:
        generator = schedule.generator(step)
        clips = self.clips(schedule.batch, generator)
        if schedule.progress(step) < self.still:
            clips = clips[:, :, :1]
        moments = self.modules["vae"]._encode(clips).float()
        mean, log_variance = moments.chunk(2, dim=1)
        noise = torch.randn(mean.shape, generator=generator).to(mean.device)
        latents = mean + (0.5 * log_variance.clamp(-30, 20)).exp() * noise
        made = self.modules["vae"].decode(latents, return_dict=False)[0].float()
        loss = reconstruction_loss(made, clips)
        divergence = kl(moments)
        figures = {"reconstruction": loss.item(), "kl": divergence.item(), "psnr": psnr(made.detach(), clips)}
        return loss + self.weight * divergence, figures
