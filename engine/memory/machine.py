"""The machine that a plan is for: its memories, and how fast it computes and moves."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

GIB = 2**30

DEVICE_CONTEXT = GIB // 2
"""What the driver and the libraries take of a card before the first tensor, where that is not measured."""

DEVICE_RESERVE = GIB // 4
HOST_RESERVE = GIB
"""Left to other programs. A setting of the person's overrides the first."""

HOST_PROCESS = int(0.75 * GIB)
"""Resident memory of the engine with its libraries and no model."""

FRAGMENTATION = 0.04
"""Part of what is allocated that CUDA's caching allocator holds besides, in blocks that fit nothing."""

DeviceKind = Literal["cpu", "cuda", "mps", "xpu"]


class Rates(msgspec.Struct, frozen=True, omit_defaults=True):
    """Operations a second (matrix products in the dtype that models run in); bytes a second of the device's memory, of
    the link from host to device, of the disk; seconds that one operator costs at least."""

    flops: float
    bandwidth: float
    operator: float
    link: float = 12e9
    disk: float = 1.5e9
    measured: bool = False


class Machine(msgspec.Struct, frozen=True, omit_defaults=True):
    """In bytes. ``device_free`` counts what the engine itself holds as free. On a CPU, and where device and host share
    one memory, only the host's figures count."""

    kind: DeviceKind
    host_total: int
    host_free: int
    device_total: int = 0
    device_free: int = 0
    name: str = ""
    rates: Rates | None = None
    native_bf16: bool = False
    device_reserve: int = DEVICE_RESERVE
    host_reserve: int = HOST_RESERVE

    @property
    def is_unified(self) -> bool:
        """Whether weights on the device are weights in the host's memory."""
        return self.kind in ("cpu", "mps")

    def leaving(self, keep_free: int) -> Machine:
        """The same with ``keep_free`` bytes more left to other programs, in the memory that the device works in."""
        if self.is_unified:
            return msgspec.structs.replace(self, host_reserve=self.host_reserve + keep_free)
        return msgspec.structs.replace(self, device_reserve=self.device_reserve + keep_free)

    @property
    def device_limit(self) -> int:
        """Bytes that a plan may take of the device; 0 where it has no memory of its own."""
        return 0 if self.is_unified else int(max(0, self.device_free - self.device_reserve) / (1 + FRAGMENTATION))

    @property
    def host_limit(self) -> int:
        return max(0, self.host_free - self.host_reserve)

    @property
    def speeds(self) -> Rates:
        return self.rates or expected_rates(self.kind, self.name, self.device_total)


def imagined(vram: float | None, ram: float, kind: DeviceKind = "cuda", name: str = "") -> Machine:
    """A machine with ``vram`` and ``ram`` GiB of which nothing but the system and the engine is in use."""
    host = int(ram * GIB)
    if vram is None:
        return Machine("cpu", host, max(0, host - HOST_PROCESS), name=name)
    total = int(vram * GIB)
    return Machine(kind, host, max(0, host - HOST_PROCESS), total, max(0, total - DEVICE_CONTEXT), name)


# Published peak rates: dense matrix products in 16 bits, memory traffic. What a program reaches of them is ``REACHED``.
_CARDS: tuple[tuple[str, float, float], ...] = (
    (r"H[12]00", 990e12, 3.3e12),
    (r"A100", 312e12, 1.6e12),
    (r"L40|RTX 6000 Ada", 181e12, 0.86e12),
    (r"RTX 5090", 209e12, 1.79e12),
    (r"RTX 5080", 112e12, 0.96e12),
    (r"RTX 5070", 62e12, 0.67e12),
    (r"RTX 4090", 165e12, 1.0e12),
    (r"RTX 4080", 97e12, 0.72e12),
    (r"RTX 4070", 58e12, 0.5e12),
    (r"RTX 4060", 30e12, 0.27e12),
    (r"RTX 3090", 71e12, 0.94e12),
    (r"RTX 3080", 60e12, 0.76e12),
    (r"RTX 30[67]0", 26e12, 0.36e12),
    (r"RTX 20\d0", 50e12, 0.45e12),
    (r"T4", 65e12, 0.32e12),
    (r"M[1-4] Ultra", 30e12, 0.8e12),
    (r"M[1-4] Max", 16e12, 0.4e12),
    (r"M[1-4]", 5e12, 0.1e12),
)
REACHED = 0.45


def expected_rates(kind: DeviceKind, name: str, device_total: int = 0) -> Rates:
    """From the card's name; for an unknown card from its size, for a CPU a modest one."""
    if kind == "cpu":
        return Rates(flops=1e11, bandwidth=8e9, operator=8e-6)
    for pattern, flops, bandwidth in _CARDS:
        if re.search(pattern, name):
            return Rates(flops * REACHED, bandwidth * 0.7, 6e-6)
    size = max(4, device_total / GIB)
    return Rates(flops=4e12 * size * REACHED, bandwidth=28e9 * size * 0.7, operator=6e-6)
