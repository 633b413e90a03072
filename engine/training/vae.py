"""Training tasks of the two autoencoders: teach diffusers' VAEs the closed-form PCA latents.

The encoder regresses the PCA latents and the decoder reconstructs the pixels from them, independently of one another,
so no adversary and no KL balance is needed and the diffusion models need not wait. The decoder sees its latents with
a little noise, since a diffusion model's latents are never exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderKLCogVideoX
from torch import nn
from torch.nn import functional as F

from .backgrounds import BackgroundPools
from .clips import CLIP_SIDE, draw_clip, render_clip, to_frames
from .pca import CHANNELS, ClipPCA, ImagePCA
from .scenes import IMAGE_SIDE, Domain, draw_scene, render
from .trainer import ParameterGroup, Schedule, split_groups

LOG_VARIANCE = -8.0  # the encoder's posterior is practically its mean
# Model-space latents are the PCA latents; the VAE's own ones differ from them by these factors, as in the models
# these architectures come from, so that code which forgets to scale fails visibly here too.
IMAGE_SCALING, IMAGE_SHIFT = 1.5, 0.05
CLIP_SCALING = 0.7
POOL_STEPS = 500  # a new pool of backgrounds every so many steps


@dataclass(frozen=True)
class VaeShape:
    channels: tuple[int, ...]
    layers: int = 1
    groups: int = 8


def build_image_vae(shape: VaeShape) -> AutoencoderKL:
    depth = len(shape.channels)
    return AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=CHANNELS, block_out_channels=shape.channels,
        down_block_types=("DownEncoderBlock2D",) * depth, up_block_types=("UpDecoderBlock2D",) * depth,
        layers_per_block=shape.layers, norm_num_groups=shape.groups, act_fn="silu", sample_size=IMAGE_SIDE,
        scaling_factor=IMAGE_SCALING, shift_factor=IMAGE_SHIFT, use_quant_conv=False, use_post_quant_conv=False,
        mid_block_add_attention=False, force_upcast=False,
    )  # fmt: skip


def build_clip_vae(shape: VaeShape) -> AutoencoderKLCogVideoX:
    depth = len(shape.channels)
    return AutoencoderKLCogVideoX(
        in_channels=3, out_channels=3, latent_channels=CHANNELS, block_out_channels=shape.channels,
        down_block_types=("CogVideoXDownBlock3D",) * depth, up_block_types=("CogVideoXUpBlock3D",) * depth,
        layers_per_block=shape.layers, norm_num_groups=shape.groups, act_fn="silu", sample_height=CLIP_SIDE,
        sample_width=CLIP_SIDE, scaling_factor=CLIP_SCALING, temporal_compression_ratio=4,
    )  # fmt: skip


def reconstruction_loss(made: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """L1 + 2 MSE + 0.5 L1 of the horizontal and vertical differences; pixels in -1..1, last two axes spatial."""
    loss = F.l1_loss(made, wanted) + 2 * F.mse_loss(made, wanted)
    for axis in (-1, -2):
        loss = loss + 0.5 * F.l1_loss(made.diff(dim=axis), wanted.diff(dim=axis))
    return loss


def encoder_loss(moments: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """`moments` `[B, 32, ...]`: mean and log variance; `wanted` `[B, 16, ...]` latents of the VAE's own scale."""
    mean, log_variance = moments.chunk(2, dim=1)
    return F.mse_loss(mean, wanted) + 1e-3 * (log_variance - LOG_VARIANCE).square().mean()


def psnr(made: torch.Tensor, wanted: torch.Tensor) -> float:
    """Decibels, for pixels in -1..1 (peak 2)."""
    return -10 * torch.log10(F.mse_loss(made.clamp(-1, 1), wanted) / 4).item()


