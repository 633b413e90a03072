"""What one network needs: its weights, and lines through simulated calls that say the rest for any size.

The lines are fitted by ``engine.worker.residency`` to simulated calls; ``docs/memory.md`` has their errors.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec

from engine.families.networks import Kind
from engine.families.registry import NETWORK_CLASSES
from engine.memory.shapes import Shape

_DEFAULTS: dict[str, Any] = {"patch_size": 2, "mid_block_add_attention": True, "temporal_compression_ratio": 4}


def relevant(cls: str, config: dict[str, Any]) -> dict[str, Any]:
    """The part of ``config`` that counts; absent, false, zero and empty are alike unless there is a default."""
    names = NETWORK_CLASSES[cls].decisive if cls in NETWORK_CLASSES else ()
    found = {name: config.get(name, _DEFAULTS.get(name)) for name in names}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in found.items()
        if value or _DEFAULTS.get(name)
    }


def fingerprint(cls: str, config: dict[str, Any]) -> str:
    """Names a network by what decides its size."""
    return hashlib.sha256(json.dumps([cls, relevant(cls, config)], sort_keys=True).encode()).hexdigest()[:16]


class Lines(msgspec.Struct, frozen=True):
    """Coefficients over ``features``: ``peak`` bytes above weights (inputs and outputs included), ``flops`` of matrix
    products, convolutions and attention, ``moved`` bytes of everything else, and ``ops``, how many operators."""

    peak: tuple[float, ...]
    flops: tuple[float, ...]
    moved: tuple[float, ...]
    ops: tuple[float, ...]


class CallCost(msgspec.Struct, frozen=True):
    """What one call takes. ``peak``: the most bytes held at once; ``flops`` of matrix products, convolutions and
    attention; ``moved``: bytes that all other operators read and write; ``ops``: operators that compute something
    (views are free)."""

    peak: float
    flops: float
    moved: float
    ops: float


class Footprint(msgspec.Struct, frozen=True):
    """Parameters in all, in its repeated blocks together, in the largest block and in the largest layer.

    ``calls`` maps ``call@itemsize`` to lines: ``call@2`` for a denoiser or text encoder in 16 bits, ``decode@4``,
    ``encode@2``, and ``decode/512x512@2`` for tiles of that size in pixels (height × width).
    """

    cls: str
    config: dict[str, Any]
    parameters: int
    in_blocks: int
    largest_block: int
    largest_layer: int
    blocks: int
    calls: dict[str, Lines]

    @property
    def kind(self) -> Kind:
        return NETWORK_CLASSES[self.cls].kind

    @property
    def key(self) -> str:
        return fingerprint(self.cls, self.config)

    @property
    def block_layer(self) -> int:
        """Parameters of the layer within a block that computes while most activations are there."""
        config = self.config
        if self.kind == "denoiser" and "attention_head_dim" in config:
            return min(self.largest_layer, 4 * int(config["num_attention_heads"] * config["attention_head_dim"]) ** 2)
        return min(self.largest_layer, int(config.get("d_model", 1)) * int(config.get("d_ff", self.largest_layer)))

    def tiles(self) -> tuple[tuple[int, int], ...]:
        """Sizes in pixels (height, width) that the VAE can be tiled in, the largest first."""
        found = {call.partition("/")[2].partition("@")[0] for call in self.calls if call.startswith("decode/")}
        sizes = [tuple(int(side) for side in name.split("x")) for name in found]
        return tuple(sorted(((height, width) for height, width in sizes), reverse=True))

    def cost(self, call: str, itemsize: int, features: tuple[float, ...]) -> CallCost:
        """Raises ``KeyError`` for a call that was not simulated."""
        lines = self.calls[f"{call}@{itemsize}"]
        return CallCost(
            max(0.0, _dot(lines.peak, features)),
            max(0.0, _dot(lines.flops, features)),
            max(0.0, _dot(lines.moved, features)),
            max(1.0, _dot(lines.ops, features)),
        )


def _dot(line: tuple[float, ...], features: tuple[float, ...]) -> float:
    return sum(a * b for a, b in zip(line, features, strict=True))


def denoiser_features(batch: int, tokens: int, text: int) -> tuple[float, ...]:
    """B = batch of one pass, N = picture tokens, T = text tokens: 1, B, BN, BT, B(N+T)², BN²."""
    return (1.0, batch, batch * tokens, batch * text, batch * (tokens + text) ** 2, batch * tokens**2)


def text_features(tokens: int) -> tuple[float, ...]:
    return (1.0, tokens, tokens**2)


ONE_CHUNK = 9
"""Frames of a clip that its VAE decodes at once; longer ones come in chunks, with what the layers keep in between."""


def vae_features(batch: int, pixels: int, frames: int) -> tuple[float, ...]:
    """1; pixels of a frame of a long clip; of all frames; of a frame of a short clip; of a picture, and their square
    (attention in a picture's VAE)."""
    one = batch * pixels
    return (
        1.0,
        float(one if frames > ONE_CHUNK else 0),
        float(one * frames),
        float(one if 1 < frames <= ONE_CHUNK else 0),
        float(one if frames == 1 else 0),
        float(one * pixels if frames == 1 else 0),
    )


def is_tiled(shape: Shape, tile: tuple[int, int]) -> bool:
    """Whether a frame is larger than the tile; a VAE decodes smaller ones whole."""
    return shape.height > tile[0] or shape.width > tile[1]
