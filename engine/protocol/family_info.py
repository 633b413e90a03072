"""What the window and the command line need to know of a family and of a model, as torch-free data."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.protocol.errors import BadRecipe
from engine.protocol.recipe import Recipe

MAX_PROMPT_CHARS = 20_000
MAX_SEED = 2**63 - 1

Kind = Literal["image", "video"]


class FamilyInfo(msgspec.Struct, frozen=True):
    """Rules of a family of models.

    ``size_multiple`` in pixels: width and height must be multiples of it. ``frame_step``: clips have
    ``frame_step * N + 1`` frames (0 for pictures). ``samplers`` maps a sampler to the schedulers that go with it.
    """

    id: str
    name: str
    kind: Kind
    size_multiple: int
    min_size: int
    max_size: int
    max_pixels: int
    frame_step: int
    max_frames: int
    samplers: dict[str, tuple[str, ...]]
    max_steps: int = 200
    max_guidance: float = 30.0
    max_batch: int = 8
    has_shift: bool = False
    has_skip_layer_guidance: bool = False
    has_negative_range: bool = False
    has_dynamic_guidance: bool = False
    text_encoders: tuple[str, ...] = ()


class ModelDefaults(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model's reference settings: what the form starts from."""

    width: int
    height: int
    steps: int
    guidance: float
    sampler: str
    scheduler: str
    frames: int = 1
    fps: int = 8
    shift: float = 1.0
    max_sequence_length: int = 256
    dynamic_guidance: bool = False


class LatentRGB(msgspec.Struct, frozen=True):
    """Linear map from model-space latents to RGB in 0 … 1: ``rgb = latents · factors + bias``, for live previews.

    ``factors`` has one row of three numbers for each latent channel.
    """

    factors: tuple[tuple[float, float, float], ...]
    bias: tuple[float, float, float] = (0.0, 0.0, 0.0)


class ModelInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model as a person sees it; written as ``laterna.json`` in the folder of an embedded model."""

    id: str
    name: str
    family: str
    kind: Kind
    defaults: ModelDefaults
    summary: str = ""
    format: int = 1
    sizes: tuple[tuple[int, int], ...] = ()
    frames: tuple[int, ...] = ()
    latent_rgb: LatentRGB | None = None
    examples: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    licence: str = ""
    repository: str = ""

    def recipe(self, prompt: str = "", **changes: object) -> Recipe:
        """A recipe with this model's reference settings, and ``changes`` on top."""
        values = msgspec.structs.asdict(self.defaults) | {"prompt": prompt} | changes
        return Recipe(family=self.family, model=self.id, **values)


class Adjustment(msgspec.Struct, frozen=True):
    """A value that does not fit a rule, and the nearest one that does."""

    field: str
    value: int
    nearest: int


def nearest_size(info: FamilyInfo, pixels: int) -> int:
    """The allowed width or height nearest to ``pixels``."""
    multiple = info.size_multiple
    return max(info.min_size, min(info.max_size, round(pixels / multiple) * multiple))


def nearest_frames(info: FamilyInfo, frames: int) -> int:
    """The allowed number of frames nearest to ``frames``."""
    if not info.frame_step:
        return 1
    return max(1, min(info.max_frames, round((frames - 1) / info.frame_step) * info.frame_step + 1))


def validate(recipe: Recipe, info: FamilyInfo) -> None:
    """Raise ``BadRecipe`` with field, sentence and remedy for the first setting that ``info`` does not allow."""

    def refuse(field: str, message: str, remedy: str) -> None:
        raise BadRecipe(message, remedy, field=field)

    def between(field: str, value: float, low: float, high: float, name: str) -> None:
        if not low <= value <= high:  # also refuses NaN
            refuse(field, f"{name} is {value:g}; it must be from {low:g} to {high:g}.", f"Choose {name.lower()} anew.")

    for field, name in (("prompt", "The prompt"), ("negative_prompt", "The negative prompt")):
        length = len(getattr(recipe, field))
        if length > MAX_PROMPT_CHARS:
            refuse(
                field,
                f"{name} has {length:,} characters; {info.name} reads at most {MAX_PROMPT_CHARS:,}.",
                "Shorten it; the models read only the first few hundred words.",
            )
    for field, name in (("width", "Width"), ("height", "Height")):
        value = getattr(recipe, field)
        between(field, value, info.min_size, info.max_size, name)
        if value % info.size_multiple:
            refuse(
                field,
                f"{name} is {value}; {info.name} needs a multiple of {info.size_multiple}.",
                f"Take {nearest_size(info, value)}.",
            )
    if recipe.width * recipe.height > info.max_pixels:
        refuse(
            "width",
            f"{recipe.width} × {recipe.height} is {recipe.width * recipe.height / 1e6:.1f} megapixels;"
            f" {info.name} ends at {info.max_pixels / 1e6:.1f}.",
            "Choose a smaller size.",
        )
    if info.kind == "image" and recipe.frames != 1:
        refuse("frames", f"{info.name} makes pictures, not clips.", "Choose one frame, or a video model.")
    if info.frame_step:
        between("frames", recipe.frames, 1, info.max_frames, "The number of frames")
        if (recipe.frames - 1) % info.frame_step:
            refuse(
                "frames",
                f"{recipe.frames} frames: {info.name} makes clips of {info.frame_step}·N + 1 frames.",
                f"Take {nearest_frames(info, recipe.frames)}.",
            )
    between("fps", recipe.fps, 1, 120, "Frames per second")
    between("steps", recipe.steps, 1, info.max_steps, "The number of steps")
    between("guidance", recipe.guidance, 0.0, info.max_guidance, "Guidance")
    between("shift", recipe.shift, 0.01, 100.0, "Shift")
    between("seed", recipe.seed, 0, MAX_SEED, "The seed")
    between("batch", recipe.batch, 1, info.max_batch, "The batch")
    between("max_sequence_length", recipe.max_sequence_length, 1, 512, "The prompt length in tokens")
    if recipe.sampler not in info.samplers:
        refuse(
            "sampler",
            f"{info.name} has no sampler “{recipe.sampler}”.",
            f"Take one of: {', '.join(info.samplers)}.",
        )
    if recipe.scheduler not in info.samplers[recipe.sampler]:
        refuse(
            "scheduler",
            f"The sampler {recipe.sampler} does not go with the scheduler “{recipe.scheduler}”.",
            f"Take one of: {', '.join(info.samplers[recipe.sampler])}.",
        )
    window = recipe.negative_range
    if not 0.0 <= window.start <= window.end <= 1.0:
        refuse(
            "negative_range", "The negative prompt's range must lie within 0 and 1.", "Set its start before its end."
        )
    if recipe.skip_layer_guidance is not None and not info.has_skip_layer_guidance:
        refuse("skip_layer_guidance", f"{info.name} has no skip-layer guidance.", "Switch it off.")
    if recipe.adapters or recipe.controls or recipe.input is not None:
        refuse(
            "input",
            "This Laterna cannot use LoRAs, control pictures or input pictures yet.",
            "Take them out of the recipe.",
        )
    if recipe.weights != "native":
        refuse("weights", f"This Laterna cannot run {recipe.weights} weights yet.", "Choose native weights.")
