"""How fast this machine computes: three short measurements when the engine starts, for the first forecasts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

REPEATS, FEW = 8, 3


@dataclass(frozen=True)
class DeviceRates:
    """``flops`` of matrix products and ``bandwidth`` in bytes a second; seconds that an ``operator`` costs."""

    flops: float
    bandwidth: float
    operator: float


def measure_rates(device: torch.device) -> DeviceRates:
    """In the dtype that large models run in.

    A CPU is measured on one thread and counted for all: where other programs hold a core, the threads of a short
    measurement wait for each other far more than those of long work do.
    """
    threads = torch.get_num_threads()
    if device.type != "cpu" or threads == 1:
        return _measure(device)
    torch.set_num_threads(1)
    try:
        one = _measure(device)
    finally:
        torch.set_num_threads(threads)
    return DeviceRates(one.flops * threads, one.bandwidth * threads**0.5, one.operator)


def _measure(device: torch.device) -> DeviceRates:
    is_cpu = device.type == "cpu"
    size, dtype = (384, torch.float32) if is_cpu else (4096, torch.bfloat16)
    one = torch.ones(size, size, device=device, dtype=dtype)
    product = _best(lambda: one @ one, device)
    # into fresh memory, as a network's operators write: on a CPU most of that is the system handing out pages
    many = torch.ones(2**22 if is_cpu else 2**26, device=device, dtype=dtype)
    copy = _best(lambda: many + 1, device, FEW)
    few = torch.ones(16, device=device, dtype=dtype)

    def small() -> None:
        for _ in range(100):
            few + 1

    operator = _best(small, device) / 100
    return DeviceRates(
        flops=2 * size**3 / product, bandwidth=2 * many.numel() * many.itemsize / copy, operator=operator
    )


def _best(call: Callable[[], object], device: torch.device, repeats: int = REPEATS) -> float:
    """Seconds of the fastest of some calls, after one that warms up."""
    times = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        elif device.type == "mps":
            torch.mps.synchronize()
        elif device.type == "xpu":
            torch.xpu.synchronize(device)
        times.append(time.perf_counter() - began)
    return max(min(times[1:]), 1e-9)
