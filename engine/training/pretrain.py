"""Before the diffusion training: the PCA and the text encoders. Minutes on one core."""

from __future__ import annotations

import logging
import time

import numpy as np
import torch
from torch import nn

from .backgrounds import BackgroundPool
from .captions import caption
from .clips import CLIP_SIDE, draw_clip, render_clip, to_frames
from .image import to_tensor
from .pca import ClipPCA, ImagePCA
from .scenes import IMAGE_SIDE, Domain, Scene, draw_scene, render
from .text import LayoutHead, LayoutTargets

log = logging.getLogger(__name__)


def fit_image_pca(domain: Domain, scenes: int = 600, seed: int = 0) -> ImagePCA:
    rng = np.random.default_rng((seed, 2))
    pool = BackgroundPool(rng, IMAGE_SIDE, domain.backgrounds)
    return ImagePCA.fit(to_tensor([render(draw_scene(rng, domain), rng, pool) for _ in range(scenes)]))


def fit_clip_pca(domain: Domain, clips: int = 500, seed: int = 0) -> ClipPCA:
    rng = np.random.default_rng((seed, 2))
    pool = BackgroundPool(rng, CLIP_SIDE, domain.backgrounds)
    return ClipPCA.fit(to_frames([render_clip(draw_clip(rng, domain), rng, pool, 17) for _ in range(clips)]))


def pretrain_text(text: nn.Module, layout: LayoutHead, domain: Domain, steps: int, batch: int = 96, seed: int = 0,
                  moving: bool = False) -> float:  # fmt: skip
    """Train encoders and head on the layout loss; returns the share of held-out captions read back in full."""
    optimizer = torch.optim.AdamW([*text.parameters(), *layout.parameters()], 2e-3, (0.9, 0.98), weight_decay=0.0)
    begun = time.monotonic()

    def scenes(rng: np.random.Generator, count: int, held_out: bool) -> list[Scene]:
        draw = draw_clip if moving else draw_scene
        return [draw(rng, domain, held_out=held_out) for _ in range(count)]

    for step in range(steps):
        rng = np.random.default_rng((seed, 3, step))
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1.0, (step + 1) / 40, (steps - step) / (0.4 * steps))
        drawn = scenes(rng, batch, held_out=False)
        loss = layout(*text([caption(s, rng, portuguese=0.25) for s in drawn]), LayoutTargets(drawn))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([*text.parameters(), *layout.parameters()], 1.0)
        optimizer.step()
        if step % 25 == 0:
            log.info("text step %d, loss %.3f, %.0f s", step, loss.item(), time.monotonic() - begun)
    rng = np.random.default_rng((seed, 4))
    drawn = scenes(rng, 512, held_out=True)
    with torch.no_grad():
        sequence, _ = text([caption(s, rng) for s in drawn])
    accuracy = layout.accuracy(sequence, LayoutTargets(drawn))
    log.info("text: %.3f of held-out captions read back right", accuracy)
    return accuracy
