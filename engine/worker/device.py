"""The machine under the engine: which device, how many threads, how much memory is in use."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import msgspec
import psutil
import torch

from engine.memory.observed import cpu_name
from engine.protocol.events import DeviceInfo, MemoryChanged
from engine.worker.rates import measure_rates
from engine.worker.residency.residency import FreeMemory, has_native_bf16

PACKAGES = ("torch", "diffusers", "transformers", "safetensors", "numpy")


def find_device() -> torch.device:
    """The best there is: CUDA (or ROCm), Intel XPU, Apple MPS, otherwise the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.xpu.is_available():
        return torch.device("xpu")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


THREADS_VARIABLE = "LATERNA_THREADS"


def cpu_threads() -> int:
    """The physical cores that this process may use: a second thread on a core makes matrix products no faster.

    The environment variable ``LATERNA_THREADS`` overrides it.
    """
    wanted = os.environ.get(THREADS_VARIABLE, "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = min(cores, len(os.sched_getaffinity(0)))
    return max(1, cores)


def describe(device: torch.device) -> DeviceInfo:
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return DeviceInfo("cuda", properties.name, properties.total_memory)
    if device.type == "xpu":
        properties = torch.xpu.get_device_properties(device)
        return DeviceInfo("xpu", properties.name, properties.total_memory)
    kind = "mps" if device.type == "mps" else "cpu"
    return DeviceInfo(kind, cpu_name(), psutil.virtual_memory().total)


def describe_measured(device: torch.device) -> DeviceInfo:
    """With the rates that forecasts start from."""
    rates = measure_rates(device)
    return msgspec.structs.replace(
        describe(device),
        flops=rates.flops,
        bandwidth=rates.bandwidth,
        operator=rates.operator,
        native_bf16=has_native_bf16(),
    )


def versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in PACKAGES}


def free_memory(device: torch.device) -> FreeMemory:
    free = 0
    if device.type == "cuda":
        free = torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)
    elif device.type == "xpu":
        free = torch.xpu.mem_get_info(device)[0]
    elif device.type == "mps":
        free = max(0, torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return FreeMemory(device, psutil.virtual_memory().available, free, has_native_bf16())


def memory_now(device: torch.device | None) -> MemoryChanged:
    host = psutil.virtual_memory()
    total = used = own = 0
    if device is not None and device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        used, own = total - free, torch.cuda.memory_reserved(device)
    return MemoryChanged(psutil.Process().memory_info().rss, host.total, host.total - host.available, total, used, own)


class PeakMemory:
    """The most memory since ``start``: the device's if it has its own, otherwise this process' resident memory."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def start(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        elif sys.platform == "linux":
            with suppress(OSError):  # otherwise the peak is that of the whole process so far
                Path("/proc/self/clear_refs").write_text("5")

    def bytes(self) -> int:
        """0 where it cannot be measured."""
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device)
        if sys.platform == "linux":
            for line in Path("/proc/self/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
        return 0
