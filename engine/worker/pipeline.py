"""The torch half of a family: what it has to answer. ``if family == …`` anywhere else means that a method is missing
here or in ``engine.families.base``.

B = batch, T = latent frames (1 for a picture), C = latent channels, h = height / 8, w = width / 8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

from engine.families.base import ComponentSpec
from engine.models.reading.component import Component, ModelFolder
from engine.protocol.conditioning import Words
from engine.protocol.family_info import FamilyInfo, LatentRGB
from engine.protocol.recipe import Recipe
from engine.worker.finite import check_finite
from engine.worker.guidance import Conditioning, Denoiser, Side
from engine.worker.residency.residency import ModelResidency
from engine.worker.sampling.base import Point, Sampler


class LoadedModel(Protocol):
    """What a torch half sees of the model that a job runs with (``engine.worker.loaded_model.Model``)."""

    @property
    def folder(self) -> ModelFolder: ...

    @property
    def residency(self) -> ModelResidency: ...

    def compute_dtype(self, name: str) -> torch.dtype: ...


class Pipeline(Protocol):
    """Of one family. All methods run under ``torch.no_grad`` with the components they need on the device."""

    @property
    def info(self) -> FamilyInfo: ...

    @property
    def components(self) -> tuple[ComponentSpec, ...]: ...

    @property
    def text_parts(self) -> tuple[str, ...]:
        """Tokenizers and text encoders: what ``encode`` needs, and what decides its result."""
        ...

    def device_dtype(self, part: Component) -> torch.dtype:
        """Arithmetic on a GPU."""
        ...

    def check(self, folder: ModelFolder, recipe: Recipe) -> None:
        """Raise ``BadRecipe`` for what this very model cannot do, beyond the family's rules."""
        ...

    def encoding_settings(self, recipe: Recipe) -> tuple[Any, ...]:
        """What else decides the encoding of a prompt (for the cache)."""
        ...

    def encode(self, model: LoadedModel, parts: dict[str, Any], recipe: Recipe, words: Words) -> Conditioning:
        """The conditioning of one combination of texts; each tensor is [1, ...]."""
        ...

    def noise_shape(self, folder: ModelFolder, recipe: Recipe) -> tuple[int, ...]: ...

    def sampler(self, folder: ModelFolder, recipe: Recipe) -> Sampler: ...

    def start(self, folder: ModelFolder, recipe: Recipe, noise: Tensor, picture: Tensor | None) -> Tensor:
        """The latents before the first step, from noise of ``noise_shape`` and the encoded picture, if there is one."""
        ...

    def denoiser(
        self, model: LoadedModel, network: Any, recipe: Recipe, positive: Side, negative: Side | None
    ) -> Denoiser:
        """A denoiser with guidance around it; conditionings are [B, ...], ``negative`` None for no guidance."""
        ...

    def denoiser_at(self, folder: ModelFolder, recipe: Recipe, point: Point) -> str:
        """The denoiser for the step that begins at ``point``: a component's name."""
        ...

    def encode_picture(self, model: LoadedModel, vae: Any, recipe: Recipe, pixels: Tensor) -> Tensor:
        """Pixels [height, width, 3] uint8 to latents of ``noise_shape``, float32."""
        ...

    def is_told_picture(self, folder: ModelFolder) -> bool:
        """Whether the network sees the encoded picture in every step, instead of starting from it."""
        ...

    def decode(self, model: LoadedModel, vae: Any, recipe: Recipe, latents: Tensor) -> Tensor:
        """Latents to pixels: [B, frames, height, width, 3] uint8 on the CPU."""
        ...

    def decoded_latents(self, folder: ModelFolder, recipe: Recipe, latents: Tensor) -> Tensor:
        """Those that frames come of, as [B, T, C, h, w] (T = 1 for a picture); ``latents`` are after the last step."""
        ...

    def preview_latents(self, latents: Tensor) -> Tensor:
        """The first result of the batch as [frames, C, h, w]."""
        ...

    def latent_rgb(self, channels: int) -> LatentRGB:
        """The linear preview for a model that brings none."""
        ...


def to_pixels(decoded: Tensor) -> Tensor:
    """[..., 3, H, W] in −1 … 1 to [..., H, W, 3] uint8, rounded as diffusers' ``VaeImageProcessor`` does. Raises
    ``NotFiniteFound``."""
    check_finite(decoded)
    scaled = (decoded * 0.5 + 0.5).clamp(0, 1)
    return (scaled.cpu().movedim(-3, -1).float() * 255).round().to(torch.uint8)


def kept_latents(recipe: Recipe) -> Callable[[Tensor], Tensor]:
    """What happens to a network's output before guidance and the sampler: widened, or left as the pipelines do."""
    return (lambda output: output) if recipe.latents == "model" else Tensor.float
