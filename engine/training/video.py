"""The clip model's training task: a small CogVideoX transformer on PCA latents of rendered clips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from diffusers import CogVideoXDDIMScheduler, CogVideoXTransformer3DModel
from diffusers.models.embeddings import get_3d_rotary_pos_embed
from torch import nn
from torch.nn import functional as F

from .backgrounds import BackgroundPools
from .captions import caption, plain_caption
from .catalogue import BACKGROUNDS, OBJECTS
from .clips import CLIP_SIDE, draw_clip, render_clip, to_frames
from .grids import grid
from .pca import CHANNELS, ClipPCA
from .scenes import Domain
from .text import LayoutHead, LayoutTargets, T5Stack
from .timesteps import uniform
from .tokenizers import T5_LENGTH
from .trainer import ParameterGroup, Schedule, diffusion_groups

POOL_STEPS = 200
PORTUGUESE = 0.22
LATENT = CLIP_SIDE // 8
TOKENS = LATENT // 2  # transformer tokens along one side


@dataclass(frozen=True)
class VideoShape:
    """Sizes of the transformer; `width` = heads x 64 (rotary: 16 for time, 24 for each axis of space)."""

    heads: int = 3
    layers: int = 6
    text_width: int = 192

    @property
    def width(self) -> int:
        return self.heads * 64


def build_transformer(shape: VideoShape) -> CogVideoXTransformer3DModel:
    """`sample_height` and `sample_width` equal to the real latent size make the pipeline's rotary crop the identity:
    coordinates 0, 1, 2, ..."""
    return CogVideoXTransformer3DModel(
        num_attention_heads=shape.heads, attention_head_dim=64, in_channels=CHANNELS, out_channels=CHANNELS,
        time_embed_dim=shape.width, text_embed_dim=shape.text_width, num_layers=shape.layers, attention_bias=True,
        sample_width=LATENT, sample_height=LATENT, sample_frames=17, patch_size=2, temporal_compression_ratio=4,
        max_text_seq_length=T5_LENGTH, spatial_interpolation_scale=1.0, temporal_interpolation_scale=1.0,
        use_rotary_positional_embeddings=True,
    )  # fmt: skip


def build_scheduler() -> CogVideoXDDIMScheduler:
    """CogVideoX-5B's schedule: v-prediction, zero terminal SNR (Lin et al. 2023, arXiv:2305.08891), trailing steps."""
    return CogVideoXDDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, num_train_timesteps=1000,
        prediction_type="v_prediction", rescale_betas_zero_snr=True, set_alpha_to_one=True, steps_offset=0,
        timestep_spacing="trailing", snr_shift_scale=1.0,
    )  # fmt: skip


def zero_ends(transformer: nn.Module) -> None:
    """Start as the identity: zero modulations and output (adaLN-Zero)."""
    ends = ("norm1.linear", "norm2.linear", "norm_out.linear", "proj_out")
    for name, module in transformer.named_modules():
        if isinstance(module, nn.Linear) and name.endswith(ends):
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)


