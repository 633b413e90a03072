"""The 3D causal VAE on squares that move: is a warm start on single frames worth it at equal cost?"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..schedule import Schedule
from ..trainer import Trainer
from ..vae import psnr
from ..vae_kl import KlVaeTask, kl, tiny_vae

SIDE, FRAMES, STEPS = 32, 9, 90


def moving_squares(count: int, generator: torch.Generator, frames: int = FRAMES) -> Tensor:
    """`[count, 3, frames, 32, 32]` in -1..1: a square of 12 px on plain ground moves up to 1 px a frame."""
    colours = torch.rand(count, 2, 3, generator=generator) * 2 - 1
    start = torch.rand(count, 2, generator=generator) * (SIDE - 12)
    speed = torch.rand(count, 2, generator=generator) * 2 - 1
    times = torch.arange(frames)
    place = (start[:, None] + speed[:, None] * times[None, :, None]).clamp(0, SIDE - 12)  # [B, T, 2]
    grid = torch.arange(SIDE)
    inside = [((grid >= place[..., a, None]) & (grid < place[..., a, None] + 12)).float() for a in range(2)]
    mask = (inside[0][..., :, None] * inside[1][..., None, :])[:, None]
    ground, square = (colours[:, i, :, None, None, None] for i in range(2))
    return ground * (1 - mask) + square * mask


def warm_start() -> dict[str, Any]:
    """Clips all the time, against single frames first, at (nearly) equal CPU seconds."""
    found = {}
    clips, seconds, _ = _trained(0.0, STEPS)
    found["clips only"] = clips
    _, probe, _ = _trained(0.6, 10)
    steps = round(10 * seconds / probe)
    found["single frames first"], _, vae = _trained(0.6, steps)
    found["causal"] = {"change of earlier latents by later frames": _leak(vae)}
    return found


def _trained(still: float, steps: int) -> tuple[dict[str, Any], float, torch.nn.Module]:
    torch.manual_seed(0)
    task = KlVaeTask(tiny_vae(), moving_squares, still)
    schedule = Schedule(steps=steps, batch=2, warmup=10, muon_lr=0.01, adam_lr=2e-3, ema=0.95)
    trainer = Trainer(task, schedule, Path(tempfile.gettempdir()))
    begun = time.process_time()
    while trainer.step < steps:
        trainer.train_step()
    seconds = time.process_time() - begun
    vae = task.modules["vae"].eval()
    clips = moving_squares(16, torch.Generator().manual_seed(99))
    with torch.no_grad():
        moments = vae._encode(clips)
        made = vae.decode(moments.chunk(2, dim=1)[0], return_dict=False)[0]
    figures = {"steps": steps, "cpu_seconds": round(seconds, 1), "psnr_db": round(psnr(made, clips), 2),
               "kl": round(kl(moments).item(), 3)}  # fmt: skip
    return figures, seconds, vae


@torch.no_grad()
def _leak(vae: Any) -> float:
    """The largest change of the first chunk's three latents when the second chunk's frames change; 0 for a causal
    encoder. (Within a chunk the group norms see all of its frames.)"""
    clips = moving_squares(1, torch.Generator().manual_seed(5), frames=17)
    changed = clips.clone()
    changed[:, :, 9:] = -changed[:, :, 9:]
    one, other = vae._encode(clips), vae._encode(changed)
    return (one[:, :, :3] - other[:, :, :3]).abs().max().item()
