"""``python -m engine.worker.doctor``: what PyTorch sees and does here, as one line of JSON (``TorchReport``)."""

from __future__ import annotations

import sys
import time

import msgspec
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from engine.doctor.device import TorchReport
from engine.worker import device as devices
from engine.worker.rates import measure_rates
from engine.worker.residency.residency import has_native_bf16

LINK_BYTES = 256 * 2**20
KERNELS = {
    SDPBackend.FLASH_ATTENTION: "flash",
    SDPBackend.CUDNN_ATTENTION: "cuDNN",
    SDPBackend.EFFICIENT_ATTENTION: "memory-efficient",
    SDPBackend.MATH: "math",
}


def report() -> TorchReport:
    found = TorchReport(version=str(torch.__version__), cuda=torch.version.cuda or "", hip=torch.version.hip or "")
    device = devices.find_device()
    torch.set_num_threads(devices.cpu_threads())
    info = devices.describe(device)
    found = msgspec.structs.replace(
        found, kind=device.type, name=info.name, threads=torch.get_num_threads(), native_bf16=has_native_bf16()
    )
    if device.type == "cuda":
        major, minor = torch.cuda.get_device_capability(device)
        free, total = torch.cuda.mem_get_info(device)
        found = msgspec.structs.replace(
            found,
            capability=f"{major}.{minor}",
            built_for=tuple(torch.cuda.get_arch_list()),
            total=total,
            free=free,
            native_bf16=torch.cuda.is_bf16_supported(including_emulation=False),
            float8_products=(major, minor) >= (8, 9),
        )
    try:
        rates = measure_rates(device)
        found = msgspec.structs.replace(
            found,
            flops=rates.flops,
            bandwidth=rates.bandwidth,
            link=link_rate(device),
            attention=attention_kernels(device),
        )
    except RuntimeError as error:  # a build without kernels for this card says so at the first product
        found = msgspec.structs.replace(found, fault=str(error).splitlines()[0])
    return found


def link_rate(device: torch.device) -> float:
    """Bytes a second from pinned memory to a card of its own memory; 0 where there is none."""
    if device.type not in ("cuda", "xpu"):
        return 0.0
    module = torch.cuda if device.type == "cuda" else torch.xpu
    source = torch.empty(LINK_BYTES, dtype=torch.uint8, pin_memory=True)
    target = torch.empty(LINK_BYTES, dtype=torch.uint8, device=device)
    best = 0.0
    for _ in range(4):
        module.synchronize()
        began = time.perf_counter()
        target.copy_(source, non_blocking=True)
        module.synchronize()
        best = max(best, LINK_BYTES / (time.perf_counter() - began))
    return best


def attention_kernels(device: torch.device) -> tuple[str, ...]:
    """Which of PyTorch's kernels take a transformer's attention here: each is tried on a small one."""
    dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
    heads = torch.zeros(1, 2, 128, 64, device=device, dtype=dtype)
    found = []
    for backend, name in KERNELS.items():
        try:
            with sdpa_kernel(backend), torch.no_grad():
                torch.nn.functional.scaled_dot_product_attention(heads, heads, heads)
            found.append(name)
        except RuntimeError:
            continue
    return tuple(found)


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.encode(report()).decode() + "\n")
