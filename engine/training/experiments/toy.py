"""The smallest thing that is still trained like the real one: coloured squares, and SD3's transformer at 435,000
parameters. An experiment takes seconds, and its numbers compare two ways of training, not two models.

A sample is a picture `[4, side, side]` of one class: a square of the class's colour on the class's ground, anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from diffusers import SD3Transformer2DModel
from torch import Tensor, nn

from ..flow import mix, sample_euler
from ..schedule import Schedule
from ..trainer import ParameterGroup, split_groups

CLASSES = 8
CHANNELS = 4


def draw(count: int, side: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """`([count, 4, side, side], classes [count])`; the square is a quarter of the side."""
    classes = torch.randint(CLASSES, (count,), generator=generator)
    size = side // 4
    place = torch.rand(count, 2, generator=generator) * 0.75
    palette = torch.randn(CLASSES, 2, CHANNELS, generator=torch.Generator().manual_seed(1))
    grid = (torch.arange(side) + 0.5) / side
    inside = [((grid >= p[:, None]) & (grid < p[:, None] + size / side)).float() for p in place.T]
    mask = (inside[0][:, :, None] * inside[1][:, None, :])[:, None]
    colours = palette[classes][..., None, None]
    return colours[:, 0] * (1 - mask) + colours[:, 1] * mask, classes


@dataclass
class ToySetting:
    """One way of training. `stages` are `(share of the steps, side, batch)`; `sigmas` draws noise levels."""

    sigmas: str = "logit-normal"
    qk_norm: str | None = "rms_norm"
    stages: tuple[tuple[float, int, int], ...] = ((1.0, 16, 16),)
    checkpointing: bool = False
    scale: float = 1.0  # of the first weights of queries and keys


class ToyTask:
    """Rectified flow on squares."""

    def __init__(self, setting: ToySetting, seed: int = 0, width: int = 2, layers: int = 3, side: int = 16) -> None:
        torch.manual_seed(seed)
        self.setting = setting
        transformer = SD3Transformer2DModel(
            sample_size=side, patch_size=2, in_channels=CHANNELS, out_channels=CHANNELS, num_layers=layers,
            attention_head_dim=32, num_attention_heads=width, joint_attention_dim=32,
            caption_projection_dim=32 * width, pooled_projection_dim=32, pos_embed_max_size=side // 2,
            qk_norm=setting.qk_norm,
        )  # fmt: skip
        if setting.checkpointing:
            transformer.enable_gradient_checkpointing()
        for name, parameter in transformer.named_parameters():
            if setting.scale != 1 and name.endswith(("to_q.weight", "to_k.weight")):
                parameter.data *= setting.scale
        self.modules = nn.ModuleDict({"transformer": transformer, "words": nn.Embedding(CLASSES, 64)})

    def groups(self) -> list[ParameterGroup]:
        words = ParameterGroup("adam", list(self.modules["words"].parameters()))
        return [*split_groups(self.modules["transformer"], 1.0, ("norm1", "norm2")), words]

    def velocity(self, x: Tensor, sigmas: Tensor, classes: Tensor) -> Tensor:
        words, pooled = self.modules["words"](classes).chunk(2, dim=1)
        return self.modules["transformer"](x, words[:, None], pooled, sigmas * 1000, return_dict=False)[0].float()

    def stage(self, step: int, schedule: Schedule) -> tuple[int, int]:
        """Side and batch of a step."""
        over = 0.0
        for share, side, batch in self.setting.stages:
            over += share
            if schedule.progress(step) < over:
                return side, batch
        return self.setting.stages[-1][1:]

    def loss(self, step: int, schedule: Schedule) -> tuple[Tensor, dict[str, float]]:
        generator = schedule.generator(step)
        side, batch = self.stage(step, schedule)
        clean, classes = draw(batch, side, generator)
        return self.errors(clean, classes, self.sigmas(batch, generator), generator).mean(), {}

    def sigmas(self, count: int, generator: torch.Generator) -> Tensor:
        if self.setting.sigmas == "uniform":
            return torch.rand(count, generator=generator)
        return torch.randn(count, generator=generator).sigmoid()

    def errors(self, clean: Tensor, classes: Tensor, sigmas: Tensor, generator: torch.Generator) -> Tensor:
        """`[B]`: the mean square error of each row."""
        noise = torch.randn(clean.shape, generator=generator)
        made = self.velocity(mix(clean, noise, sigmas), sigmas, classes)
        return (made - (noise - clean)).square().mean((1, 2, 3))

    @torch.no_grad()
    def validation(self, side: int = 16, count: int = 256) -> float:
        """Mean error over evenly spaced noise levels, of pictures that no training draws."""
        generator = torch.Generator().manual_seed(987_654_321)
        clean, classes = draw(count, side, generator)
        sigmas = (torch.arange(count) + 0.5) / count
        return self.errors(clean, classes, sigmas, generator).mean().item()

    @torch.no_grad()
    def sample(self, classes: Tensor, side: int, steps: int, seed: int = 3) -> Tensor:
        noise = torch.randn(len(classes), CHANNELS, side, side, generator=torch.Generator().manual_seed(seed))
        return sample_euler(lambda x, sigma: self.velocity(x, sigma, classes), noise, steps)

    def sample_error(self, steps: int, side: int = 16, count: int = 64) -> float:
        """Root mean square distance of samples to the nearest true picture of their class."""
        classes = torch.arange(count) % CLASSES
        made = self.sample(classes, side, steps)
        truth, of = draw(2048, side, torch.Generator().manual_seed(55))
        nearest = [torch.cdist(one.flatten()[None], truth[of == c].flatten(1)).min() ** 2 for one, c in
                   zip(made, classes, strict=True)]  # fmt: skip
        return (torch.stack(nearest).mean() / made[0].numel()).sqrt().item()
