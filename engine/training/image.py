"""The picture model's training task: a small SD3 transformer on PCA latents of rendered scenes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import SD3Transformer2DModel
from torch import nn
from torch.nn import functional as F

from .backgrounds import BackgroundPool, BackgroundPools
from .captions import caption, plain_caption
from .catalogue import BACKGROUNDS, OBJECTS
from .flow import draw_sigmas, mix, sample_euler
from .grids import grid
from .pca import CHANNELS, ImagePCA
from .scenes import GRID, IMAGE_SIDE, Domain, RenderedScene, Scene, draw_bare, draw_scene, render, swapped
from .text import LayoutHead, LayoutTargets, TextStack
from .trainer import ParameterGroup, Schedule, diffusion_groups

POOL_STEPS = 200  # a new pool of backgrounds every so many steps
BARE = 0.06  # share of pictures whose caption is a noun alone
OPEN_BACKGROUND = 0.16  # of the others: share whose caption names no background
PORTUGUESE = 0.22


@dataclass(frozen=True)
class ImageShape:
    """Sizes of the transformer; `width` = heads x 64."""

    heads: int = 3
    layers: int = 6
    clip_width: int = 96
    joint_width: int = 192

    @property
    def width(self) -> int:
        return self.heads * 64


def build_transformer(shape: ImageShape) -> SD3Transformer2DModel:
    latent = IMAGE_SIDE // 8
    return SD3Transformer2DModel(
        sample_size=latent, patch_size=2, in_channels=CHANNELS, out_channels=CHANNELS, num_layers=shape.layers,
        attention_head_dim=64, num_attention_heads=shape.heads, joint_attention_dim=shape.joint_width,
        caption_projection_dim=shape.width, pooled_projection_dim=2 * shape.clip_width,
        pos_embed_max_size=latent // 2, qk_norm="rms_norm",
    )  # fmt: skip


def zero_ends(transformer: nn.Module) -> None:
    """Start as the identity (DiT's adaLN-Zero, Peebles and Xie 2022): zero modulations and output."""
    for name, module in transformer.named_modules():
        if isinstance(module, nn.Linear) and (name.endswith(("norm1.linear", "norm1_context.linear", "norm2.linear"))
                                              or name in ("norm_out.linear", "proj_out")):  # fmt: skip
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)


@dataclass
class SceneBatch:
    """`pixels` `[B, 3, H, W]` in -1..1, `tokens` `[B, H/16, W/16]` object + 1; `shared[i]` is the row whose noise and
    time row i uses (its own, or its twin's with the objects exchanged)."""

    scenes: list[Scene]
    captions: list[str]
    open_background: list[bool]  # the caption leaves it open
    pixels: torch.Tensor
    tokens: torch.Tensor
    shared: torch.Tensor


def make_batch(
    rng: np.random.Generator, domain: Domain, pool: BackgroundPool, count: int, singles: float
) -> SceneBatch:
    twins = round(count * (1 - singles) / 2)
    scenes, rendered, shared = [], [], []

    def add(scene: Scene, seed: int, row: int) -> None:
        scenes.append(scene)
        rendered.append(render(scene, np.random.default_rng(seed), pool))
        shared.append(row)

    bare = round(BARE * count)
    for row in range(count - 2 * twins):
        scene = draw_bare(rng, domain) if row < bare else draw_scene(rng, domain, singles=1.0)
        add(scene, int(rng.integers(2**62)), row)
    while len(scenes) < count:
        scene, seed, row = draw_scene(rng, domain, singles=0.0), int(rng.integers(2**62)), len(scenes)
        if not swapped(scene).held_out:
            add(scene, seed, row)
            add(swapped(scene), seed, row)
    open_background = [row < bare or rng.random() < OPEN_BACKGROUND for row in range(count)]
    captions = [caption(s, rng, not o, PORTUGUESE) for s, o in zip(scenes, open_background, strict=True)]
    tokens = torch.from_numpy(np.stack([r.tokens for r in rendered]))
    return SceneBatch(scenes, captions, open_background, to_tensor(rendered), tokens, torch.tensor(shared))


def to_tensor(rendered: list[RenderedScene]) -> torch.Tensor:
    return torch.from_numpy(np.stack([r.pixels for r in rendered])).permute(0, 3, 1, 2) * 2 - 1


def token_weights(tokens: torch.Tensor) -> torch.Tensor:
    """`[B, h, w]` loss weights with mean near 1: an object's tokens count more the fewer they are, else small objects
    would hardly be seen among the background's tokens. A weight that does not depend on the prediction leaves the
    optimum where it is."""
    covered = tokens > 0
    share = covered.flatten(1).float().mean(1).clamp(min=1 / 64).view(-1, 1, 1)
    weights = torch.where(covered, 1 + (0.5 / share).clamp(max=5), torch.ones(()))
    return weights / weights.mean()


