"""What the window and the command line need to know of a family and of a model, as torch-free data."""

from __future__ import annotations

import math
from typing import Literal, get_args

import msgspec

from engine.protocol.conditioning_rules import MAX_PROMPT_CHARS, Refuse, check_conditioning
from engine.protocol.errors import BadRecipe
from engine.protocol.inpainting import check_inpainting
from engine.protocol.inputs import STARTING, InputRule, Role
from engine.protocol.recipe import Recipe
from engine.protocol.upscaling import Upscaling, check_upscaling

MAX_SEED = 2**63 - 1
MAX_ADAPTER_STRENGTH = 10.0
MAX_SKIP_SCALE = 10.0
MAX_GUIDANCE_POINTS = 400
MAX_STEP_CACHING = 0.5

MAX_INPUT_STRENGTH = 2.0

Kind = Literal["image", "video"]

Capability = Literal[
    "shift",
    "negative_prompt",
    "negative_range",
    "skip_layer_guidance",
    "dynamic_guidance",
    "guidance_schedule",
    "conditioning",
    "use_t5",
    "t5_mask",
    "max_sequence_length",
    "adapters",
    "step_caching",
]
"""A field of a recipe that not every family has a use for. ``use_t5``: a recipe may leave the T5 out."""

CAPABILITIES: frozenset[Capability] = frozenset(get_args(Capability))

_CHANGED: tuple[Role, ...] = ("start", "first_frame", "source_clip")
"""What has a denoise strength."""


class FamilyInfo(msgspec.Struct, frozen=True):
    """Rules of a family of models.

    ``size_multiple`` in pixels: width and height must be multiples of it. ``frame_step``: clips have
    ``frame_step * N + 1`` frames (0 for pictures). ``samplers`` maps a sampler to the schedulers that go with it; their
    names are those of ``engine.protocol.sampling_names``. ``inputs``: the roles that pictures and clips
    may have in a recipe; only models with ``ModelInfo.first_frame`` take a first frame.
    ``capabilities``: the fields of a recipe that it has a use for, of those that not every family has.
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
    capabilities: frozenset[Capability] = frozenset()
    inputs: tuple[InputRule, ...] = ()
    text_encodings: tuple[str, ...] = ("diffusers",)
    text_encoders: tuple[str, ...] = ()

    def takes(self, *fields: Capability) -> bool:
        """Whether it has a use for any of ``fields`` of a recipe."""
        return not self.capabilities.isdisjoint(fields)

    def rule_of(self, *roles: Role) -> InputRule | None:
        """What it says of inputs in the first of ``roles`` that it takes; None where it takes none of them."""
        return next((rule for rule in self.inputs if rule.role in roles), None)


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
    upscaling: Upscaling | None = None


MAX_SAVED_PIXELS = 128 * 1024 * 1024
MAX_SAVED_FRAME_PIXELS = 64 * 1024 * 1024
"""Of a picture, and of a clip's frame, after upscaling: what Laterna opens again."""


class LatentRGB(msgspec.Struct, frozen=True, omit_defaults=True):
    """Linear map from model-space latents to RGB in 0 … 1: ``rgb = latents · factors + bias``, for live previews.

    ``factors`` has one row of three numbers for each latent channel. ``stretched``: what comes of it is no colour yet,
    but becomes one between the least and the greatest value of a preview.
    """

    factors: tuple[tuple[float, float, float], ...]
    bias: tuple[float, float, float] = (0.0, 0.0, 0.0)
    stretched: bool = False


class ModelInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model as a person sees it; written as ``laterna.json`` in the folder of an embedded model.

    ``first_frame``: its clips begin with a picture, which every recipe names. ``any_colour``: it draws each thing
    of its vocabulary in each colour there; without it, things come in their own colours only.
    """

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
    any_colour: bool = False
    first_frame: bool = False
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


def _plain(value: float) -> str:
    """Whole numbers with separators, others short."""
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def validate(recipe: Recipe, info: FamilyInfo) -> None:
    """Raise ``BadRecipe`` with field, sentence and remedy for the first setting that ``info`` does not allow."""

    def refuse(field: str, message: str, remedy: str) -> None:
        raise BadRecipe(message, remedy, field=field)

    def between(field: str, value: float, low: float, high: float, name: str) -> None:
        if not low <= value <= high:  # also refuses NaN
            refuse(
                field,
                f"{name} is {_plain(value)}; it must be from {_plain(low)} to {_plain(high)}.",
                f"Take {_plain(low if value < low else high)}." if not math.isnan(value) else "Give a number.",
            )

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
    if recipe.conditioning is not None:
        if not info.takes("conditioning"):
            refuse("conditioning", f"{info.name} takes one prompt and one negative prompt yet.", "Remove the others.")
        check_conditioning(recipe.conditioning, window, refuse)
    _check_guidance(recipe, info, refuse)
    if recipe.text_encoding not in info.text_encodings:
        refuse("text_encoding", f"{info.name} cannot weigh words in this Laterna yet.", "Switch prompt weights off.")
    if recipe.t5_mask and not info.takes("t5_mask"):
        refuse("t5_mask", f"{info.name} cannot mask T5's padding in this Laterna yet.", "Switch the mask off.")
    if recipe.step_caching and not info.takes("step_caching"):
        refuse("step_caching", f"{info.name} has no step caching.", "Switch it off.")
    between("step_caching", recipe.step_caching, 0.0, MAX_STEP_CACHING, "The tolerance of step caching")
    if recipe.upscaling is not None:
        check_upscaling(recipe.upscaling)
        width, height = recipe.saved_size
        most = MAX_SAVED_PIXELS if info.kind == "image" else MAX_SAVED_FRAME_PIXELS
        if width * height > most:
            refuse(
                "upscaling",
                f"{recipe.upscaling.scale} times {recipe.width} × {recipe.height} would be"
                f" {width * height / 1e6:.0f} megapixels: too large.",
                "Choose a smaller scale, or switch it off.",
            )
    _check_inputs(recipe, info, refuse)
    if recipe.inpainting is not None and info.rule_of("mask") is None:
        refuse("inpainting", f"{info.name} cannot make a part of a picture anew.", "Take it out of the recipe.")
    has_start, has_mask = recipe.input_of("start") is not None, recipe.input_of("mask") is not None
    check_inpainting(recipe.inpainting, has_start, has_mask, refuse)
    if recipe.adapters and not info.takes("adapters"):
        refuse("adapters", f"{info.name} cannot use LoRAs in this Laterna yet.", "Take them out of the recipe.")
    for adapter in recipe.adapters:
        for strength in (adapter.strength, adapter.text_strength or 0.0):
            name = f"The strength of {adapter.name}"
            between("adapters", strength, -MAX_ADAPTER_STRENGTH, MAX_ADAPTER_STRENGTH, name)
    if recipe.weights == "fp8":
        refuse("weights", "This Laterna keeps weights in 8 bits as whole numbers, not as float8.", "Choose int8.")


def check_first_frame(recipe: Recipe, moves_pictures: bool) -> None:
    """Raise ``BadRecipe`` where a model moves pictures and ``recipe`` names none, or the other way round."""
    given = recipe.input_of("first_frame")
    if moves_pictures and given is None:
        raise BadRecipe(
            "This model moves a picture, and none is chosen.",
            "Choose the picture that the clip begins with.",
            field="inputs",
        )
    if given is not None and not moves_pictures:
        raise BadRecipe(
            "This model makes clips from words alone.",
            "Take the picture out, or choose a model that moves one (I2V).",
            field="inputs",
        )


def _check_inputs(recipe: Recipe, info: FamilyInfo, refuse: Refuse) -> None:
    for one in recipe.inputs:
        rule, role = info.rule_of(one.role), one.role.replace("_", " ")
        if rule is None and one.role in STARTING:
            refuse("inputs", f"{info.name} cannot start from a picture yet.", "Take the picture out of the recipe.")
        if rule is None:
            refuse("inputs", f"{info.name} takes no {role} in this Laterna yet.", "Take it out of the recipe.")
            continue
        if sum(other.role == one.role for other in recipe.inputs) > rule.most:
            refuse("inputs", f"{info.name} takes at most {rule.most} of: {role}.", "Take the others out.")
        # of what is changed from a thousandth on, so that int(steps / strength) stays a sensible number of steps
        least, most = (0.001, 1.0) if one.role in _CHANGED else (0.0, MAX_INPUT_STRENGTH)
        if not least <= one.strength <= most:  # also refuses NaN
            name = "The denoise strength" if one.role in _CHANGED else "The strength"
            refuse(
                "inputs",
                f"{name} is {_plain(one.strength)}; it must be from {_plain(least)} to {_plain(most)}.",
                f"Take {_plain(least if one.strength < least else most)}.",
            )
        if not 0.0 <= one.range.start <= one.range.end <= 1.0:
            refuse(
                "inputs",
                "The part of the schedule of an input must lie within 0 and 1.",
                "Set its start before its end.",
            )


def _check_guidance(recipe: Recipe, info: FamilyInfo, refuse: Refuse) -> None:
    skip = recipe.skip_layer_guidance
    if skip is not None:
        if not info.takes("skip_layer_guidance"):
            refuse("skip_layer_guidance", f"{info.name} has no skip-layer guidance.", "Switch it off.")
        if not (0.0 <= skip.scale <= MAX_SKIP_SCALE and 0.0 <= skip.start <= skip.end <= 1.0):
            refuse(
                "skip_layer_guidance",
                "Skip-layer guidance has a scale or a window that makes no sense.",
                f"Keep the scale from 0 to {MAX_SKIP_SCALE:g} and the window within 0 and 1.",
            )
    points = recipe.guidance_schedule
    if not points:
        return
    if not info.takes("guidance_schedule"):
        refuse("guidance_schedule", f"{info.name} cannot change guidance over the steps yet.", "Take one value.")
    if recipe.dynamic_guidance:
        refuse("guidance_schedule", "Dynamic guidance already changes over the steps.", "Switch one of the two off.")
    if len(points) > MAX_GUIDANCE_POINTS:
        refuse("guidance_schedule", f"The guidance curve has {len(points)} points.", "Draw it with fewer.")
    last = 0.0
    for point in points:
        if not (0.0 < point.at <= 1.0 and last <= point.at and 0.0 <= point.scale <= info.max_guidance):
            refuse(
                "guidance_schedule",
                f"The guidance curve has a point at {point.at:g} with a scale of {point.scale:g}.",
                f"Keep its points in order, above 0 and up to 1, and its scales from 0 to {info.max_guidance:g}.",
            )
        last = point.at
