"""What streaming costs: time against a resident network, and the memory of real-size ones fed from the disk.

Real-size networks get random weights in a temporary folder: 5 and 11 GB, which are removed again. They run one call of
few tokens, each in a process of its own, whose whole resident memory counts: libraries, weights, activations.
"""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Figures = dict[str, Any]

ROUNDS = 4
CASES = {"sd3.5-medium": ((1, 256, 256), 154), "cogvideox-5b": ((1, 96, 96), 226)}
"""Latent frames, height and width in pixels; tokens of text."""

_CHILD = """
import json, sys
from pathlib import Path
from engine.worker.residency.bench_streaming import one_call
print(json.dumps(one_call(sys.argv[1], Path(sys.argv[2]))))
"""


def streaming() -> Figures:
    """Seconds of a call with blocks from host memory and from the disk over those of a resident one, on the same
    weights in turn; the most resident memory of one call of real-size transformers."""
    figures: Figures = {"against_resident": against_resident()}
    for name in CASES:
        figures[name] = real_size(name)
    return figures


def against_resident() -> Figures:
    """A transformer of about 130 million parameters and 1,024 tokens, float32."""
    import torch

    from engine.models.reading.component import weighted
    from engine.worker import device
    from engine.worker.residency import networks
    from engine.worker.residency.residency import Residency
    from engine.worker.residency.skeleton import build_skeleton
    from engine.worker.residency.streaming import FromDisk, Streamed, streamed_from_host
    from engine.worker.residency.stretches import find_stretches

    torch.set_num_threads(device.cpu_threads())
    cls, config = mid_size()
    with tempfile.TemporaryDirectory() as scratch, torch.no_grad():
        folder = Path(scratch) / "transformer"
        write_random(cls, config, folder, torch.float32)
        part = weighted("transformer", folder)
        kind = class_of(cls)

        def load() -> Any:
            network = kind.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval()
            for weight in network.parameters():
                weight.data = weight.data.clone()
            return network.requires_grad_(False)

        empty, reads = build_skeleton(kind, part, find_stretches(part), Residency(torch.float32, torch.float32))
        disk = Streamed(empty, FromDisk(reads))
        host, whole = streamed_from_host(load()), load()
        for streamed in (disk, host):
            streamed.open(torch.device("cpu"))
        runs = {"resident": whole, "host": host.network, "disk": disk.network}
        times: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(ROUNDS + 1):
            for name, network in runs.items():
                torch.manual_seed(1)
                began = time.perf_counter()
                networks.call_denoiser(network, config, 1, (1, 512, 512), 154, torch.randn)
                times[name].append(time.perf_counter() - began)
        for streamed in (disk, host):
            streamed.close()
    ratios = {
        name: statistics.median(a / b for a, b in zip(times[name][1:], times["resident"][1:], strict=True))
        for name in ("host", "disk")
    }
    return {"resident_seconds": statistics.median(times["resident"][1:]), **ratios}


def real_size(name: str) -> Figures:
    """One call of the published network ``name`` with random weights in bfloat16, streamed from the disk."""
    import torch

    cls, config = network_of(name)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "transformer"
        stored = write_random(cls, config, folder, torch.bfloat16)
        command = [sys.executable, "-c", _CHILD, name, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
    return {"stored": stored} | json.loads(done.stdout.splitlines()[-1])


def one_call(name: str, folder: Path) -> Figures:
    """In this process, which should be a fresh one."""
    import psutil
    import torch

    from engine.models.reading.component import weighted
    from engine.worker import device
    from engine.worker.residency import networks
    from engine.worker.residency.casting import cast_for_each_call
    from engine.worker.residency.residency import Residency
    from engine.worker.residency.skeleton import build_skeleton
    from engine.worker.residency.streaming import FromDisk, Streamed
    from engine.worker.residency.stretches import find_stretches

    torch.set_num_threads(device.cpu_threads())
    cls, config = network_of(name)
    kind, part = class_of(cls), weighted("transformer", folder)
    libraries = psutil.Process().memory_info().rss
    peak = device.PeakMemory(torch.device("cpu"))
    peak.start()
    began = time.perf_counter()
    network, reads = build_skeleton(kind, part, find_stretches(part), Residency(torch.bfloat16, torch.float32))
    cast_for_each_call(network, torch.float32)
    streamed = Streamed(network, FromDisk(reads))
    opened = time.perf_counter()
    streamed.open(torch.device("cpu"))
    with torch.no_grad():
        size, text = CASES[name]
        output = networks.call_denoiser(network, config, 1, size, text, torch.randn, torch.float32)
    seconds = time.perf_counter() - opened
    streamed.close()
    return {
        "peak_resident": peak.bytes(),
        "libraries": libraries,
        "open_seconds": opened - began,
        "step_seconds": seconds,
        "finite": bool(torch.isfinite(output).all()),
    }


def write_random(cls: str, config: dict[str, Any], folder: Path, dtype: Any) -> int:
    """A folder in diffusers layout with weights around zero, written without holding them; the bytes."""
    import torch

    from engine.worker.residency import networks

    names = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16"}
    network = networks.build(cls, config, dtype)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config | {"_class_name": cls}))
    noise = torch.randn(2**22, generator=torch.Generator().manual_seed(1)).mul_(0.02).to(dtype)
    header: dict[str, Any] = {}
    end = 0
    for name, tensor in network.state_dict().items():
        begin, end = end, end + tensor.numel() * dtype.itemsize
        header[name] = {"dtype": names[dtype], "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    raw = memoryview(noise.view(torch.uint8).numpy())
    with (folder / "diffusion_pytorch_model.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _ in range(math.ceil(end / len(raw))):
            file.write(raw[: min(len(raw), end - (file.tell() - 8 - len(text)))])
    return end


def mid_size() -> tuple[str, dict[str, Any]]:
    """A transformer of about 130 million parameters."""
    cls, config = network_of("sd3.5-medium")
    config |= {"num_layers": 4, "num_attention_heads": 14, "caption_projection_dim": 896, "pos_embed_max_size": 64}
    return cls, config | {"dual_attention_layers": [0, 1]}


def network_of(name: str) -> tuple[str, dict[str, Any]]:
    from engine.families.registry import NETWORKS

    cls, config = NETWORKS[name]
    return cls, dict(config)


def class_of(name: str) -> Any:
    import importlib

    from engine.families.registry import NETWORK_CLASSES

    return getattr(importlib.import_module(NETWORK_CLASSES[name].module), name)


NAMES: dict[str, Callable[[], Figures]] = {"streaming": streaming}