class VaeTask:
    """Shared by both families; subclasses render, encode by PCA and call their VAE.

    The encoder trains at every fourth step only: it has the easier part, and only image-to-image needs it.
    """

    noise = 0.12  # largest standard deviation added to the decoder's latents, model-space

    def __init__(self, vae: nn.Module) -> None:
        self.modules = nn.ModuleDict({"vae": vae})

    @property
    def vae(self) -> nn.Module:
        return self.modules["vae"]

    def groups(self) -> list[ParameterGroup]:
        return split_groups(self.vae)

    def batch(self, step: int, schedule: Schedule) -> tuple[torch.Tensor, torch.Tensor]:
        """`(pixels, model-space latents)`, both as the VAE takes them."""
        raise NotImplementedError

    def to_vae(self, latents: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def moments(self, pixels: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Model-space latents to pixels."""
        return self.vae.decode(self.to_vae(latents), return_dict=False)[0]

    def loss(self, step: int, schedule: Schedule) -> tuple[torch.Tensor, dict[str, float]]:
        pixels, latents = self.batch(step, schedule)
        generator = schedule.generator(step)
        strength = torch.rand(len(latents), generator=generator).view(-1, *[1] * (latents.ndim - 1)) * self.noise
        noisy = latents + strength * torch.randn(latents.shape, generator=generator)
        made = self.decode(noisy).float()
        loss = reconstruction_loss(made, pixels)
        metrics = {"decoder": loss.item(), "psnr": psnr(made.detach(), pixels)}
        if step % 4 == 0:
            encoder = encoder_loss(self.moments(pixels).float(), self.to_vae(latents))
            loss = loss + encoder
            metrics["encoder_x4"] = 4 * encoder.item()
        return loss, metrics


class ImageVaeTask(VaeTask):
    def __init__(self, domain: Domain, shape: VaeShape, pca: ImagePCA) -> None:
        super().__init__(build_image_vae(shape))
        self.domain, self.pca = domain, pca
        self._pools = BackgroundPools(IMAGE_SIDE, domain.backgrounds, POOL_STEPS)

    def batch(self, step: int, schedule: Schedule) -> tuple[torch.Tensor, torch.Tensor]:
        pool = self._pools.at(step, schedule.seed)
        rng = schedule.rng(step)
        rendered = [render(draw_scene(rng, self.domain, 0.4), rng, pool) for _ in range(schedule.batch)]
        pixels = torch.from_numpy(np.stack([r.pixels for r in rendered])).permute(0, 3, 1, 2).contiguous() * 2 - 1
        return pixels, self.pca.encode(pixels)

    def to_vae(self, latents: torch.Tensor) -> torch.Tensor:
        return latents / IMAGE_SCALING + IMAGE_SHIFT

    def moments(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.vae.encoder(pixels)


class ClipVaeTask(VaeTask):
    """`[B, 3, T, H, W]` pixels and `[B, 16, 1 + (T-1)/4, H/8, W/8]` latents; every fourth step has 17 frames, so that
    the second chunk of `decode`, which starts from the first one's convolution cache, is trained too."""

    def __init__(self, domain: Domain, shape: VaeShape, pca: ClipPCA) -> None:
        super().__init__(build_clip_vae(shape))
        self.domain, self.pca = domain, pca
        self._pools = BackgroundPools(CLIP_SIDE, domain.backgrounds, POOL_STEPS)

    def batch(self, step: int, schedule: Schedule) -> tuple[torch.Tensor, torch.Tensor]:
        pool = self._pools.at(step, schedule.seed)
        rng = schedule.rng(step)
        length = 17 if step % 4 == 3 else 9
        rendered = [render_clip(draw_clip(rng, self.domain), rng, pool, length) for _ in range(schedule.batch)]
        frames = to_frames(rendered)
        return frames.transpose(1, 2).contiguous(), self.pca.encode(frames).transpose(1, 2).contiguous()

    def to_vae(self, latents: torch.Tensor) -> torch.Tensor:
        return latents / CLIP_SCALING

    def moments(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.vae._encode(pixels)
