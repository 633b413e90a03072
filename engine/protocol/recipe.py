"""``Recipe``: the one value that is the whole generation.

It goes over the wire, into the queue, into every file (``laterna.recipe``) and into the tests. Only what changes pixels
is in it; what changes memory or speed alone is in the plan. Only non-defaults are written, with the version, so old
recipes open in a newer Laterna, and ``tests/golden/`` keeps one of each released version.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.protocol.errors import BadRecipe

VERSION = 1
MAX_JSON_BYTES = 4 * 1024 * 1024


class Range(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of the schedule: 0 is its start (most noise), 1 its end."""

    start: float = 0.0
    end: float = 1.0


class SkipLayerGuidance(msgspec.Struct, frozen=True, omit_defaults=True):
    """Skip-layer guidance (SD3.5 Medium): adds ``scale * (conditioned - conditioned without layers)``.

    ``start`` and ``end`` are fractions of the number of steps, as in the reference pipeline.
    """

    scale: float = 2.8
    layers: tuple[int, ...] = (7, 8, 9)
    start: float = 0.01
    end: float = 0.2


class Adapter(msgspec.Struct, frozen=True, omit_defaults=True):
    """A LoRA by file name and SHA-256, with its strength."""

    name: str
    sha256: str = ""
    strength: float = 1.0


class InputMedia(msgspec.Struct, frozen=True, omit_defaults=True):
    """A picture or clip that the generation starts from, by content; ``strength`` is the denoise fraction."""

    path: str
    sha256: str = ""
    strength: float = 1.0


class Control(msgspec.Struct, frozen=True, omit_defaults=True):
    """A control picture (ControlNet) with its model, strength and part of the schedule."""

    model: str
    media: InputMedia
    strength: float = 1.0
    range: Range = Range()


class Recipe(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="version", tag=VERSION):
    """Everything that decides the pixels.

    ``width``, ``height`` are in pixels, ``fps`` in frames per second, ``guidance`` is the classifier-free guidance
    scale (1 means no unconditional pass), ``shift`` the timestep shift of rectified flow, ``seed`` in 0 … 2^63 - 1,
    ``batch`` the number of results drawn from one noise tensor. ``latents`` says what the latents are kept in between
    steps: ``fp32`` or the model's own dtype as the reference pipelines do.
    """

    family: str
    model: str
    prompt: str = ""
    negative_prompt: str = ""
    negative_range: Range = Range()
    width: int = 1024
    height: int = 1024
    frames: int = 1
    fps: int = 8
    steps: int = 28
    guidance: float = 4.5
    dynamic_guidance: bool = False
    sampler: str = "euler"
    scheduler: str = "normal"
    shift: float = 3.0
    seed: int = 0
    batch: int = 1
    max_sequence_length: int = 256
    use_t5: bool = True
    model_hashes: dict[str, str] = {}
    adapters: tuple[Adapter, ...] = ()
    input: InputMedia | None = None
    controls: tuple[Control, ...] = ()
    skip_layer_guidance: SkipLayerGuidance | None = None
    latents: Literal["fp32", "model"] = "fp32"
    weights: Literal["native", "fp8", "int8"] = "native"

    def to_json(self) -> str:
        return _encoder.encode(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Recipe:
        """Read a recipe; raises ``BadRecipe`` with a sentence for anything that is none."""
        raw = text.encode() if isinstance(text, str) else text
        if len(raw) > MAX_JSON_BYTES:
            raise BadRecipe(
                f"This recipe is {len(raw) // 1024} KiB; recipes end at {MAX_JSON_BYTES // 1024} KiB.",
                "Choose a file that Laterna made.",
            )
        try:
            return _decoder.decode(raw)
        except (msgspec.DecodeError, RecursionError) as error:
            newer = _newer_version(raw)
            if newer:
                raise BadRecipe(
                    f"This recipe is of version {newer}; this Laterna knows version {VERSION}.", "Update Laterna."
                ) from error
            raise BadRecipe(f"This is no Laterna recipe: {error}.", "Choose a file that Laterna made.") from error

    def replace(self, **changes: object) -> Recipe:
        return msgspec.structs.replace(self, **changes)


def _newer_version(raw: bytes) -> int:
    try:
        value = msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).get("version")
        version = msgspec.json.decode(bytes(value), type=int) if value is not None else 0
    except (msgspec.DecodeError, RecursionError):
        return 0
    return version if version > VERSION else 0


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Recipe)
