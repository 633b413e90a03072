"""What a family of models has to answer. ``if family == …`` anywhere else means that a method is missing here.

B = batch, T = latent frames (1 for a picture), C = latent channels, h = height / 8, w = width / 8.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from engine.protocol.conditioning import Words
from engine.protocol.errors import UnsafeModel
from engine.protocol.family_info import FamilyInfo, LatentRGB
from engine.protocol.recipe import Recipe
from engine.worker.guidance import Conditioning, Denoiser, Side
from engine.worker.memory.plan import Plan
from engine.worker.model_folder import ModelFolder, Part
from engine.worker.sampling.base import Sampler

CLIP_TOKENIZERS = ("transformers:CLIPTokenizer", "transformers:CLIPTokenizerFast")
T5_TOKENIZERS = (
    "transformers:T5TokenizerFast",
    "transformers:T5Tokenizer",
    "transformers:PreTrainedTokenizerFast",
    "transformers:TokenizersBackend",
)


@dataclass(frozen=True)
class ComponentSpec:
    """A component's folder name and the classes that it may be of, as ``module:class``, the usual one first."""

    name: str
    label: str
    classes: tuple[str, ...]
    has_weights: bool = True
    optional: bool = False

    def find_class(self, name: str) -> Any:
        """The class that a model's index names for this component. Raises ``UnsafeModel`` for any other."""
        for entry in self.classes:
            module, _, cls = entry.partition(":")
            if name in ("", cls):
                return getattr(importlib.import_module(module), cls)
        raise UnsafeModel(
            f"The model wants {name} as its {self.label}, which Laterna does not know.", "Choose another model."
        )


class LoadedModel(Protocol):
    """What a family uses of ``engine.worker.models.Model``."""

    @property
    def folder(self) -> ModelFolder: ...

    @property
    def plan(self) -> Plan: ...

    def compute_dtype(self, name: str) -> torch.dtype:
        """In which the component ``name`` computes."""


class Family(Protocol):
    """One family. All methods run under ``torch.no_grad`` with the components they need on the device."""

    @property
    def info(self) -> FamilyInfo: ...

    @property
    def components(self) -> tuple[ComponentSpec, ...]: ...

    @property
    def text_parts(self) -> tuple[str, ...]:
        """Tokenizers and text encoders: what ``encode`` needs, and what decides its result."""
        ...

    def device_dtype(self, part: Part) -> torch.dtype:
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
        self, model: LoadedModel, transformer: Any, recipe: Recipe, positive: Side, negative: Side | None
    ) -> Denoiser:
        """The transformer with guidance around it; conditionings are [B, ...], ``negative`` None for no guidance."""
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

    def preview_latents(self, latents: Tensor) -> Tensor:
        """The first result of the batch as [frames, C, h, w]."""
        ...

    def latent_rgb(self, channels: int) -> LatentRGB:
        """The linear preview for a model that brings none."""
        ...


def to_pixels(decoded: Tensor) -> Tensor:
    """[..., 3, H, W] in −1 … 1 to [..., H, W, 3] uint8, rounded as diffusers' ``VaeImageProcessor`` does."""
    scaled = (decoded * 0.5 + 0.5).clamp(0, 1)
    return (scaled.cpu().movedim(-3, -1).float() * 255).round().to(torch.uint8)


def kept_latents(recipe: Recipe) -> Callable[[Tensor], Tensor]:
    """What happens to a network's output before guidance and the sampler: widened, or left as the pipelines do."""
    return (lambda output: output) if recipe.latents == "model" else Tensor.float