def rotary(latent_frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    """What CogVideoXPipeline computes for these sizes."""
    return get_3d_rotary_pos_embed(
        embed_dim=64, crops_coords=((0, 0), (TOKENS, TOKENS)), grid_size=(TOKENS, TOKENS), temporal_size=latent_frames
    )


def token_weights(tokens: torch.Tensor) -> torch.Tensor:
    """`[B, T, h, w]` loss weights, mean 1: tokens of the object count four times."""
    weights = torch.where(tokens > 0, 4.0, 1.0)
    return weights / weights.mean()


class VideoTask:
    """Batches of 9-frame clips and (smaller) batches of 17-frame clips in turn."""

    def __init__(self, domain: Domain, shape: VideoShape, pca: ClipPCA, text: T5Stack, layout: LayoutHead,
                 compiled: bool = False) -> None:  # fmt: skip
        self.domain, self.pca = domain, pca
        transformer = build_transformer(shape)
        zero_ends(transformer)
        self.modules = nn.ModuleDict({
            "transformer": transformer, "text": text, "layout": layout,
            "token_objects": nn.Linear(shape.width, len(OBJECTS) + 1),
            "token_background": nn.Linear(shape.width, len(BACKGROUNDS)),
        })  # fmt: skip
        middle = transformer.transformer_blocks[shape.layers // 2]
        middle.register_forward_hook(self._keep)
        if compiled:
            for block in transformer.transformer_blocks:
                if block is not middle:
                    block.compile(dynamic=False)
        self._middle: torch.Tensor | None = None
        self._pools = BackgroundPools(CLIP_SIDE, domain.backgrounds, POOL_STEPS)
        self.scheduler = build_scheduler()
        self._alphas = self.scheduler.alphas_cumprod.float()

    def _keep(self, _module: nn.Module, _inputs: object, output: tuple[torch.Tensor, torch.Tensor]) -> None:
        self._middle = output[0]

    def groups(self) -> list[ParameterGroup]:
        return diffusion_groups(self.modules)

    def loss(self, step: int, schedule: Schedule) -> tuple[torch.Tensor, dict[str, float]]:
        rng, generator = schedule.rng(step), schedule.generator(step)
        frames = 17 if step % 2 else 9
        count = schedule.batch if frames == 9 else schedule.batch * 5 // 8
        pool = self._pools.at(step, schedule.seed)
        scenes = [draw_clip(rng, self.domain) for _ in range(count)]
        rendered = [render_clip(s, rng, pool, frames) for s in scenes]
        open_background = [rng.random() < 0.12 for _ in scenes]
        captions = [caption(s, rng, not o, PORTUGUESE) for s, o in zip(scenes, open_background, strict=True)]
        captions = ["" if rng.random() < 0.1 else c for c in captions]
        tokens = torch.from_numpy(np.stack([r.tokens for r in rendered]))
        clean = self.pca.encode(to_frames(rendered))
        noise = torch.randn(clean.shape, generator=generator)
        timesteps = uniform(count, generator, schedule.part, schedule.parts)
        alpha = self._alphas[timesteps].view(-1, 1, 1, 1, 1)
        noisy = alpha.sqrt() * clean + (1 - alpha).sqrt() * noise
        velocity = alpha.sqrt() * noise - (1 - alpha).sqrt() * clean

        sequence, _ = self.modules["text"](captions)
        made = self.modules["transformer"](
            noisy, sequence, timesteps, image_rotary_emb=rotary(clean.shape[1]), return_dict=False
        )[0].float()
        error = (made - velocity).square()
        weights = token_weights(tokens).repeat_interleave(2, 2).repeat_interleave(2, 3).unsqueeze(2)
        diffusion = (error * weights).mean()

        kept = [i for i, c in enumerate(captions) if c]
        targets = LayoutTargets([scenes[i] for i in kept])
        targets.backgrounds[torch.tensor([open_background[i] for i in kept])] = -100  # cross_entropy skips it
        layout = self.modules["layout"](sequence[kept].float(), None, targets)
        total = diffusion + 0.1 * layout
        helper = 0.15 * max(0.0, 1 - schedule.progress(step) / 0.6)
        if helper > 0:
            middle = self._middle[kept].float()
            objects = F.cross_entropy(self.modules["token_objects"](middle).flatten(0, 1), tokens[kept].flatten())
            backgrounds = F.cross_entropy(self.modules["token_background"](middle.mean(1)), targets.backgrounds)
            total = total + helper * (objects + backgrounds)
        self._middle = None
        return total, {"diffusion": error.mean().item(), "weighted": diffusion.item(), "layout": layout.item()}

    def pictures(self) -> np.ndarray:
        """First, middle and last frame of eight held-out prompts, for the log."""
        rng = np.random.default_rng(7)
        captions = [plain_caption(draw_clip(rng, self.domain, held_out=True)) for _ in range(8)]
        return grid(self.sample(captions, seed=7), columns=2)

    @torch.no_grad()
    def sample(self, captions: list[str], seed: int, frames: int = 17, steps: int = 20,
               guidance: float = 3.0) -> np.ndarray:  # fmt: skip
        """Clips `[B, T, H, W, 3]` in 0..1 through the PCA decoder, for watching a training."""
        sequence, _ = self.modules["text"]([*captions, ""])
        count, latent_frames = len(captions), 1 + (frames - 1) // 4
        sequence = torch.cat([sequence[:-1], sequence[-1:].expand(count, -1, -1)])
        embeddings = rotary(latent_frames)
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(count, latent_frames, CHANNELS, LATENT, LATENT, generator=generator)
        scheduler = build_scheduler()
        scheduler.set_timesteps(steps)
        for t in scheduler.timesteps:
            both = self.modules["transformer"](
                torch.cat([x, x]), sequence, t.expand(2 * count), image_rotary_emb=embeddings, return_dict=False
            )[0]
            conditional, unconditional = both.float().chunk(2)
            velocity = unconditional + guidance * (conditional - unconditional)
            x = scheduler.step(velocity, t, x, return_dict=False)[0]
        return (self.pca.decode(x) / 2 + 0.5).clamp(0, 1).permute(0, 1, 3, 4, 2).numpy()
