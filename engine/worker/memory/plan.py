"""Which precision and which place each component gets.

Precision: on a CPU, float32 arithmetic, unless the CPU has bfloat16 instructions and the weights are bfloat16 (float16
is emulated on CPUs, and bfloat16 without instructions is 2 to 5 times slower than float32). Where the float32 copy
would not fit, the weights stay as stored and are widened layer by layer. On a GPU the family names the precision, small
models get float32 everywhere.

Place: everything stays in memory if it fits; otherwise components are loaded for their stage and released after it, and
on a GPU they come over for their stage alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from engine.worker.model_folder import ModelFolder, Part

SMALL_MODEL = 2**30
"""Bytes of a whole model in float32 below which nothing is saved by less precision."""

HOST_SHARE = 0.7
DEVICE_SHARE = 0.8
"""Parts of the free memory that weights may take; the rest is for activations and for other programs."""

STORED = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32, "F64": torch.float32}
STORED |= {"F8_E4M3": torch.bfloat16, "F8_E5M2": torch.bfloat16}  # widened at loading: no kernels for them everywhere


@dataclass(frozen=True)
class PartPlan:
    """Weights are kept in ``storage`` and computed with in ``compute``."""

    storage: torch.dtype
    compute: torch.dtype

    @property
    def is_cast(self) -> bool:
        return self.storage != self.compute


@dataclass(frozen=True)
class Plan:
    """``resident``: components stay in host memory between stages. ``on_device``: they also stay on the device."""

    device: torch.device
    parts: dict[str, PartPlan]
    resident: bool = True
    on_device: bool = True

    def pixel_facts(self) -> dict[str, Any]:
        """What of this plan changes pixels, as JSON-able values: a checkpoint goes on only under equal facts."""
        return {name: [str(part.storage), str(part.compute)] for name, part in sorted(self.parts.items())}


@dataclass(frozen=True)
class Machine:
    """The device, and free bytes of the host and of the device (0 without one of its own)."""

    device: torch.device
    host_free: int
    device_free: int = 0
    native_bf16: bool = False


def has_native_bf16() -> bool:
    """Whether this CPU multiplies bfloat16 matrices in hardware."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def make_plan(
    folder: ModelFolder,
    machine: Machine,
    device_dtype: Callable[[Part], torch.dtype],
    precision: torch.dtype | None = None,
) -> Plan:
    """``device_dtype`` is the family's choice on a GPU; ``precision`` overrides everything (for measurements)."""
    weights = {name: part for name, part in folder.parts.items() if part.weights}
    is_small = 4 * sum(part.parameters for part in weights.values()) < SMALL_MODEL

    def compute(part: Part) -> torch.dtype:
        if precision is not None:
            return precision
        if machine.device.type == "cpu":
            native = machine.native_bf16 and part.dtype == "BF16" and not is_small
            return torch.bfloat16 if native else torch.float32
        return torch.float32 if is_small else device_dtype(part)

    wide = {name: PartPlan(compute(part), compute(part)) for name, part in weights.items()}
    stored = {
        name: PartPlan(_smaller(STORED.get(part.dtype, torch.float32), wide[name].compute), wide[name].compute)
        for name, part in weights.items()
    }
    room = int(machine.host_free * HOST_SHARE)
    choices = [(wide, True), (stored, True), (wide, False), (stored, False)]
    if machine.device.type != "cpu":
        choices = [(wide, True), (wide, False)]
    parts, resident = choices[-1]
    for parts, resident in choices:
        sizes = [weights[name].held_bytes(plan.storage.itemsize) for name, plan in parts.items()]
        if (sum(sizes) if resident else max(sizes, default=0)) <= room:
            break
    total = sum(weights[name].held_bytes(plan.storage.itemsize) for name, plan in parts.items())
    on_device = machine.device.type == "cpu" or total <= machine.device_free * DEVICE_SHARE
    return Plan(machine.device, parts, resident, on_device)


def _smaller(one: torch.dtype, other: torch.dtype) -> torch.dtype:
    return one if one.itemsize < other.itemsize else other
