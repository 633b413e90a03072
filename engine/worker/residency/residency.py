"""How a model resides in memory: precision and place of each component, and how guidance and the VAE run.

Precision: on a CPU, float32 arithmetic, unless the CPU has bfloat16 instructions and the weights are bfloat16 (float16
is emulated on CPUs, and bfloat16 without instructions is 2 to 5 times slower than float32). Where the plan says so, the
weights stay as stored and are widened layer by layer. On a GPU the family names the precision, small models get
float32 everywhere. Places are the planner's (``engine.memory.plan.Placement``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from engine.families.networks import Kind
from engine.memory.plan import Decoding, MemoryPlan, Placement, Storage, Weights
from engine.models.reading.component import Component, ModelFolder

NATIVE_BF16 = ("BF16", "F8_E4M3", "F8_E5M2")
"""Weights that a CPU with bfloat16 instructions computes with in bfloat16."""

SMALL_MODEL = 2**30
"""Bytes of a whole model in float32 below which nothing is saved by less precision."""

HOST_SHARE = 0.7
DEVICE_SHARE = 0.8
"""Parts of the free memory that weights may take where nothing is known of a network's activations."""

STORED = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32, "F64": torch.float32}

WHOLE = Decoding()


@dataclass(frozen=True)
class Residency:
    """Weights are kept in ``storage`` and computed with in ``compute``; ``place`` says where they lie. ``weights``
    other than native are those of the blocks' linear layers."""

    storage: torch.dtype
    compute: torch.dtype
    place: Placement = "device"
    weights: Weights = "native"

    @property
    def is_cast(self) -> bool:
        return self.storage != self.compute

    @property
    def arithmetic(self) -> str:
        """What of it decides the results."""
        return str(self.compute) if self.weights == "native" else f"{self.compute} {self.weights}"


@dataclass(frozen=True)
class ModelResidency:
    """``batched``: both sides of guidance in one pass. ``plan`` is the one that this carries out."""

    device: torch.device
    parts: dict[str, Residency]
    decoding: Decoding = WHOLE
    batched: bool = True
    plan: MemoryPlan | None = None

    @property
    def resident(self) -> bool:
        """Whether all components stay in memory between stages."""
        return not any(part.place in ("stage", "disk") for part in self.parts.values())

    @property
    def on_device(self) -> bool:
        """Whether all components stay on the device."""
        return all(part.place == "device" for part in self.parts.values())

    def pixel_facts(self) -> dict[str, Any]:
        """What of it changes pixels, as JSON-able values: a checkpoint goes on only under equal facts. Weights
        that are widened for each call give the bits of those that were widened once; guidance in two passes differs in
        the last bits alone, which is less than starting over costs."""
        return {name: part.arithmetic for name, part in sorted(self.parts.items())}


@dataclass(frozen=True)
class FreeMemory:
    """The device, and free bytes of the host and of the device (0 without one of its own)."""

    device: torch.device
    host_free: int
    device_free: int = 0
    native_bf16: bool = False


def has_native_bf16() -> bool:
    """Whether this CPU multiplies bfloat16 matrices in hardware."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def precisions(
    folder: ModelFolder,
    device: torch.device,
    native_bf16: bool,
    device_dtype: Callable[[Component], torch.dtype],
    storage: Storage = "wide",
    precision: torch.dtype | None = None,
    wanted: Weights = "native",
) -> dict[str, Residency]:
    """``device_dtype`` is the family's choice on a GPU; ``precision`` overrides everything (for measurements).
    ``wanted`` is what the recipe says of weights, for networks whose blocks are kept so."""
    weights = {name: part for name, part in folder.parts.items() if part.weights}
    is_small = 4 * sum(part.parameters for part in weights.values()) < SMALL_MODEL

    def compute(part: Component) -> torch.dtype:
        if precision is not None:
            return precision
        if device.type == "cpu":
            native = native_bf16 and part.dtype in NATIVE_BF16 and not is_small
            return torch.bfloat16 if native else torch.float32
        return torch.float32 if is_small else device_dtype(part)

    def kept(part: Component) -> torch.dtype:
        wide = compute(part)
        if part.quantised_bytes:  # its large weights stay as they are stored anyway
            return wide
        return _smaller(STORED.get(part.dtype, torch.float32), wide) if storage == "stored" else wide

    def reduced(part: Component) -> Weights:
        known = folder.network_class(part.name)
        return wanted if known is not None and known.eight_bit else "native"

    return {name: Residency(kept(part), compute(part), weights=reduced(part)) for name, part in weights.items()}


def carry_out(
    plan: MemoryPlan,
    folder: ModelFolder,
    device: torch.device,
    native_bf16: bool,
    device_dtype: Callable[[Component], torch.dtype],
    stands_for: torch.device | None = None,
) -> ModelResidency:
    """The planner's plan for ``folder``; ``device`` may stand for another one, whose precision counts."""
    places: dict[Kind, Placement] = {"denoiser": plan.transformer, "vae": plan.vae, "text": plan.text}

    def place(name: str) -> Placement:
        known = folder.network_class(name)
        return places[known.kind] if known is not None else plan.text

    parts = precisions(folder, stands_for or device, native_bf16, device_dtype, plan.storage, wanted=plan.weights)
    return ModelResidency(
        device,
        {name: replace(part, place=place(name)) for name, part in parts.items()},
        plan.decoding,
        plan.batched,
        plan,
    )


def from_weights_alone(
    folder: ModelFolder,
    free: FreeMemory,
    device_dtype: Callable[[Component], torch.dtype],
    precision: torch.dtype | None = None,
    wanted: Weights = "native",
) -> ModelResidency:
    """From the weights alone, for networks whose activations are not known: everything stays if it fits; otherwise
    weights stay as they are stored, then components are loaded for their stage and released after it; on a GPU they
    come over for their stage alone."""
    weights = {name: part for name, part in folder.parts.items() if part.weights}

    def sizes(parts: dict[str, Residency]) -> list[int]:
        return [held_bytes(weights[name], residency) for name, residency in parts.items()]

    def parts_in(storage: Storage) -> dict[str, Residency]:
        return precisions(folder, free.device, free.native_bf16, device_dtype, storage, precision, wanted)

    storages: list[Storage] = ["wide", "stored"] if free.device.type == "cpu" else ["wide"]
    choices = [(parts_in(storage), resident) for resident in (True, False) for storage in storages]
    parts, resident = choices[-1]
    for parts, resident in choices:
        needed = sum(sizes(parts)) if resident else max(sizes(parts), default=0)
        if needed <= free.host_free * HOST_SHARE:
            break
    on_device = free.device.type == "cpu" or sum(sizes(parts)) <= free.device_free * DEVICE_SHARE
    place: Placement = "stage" if not resident else "device" if on_device else "host"
    return ModelResidency(free.device, {name: replace(part, place=place) for name, part in parts.items()})


def held_bytes(part: Component, residency: Residency) -> int:
    """Bytes of the weights of ``part`` in memory."""
    return part.held_bytes(residency.storage.itemsize if residency.weights == "native" else 1)


def _smaller(one: torch.dtype, other: torch.dtype) -> torch.dtype:
    return one if one.itemsize < other.itemsize else other
