"""Trainings as typed values: those that made the embedded models are returned by a function each, and any run can be
written as JSON and read back."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from engine.protocol.errors import BadRecipe
from engine.world.things import COLOURABLE, THING_INDEX

from .catalogue import OBJECTS
from .distill import Distillation
from .image import ImageShape
from .lora import LoraRun
from .scenes import Domain
from .trainer import Schedule
from .vae import VaeShape
from .video import VideoShape
from .world.composition import World

FULL_DOMAIN = Domain(tuple(range(len(OBJECTS))))  # for the latents and the text encoders: they know everything
# What the models of this size were given no time to learn: thin, small or hard to tell from another.
_LEFT_OUT = frozenset((
    "chick", "avocado", "tulip", "tractor", "bicycle", "helicopter", "green heart", "purple heart", "key", "guitar",
    "drum", "camera", "alarm clock", "alien", "cloud", "light bulb", "top hat", "coffee", "lemon", "carrot",
    "teddy bear",
))  # fmt: skip
IMAGE_DOMAIN = Domain(tuple(i for i, o in enumerate(OBJECTS) if o.name not in _LEFT_OUT))
VIDEO_DOMAIN = Domain(tuple(range(32)))


@dataclass(frozen=True)
class ImageRun:
    name: str
    domain: Domain
    shape: ImageShape
    schedule: Schedule
    text_steps: int = 300
    singles: float = 0.6


def mini_image() -> ImageRun:
    return ImageRun(
        name="mini-image",
        domain=IMAGE_DOMAIN,
        shape=ImageShape(heads=3, layers=6),
        schedule=Schedule(steps=4720, batch=64),
    )


@dataclass(frozen=True)
class TurboRun:
    """Needs the teacher's last checkpoint."""

    name: str
    teacher: ImageRun
    schedule: Schedule
    distillation: Distillation = field(default_factory=Distillation)

    @property
    def domain(self) -> Domain:
        return self.teacher.domain


def mini_image_turbo() -> TurboRun:
    return TurboRun(
        name="mini-image-turbo",
        teacher=mini_image(),
        schedule=Schedule(steps=240, batch=24, muon_lr=0.01, adam_lr=5e-4, warmup=15, decay=0.5, ema=0.98),
    )


@dataclass(frozen=True)
class ImageVaeRun:
    name: str
    shape: VaeShape
    schedule: Schedule
    domain: Domain = FULL_DOMAIN


def mini_image_vae() -> ImageVaeRun:
    return ImageVaeRun(
        name="mini-image-vae",
        shape=VaeShape((32, 48, 64, 64)),
        schedule=Schedule(steps=1900, batch=4, ema=0.995, muon_lr=0.01, adam_lr=2e-3),
    )


@dataclass(frozen=True)
class VideoRun:
    name: str
    domain: Domain
    shape: VideoShape
    schedule: Schedule
    text_steps: int = 300


def mini_video() -> VideoRun:
    return VideoRun(
        name="mini-video",
        domain=VIDEO_DOMAIN,
        shape=VideoShape(heads=3, layers=6),
        schedule=Schedule(steps=2960, batch=48),
    )


@dataclass(frozen=True)
class VideoVaeRun:
    name: str
    shape: VaeShape
    schedule: Schedule
    domain: Domain = IMAGE_DOMAIN


def mini_video_vae() -> VideoVaeRun:
    return VideoVaeRun(
        name="mini-video-vae",
        shape=VaeShape((16, 32, 48, 64)),
        schedule=Schedule(steps=3800, batch=1, ema=0.995, muon_lr=0.007, adam_lr=1.5e-3),
    )


@dataclass(frozen=True)
class WorldRun:
    """The picture model's second generation; it begins with the first one's weights as they ship."""

    name: str
    world: World
    shape: ImageShape
    schedule: Schedule
    text_steps: int = 1400


# The first generation's things and the animals: colours, counts and styles are learned on what is known.
_FIRST = tuple(t for t in COLOURABLE if t < len(OBJECTS))
_ANIMALS = tuple(range(THING_INDEX["mouse"], THING_INDEX["rooster"] + 1))
FIRST_WORLD = World((*_FIRST, *_ANIMALS), focus=_ANIMALS, emphasis=2.0)


def world_image() -> WorldRun:
    return WorldRun(
        name="world-image",
        world=FIRST_WORLD,
        shape=ImageShape(heads=3, layers=6),
        schedule=Schedule(steps=4000, batch=64, muon_lr=0.012, adam_lr=8e-4),
    )


Run = ImageRun | WorldRun | TurboRun | ImageVaeRun | VideoRun | VideoVaeRun | LoraRun
TYPES: dict[str, type[Run]] = {
    "image": ImageRun,
    "world-image": WorldRun,
    "image-turbo": TurboRun,
    "image-vae": ImageVaeRun,
    "video": VideoRun,
    "video-vae": VideoVaeRun,
    "lora": LoraRun,
}


BY_KIND: dict[str, Callable[[], Run]] = {
    "image": mini_image,
    "world-image": world_image,
    "image-turbo": mini_image_turbo,
    "image-vae": mini_image_vae,
    "video": mini_video,
    "video-vae": mini_video_vae,
}


def to_dict(run: Run) -> dict[str, Any]:
    """The whole run, with its kind."""
    kind = next(kind for kind, cls in TYPES.items() if isinstance(run, cls))
    return {"kind": kind} | msgspec.to_builtins(run)


def from_dict(value: dict[str, Any]) -> Run:
    """Raises `BadRecipe` with what is wrong with it."""
    cls = TYPES.get(value.get("kind", ""))
    if cls is None:
        raise BadRecipe("This training says no kind that is known.", f"Kinds: {', '.join(TYPES)}.", field="kind")
    try:
        return msgspec.convert({key: one for key, one in value.items() if key != "kind"}, cls)
    except msgspec.ValidationError as error:
        raise BadRecipe(f"This is no training: {error}.", "Compare it with the output of `train show`.") from error


def to_json(run: Run) -> str:
    return msgspec.json.format(msgspec.json.encode(to_dict(run))).decode()


def from_json(text: str | bytes) -> Run:
    """Raises `BadRecipe`."""
    try:
        return from_dict(msgspec.json.decode(text, type=dict))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRecipe(f"This is no training: {error}.", "Compare it with the output of `train show`.") from error


def home() -> Path:
    """Where trainings keep checkpoints and logs: `LATERNA_TRAINING`, else the user's data folder."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    return Path(os.environ.get("LATERNA_TRAINING") or data / "laterna" / "training")


def folder(name: str) -> Path:
    return home() / name
