"""The machine as it is now: from what the engine tells, or asked of the system where no engine runs."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

from engine.memory.machine import HOST_PROCESS, DeviceKind, Machine, Rates
from engine.protocol.events import DeviceInfo, MemoryChanged

MIB = 2**20
ASK_SECONDS = 3.0


def from_engine(device: DeviceInfo, memory: MemoryChanged, keep_free: int = 0) -> Machine:
    """What a job could take now: the free memory, and what the engine holds for models already. ``keep_free`` as in
    ``Machine.leaving``."""
    kind: DeviceKind = device.kind if device.kind in ("cuda", "mps", "xpu") else "cpu"  # type: ignore[assignment]
    held = max(0, memory.process - HOST_PROCESS)
    free = memory.device_total - memory.device_used + memory.device_own
    rates = None
    if device.flops > 0:
        rates = Rates(device.flops, device.bandwidth, device.operator, measured=True)
    machine = Machine(
        kind=kind,
        host_total=memory.host_total,
        host_free=memory.host_total - memory.host_used + held,
        device_total=memory.device_total,
        device_free=free,
        name=device.name,
        rates=rates,
        native_bf16=device.native_bf16,
    )
    return machine.leaving(keep_free)


def this_machine() -> Machine:
    """Asked of the system, without the engine: the first NVIDIA card if its driver answers, else the processor."""
    import psutil

    host = psutil.virtual_memory()
    free = max(0, host.available - HOST_PROCESS)
    card = _nvidia()
    if card is None:
        return Machine("cpu", host.total, free, name=cpu_name())
    name, total, unused = card
    return Machine("cuda", host.total, free, total, unused, name)


def cpu_name() -> str:
    """As the system calls the processor."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "CPU"


def _nvidia() -> tuple[str, int, int] | None:
    """Name, total and free bytes of the first card."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    query = [program, "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=ASK_SECONDS, check=True)
        name, total, free = done.stdout.splitlines()[0].rsplit(",", 2)
        return name.strip(), int(total) * MIB, int(free) * MIB
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
