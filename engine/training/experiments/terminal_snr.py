"""v-prediction with zero terminal SNR, without a network: on data so simple that the best possible denoiser is known.

A picture is one brightness b ~ N(0, 1) on all D pixels. If the last training step still holds a little of the picture
(the schedule of Stable Diffusion keeps 0.5 % of its energy), a denoiser reads the brightness from it; but sampling
starts from pure noise, whose mean is near 0, so everything comes out in middle grey (Lin et al. 2023, "Common Diffusion
Noise Schedules and Sample Steps are Flawed", arXiv:2305.08891).
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import CogVideoXDDIMScheduler
from torch import Tensor

PIXELS = 1024
SAMPLES = 4096


def best_v(x: Tensor, alpha: Tensor) -> Tensor:
    """`E[v | x]` for `v = sqrt(alpha) noise - sqrt(1 - alpha) picture`; x `[B, D]`."""
    pixels = x.shape[1]
    brightness = alpha.sqrt() * pixels * x.mean(1, keepdim=True) / (alpha * pixels + 1 - alpha)
    noise = (x - alpha.sqrt() * brightness) / (1 - alpha).sqrt()
    return alpha.sqrt() * noise - (1 - alpha).sqrt() * brightness


def spread(zero: bool, spacing: str, steps: int = 50) -> float:
    """Standard deviation of the samples' brightness; that of the data is 1."""
    scheduler = CogVideoXDDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=True,
        prediction_type="v_prediction", rescale_betas_zero_snr=zero, timestep_spacing=spacing, snr_shift_scale=1.0,
    )  # fmt: skip
    scheduler.set_timesteps(steps)
    x = torch.randn(SAMPLES, PIXELS, generator=torch.Generator().manual_seed(0))
    for t in scheduler.timesteps:
        x = scheduler.step(best_v(x, scheduler.alphas_cumprod[t]), t, x, return_dict=False)[0]
    return x.mean(1).std().item()


def zero_terminal_snr() -> dict[str, Any]:
    """How much of the data's variety in brightness sampling brings back; 1 is all of it."""
    return {
        "ordinary schedule, leading steps": round(spread(False, "leading"), 3),
        "ordinary schedule, trailing steps": round(spread(False, "trailing"), 3),
        "zero terminal SNR, trailing steps": round(spread(True, "trailing"), 3),
    }
