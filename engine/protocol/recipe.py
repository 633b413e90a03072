"""``Recipe``: the one value that is the whole generation.

It goes over the wire, into the queue, into every file (``laterna.recipe``) and into the tests. Only what changes pixels
is in it; what changes memory or speed alone is in the plan. Only non-defaults are written, with the version, so old
recipes open in a newer Laterna (``earlier_recipes``), and ``tests/golden/`` keeps some of each released version.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.protocol.conditioning import WHOLE, Conditioning, Entry, GuidancePoint, Range, entries, guidance_at
from engine.protocol.earlier_recipes import brought_up
from engine.protocol.errors import BadRecipe
from engine.protocol.inpainting import Inpainting
from engine.protocol.inputs import Input, Role
from engine.protocol.upscaling import Upscaling

VERSION = 2
MAX_JSON_BYTES = 4 * 1024 * 1024


class SkipLayerGuidance(msgspec.Struct, frozen=True, omit_defaults=True):
    """Skip-layer guidance (SD3.5 Medium): adds ``scale * (conditioned - conditioned without layers)``.

    ``start`` and ``end`` are fractions of the number of steps, as in the reference pipeline, or with ``window`` sigma
    parts of the schedule as in ``Range``, as in ComfyUI.
    """

    scale: float = 2.8
    layers: tuple[int, ...] = (7, 8, 9)
    start: float = 0.01
    end: float = 0.2
    window: Literal["steps", "sigma"] = "steps"


class Adapter(msgspec.Struct, frozen=True, omit_defaults=True):
    """A LoRA by file name and SHA-256, with its strength; ``text_strength`` is that of its part in the text encoders,
    None for the same."""

    name: str
    sha256: str = ""
    strength: float = 1.0
    text_strength: float | None = None


class Recipe(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="version", tag=VERSION):
    """Everything that decides the pixels.

    ``width``, ``height`` are in pixels, ``fps`` in frames per second, ``guidance`` is the classifier-free guidance
    scale (1 means no unconditional pass), ``shift`` the timestep shift of rectified flow, ``seed`` in 0 … 2^63 - 1,
    ``batch`` the number of results drawn from one noise tensor. ``inputs`` are what it is given besides words, one or
    a few in each role, as the family says. ``latents`` says what the latents are kept in between steps: ``fp32`` or the
    model's own dtype as the reference pipelines do.

    ``conditioning`` has what one prompt and one negative prompt cannot say. ``guidance_schedule`` changes the guidance
    scale over the steps, from ``guidance`` at the start through its points. ``text_encoding`` says how texts are read:
    ``diffusers``: parentheses are plain characters, CLIP reads 77 tokens, T5 ``max_sequence_length``, padded to it;
    ``comfyui``: ``(words:1.2)`` weighs them, CLIP reads any length in chunks of 77, T5 any length, padded to at least
    ``max_sequence_length``, and a T5 that is left out leaves no tokens. ``t5_mask`` hides T5's padding from it.

    ``step_caching`` above 0 is a tolerance: where the network's output is expected to have changed by less than this
    part since it was last computed, it is not computed (``engine.worker.acceleration.step_caching``).

    ``inpainting`` makes a part of the picture to start from anew, the one that the ``mask`` among the inputs names, and
    leaves the rest; a mask without it means the usual way. The result has the picture's size. ``upscaling`` makes each
    result larger once it is decoded: ``width`` and ``height`` are those before.
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
    inputs: tuple[Input, ...] = ()
    skip_layer_guidance: SkipLayerGuidance | None = None
    latents: Literal["fp32", "model"] = "fp32"
    weights: Literal["native", "fp8", "int8"] = "native"
    conditioning: Conditioning | None = None
    guidance_schedule: tuple[GuidancePoint, ...] = ()
    text_encoding: Literal["diffusers", "comfyui"] = "diffusers"
    t5_mask: bool = False
    step_caching: float = 0.0
    upscaling: Upscaling | None = None
    inpainting: Inpainting | None = None

    def positive_entries(self) -> tuple[Entry, ...]:
        """What the model is drawn to, in full: one entry where there is only a prompt."""
        side = self.conditioning.positive if self.conditioning else ()
        return entries(side, self.prompt)

    def negative_entries(self) -> tuple[Entry, ...]:
        """What guidance moves away from, in full; outside ``negative_range`` these are zeros."""
        side = self.conditioning.negative if self.conditioning else ()
        return entries(side, self.negative_prompt, WHOLE if side else self.negative_range)

    def guidance_at_step(self, step: int) -> float:
        """The guidance scale of one of ``steps`` steps, counted from 0."""
        return guidance_at(step / self.steps, self.guidance, self.guidance_schedule)

    def input_of(self, *roles: Role) -> Input | None:
        """The first input in one of ``roles``, in the order of the inputs."""
        return next((one for one in self.inputs if one.role in roles), None)

    def with_input(self, *roles: Role, input: Input | None) -> Recipe:
        """With ``input`` in place of all that have one of ``roles``."""
        kept = tuple(one for one in self.inputs if one.role not in roles)
        return self.replace(inputs=kept if input is None else (input, *kept))

    def for_files(self) -> Recipe:
        """As it is written into files: inputs by name and content, no folder of this machine."""
        return self.replace(inputs=tuple(one.replace(path=one.name) for one in self.inputs))

    @property
    def saved_size(self) -> tuple[int, int]:
        """Width and height of what is saved."""
        scale = self.upscaling.scale if self.upscaling is not None else 1
        return self.width * scale, self.height * scale

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
        version = _version(raw)
        try:
            if 0 < version < VERSION:
                return msgspec.convert(brought_up(msgspec.json.decode(raw)), Recipe)
            return _decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, AttributeError, KeyError, TypeError) as error:
            newer = version if version > VERSION else 0
            if newer:
                raise BadRecipe(
                    f"This recipe is of version {newer}; this Laterna knows version {VERSION}.", "Update Laterna."
                ) from error
            raise BadRecipe(f"This is no Laterna recipe: {error}.", "Choose a file that Laterna made.") from error

    def replace(self, **changes: object) -> Recipe:
        return msgspec.structs.replace(self, **changes)


def _version(raw: bytes) -> int:
    """0 where there is none."""
    try:
        value = msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).get("version")
        return msgspec.json.decode(bytes(value), type=int) if value is not None else 0
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Recipe)