class ImageTask:
    """Rows of a batch: `singles` of them one object, the others pairs next to their exchanged twins."""

    def __init__(self, domain: Domain, shape: ImageShape, pca: ImagePCA, text: TextStack, layout: LayoutHead,
                 singles: float = 0.6, compiled: bool = False) -> None:  # fmt: skip
        self.domain, self.pca, self.singles = domain, pca, singles
        transformer = build_transformer(shape)
        zero_ends(transformer)
        self.modules = nn.ModuleDict({
            "transformer": transformer, "text": text, "layout": layout,
            "token_objects": nn.Linear(shape.width, len(OBJECTS) + 1),
            "token_background": nn.Linear(shape.width, len(BACKGROUNDS)),
        })  # fmt: skip
        self._middle: torch.Tensor | None = None
        middle = transformer.transformer_blocks[shape.layers // 2]
        middle.register_forward_hook(self._keep)
        if compiled:
            for block in transformer.transformer_blocks:
                if block is not middle:
                    block.compile()
        self.pools = BackgroundPools(IMAGE_SIDE, domain.backgrounds, POOL_STEPS)

    def _keep(self, _module: nn.Module, _inputs: object, output: tuple[torch.Tensor, torch.Tensor]) -> None:
        self._middle = output[1]

    def groups(self) -> list[ParameterGroup]:
        return diffusion_groups(self.modules)

    def loss(self, step: int, schedule: Schedule) -> tuple[torch.Tensor, dict[str, float]]:
        rng, generator = schedule.rng(step), schedule.generator(step)
        batch = make_batch(rng, self.domain, self.pools.at(step, schedule.seed), schedule.batch, self.singles)
        captions = ["" if rng.random() < 0.1 else c for c in batch.captions]
        clean = self.pca.encode(batch.pixels)
        noise = torch.randn(clean.shape, generator=generator)[batch.shared]
        sigmas = draw_sigmas(len(clean), generator)[batch.shared]

        sequence, pooled = self.modules["text"](captions)
        velocity = self.modules["transformer"](
            mix(clean, noise, sigmas), sequence, pooled, sigmas * 1000, return_dict=False
        )[0].float()
        weights = token_weights(batch.tokens).repeat_interleave(2, 1).repeat_interleave(2, 2).unsqueeze(1)
        error = (velocity - (noise - clean)).square()
        flow = (error * weights).mean()

        kept = [i for i, c in enumerate(captions) if c]
        targets = LayoutTargets([batch.scenes[i] for i in kept])
        targets.backgrounds[torch.tensor([batch.open_background[i] for i in kept])] = -100  # cross_entropy skips it
        layout = self.modules["layout"](sequence[kept].float(), pooled[kept].float(), targets)
        total = flow + 0.1 * layout
        helper = 0.15 * max(0.0, 1 - schedule.progress(step) / 0.6)
        if helper > 0:
            middle = self._middle[kept].float()
            objects = F.cross_entropy(self.modules["token_objects"](middle).flatten(0, 1), batch.tokens[kept].flatten())
            backgrounds = F.cross_entropy(self.modules["token_background"](middle.mean(1)), targets.backgrounds)
            total = total + helper * (objects + backgrounds)
        self._middle = None
        return total, {"flow": error.mean().item(), "weighted": flow.item(), "layout": layout.item()}

    def pictures(self, sample: Callable[[list[str], int], np.ndarray] | None = None) -> np.ndarray:
        """Sixteen held-out prompts, for the log."""
        rng = np.random.default_rng(7)
        captions = [plain_caption(draw_scene(rng, self.domain, held_out=True)) for _ in range(16)]
        return grid((sample or self.sample)(captions, 7))

    def guided(self, captions: list[str], guidance: float) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
        """The velocity at `(x, sigma [B])` with classifier-free guidance."""
        sequence, pooled = self.modules["text"]([*captions, ""])
        count = len(captions)
        sequence = torch.cat([sequence[:-1], sequence[-1:].expand(count, -1, -1)])
        pooled = torch.cat([pooled[:-1], pooled[-1:].expand(count, -1)])

        def velocity(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
            both = self.modules["transformer"](
                torch.cat([x, x]), sequence, pooled, torch.cat([sigma, sigma]) * 1000, return_dict=False
            )[0]
            conditional, unconditional = both.float().chunk(2)
            return unconditional + guidance * (conditional - unconditional)

        return velocity

    @torch.no_grad()
    def sample(self, captions: list[str], seed: int, steps: int = 20, guidance: float = 3.0) -> np.ndarray:
        """Pictures `[B, H, W, 3]` in 0..1 through the PCA decoder, for watching a training."""
        return self.decode(sample_euler(self.guided(captions, guidance), latent_noise(len(captions), seed), steps))

    def decode(self, latents: torch.Tensor) -> np.ndarray:
        """`[B, H, W, 3]` in 0..1 by the PCA."""
        return (self.pca.decode(latents) / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).numpy()


def latent_noise(count: int, seed: int) -> torch.Tensor:
    side = IMAGE_SIDE // 8
    return torch.randn(count, CHANNELS, side, side, generator=torch.Generator().manual_seed(seed))


__all__ = ["GRID", "ImageShape", "ImageTask", "SceneBatch"]
__all__ += ["build_transformer", "latent_noise", "make_batch", "to_tensor"]
