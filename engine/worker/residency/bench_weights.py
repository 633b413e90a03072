"""What the form of weights costs: seconds of a call, seconds and memory of loading, and the picture's difference."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.worker.residency.bench_streaming import class_of, mid_size, network_of, write_random
from resources import MODELS as EMBEDDED

ROUNDS = 4
READINGS = 2
CHUNK = 2**24
PICTURES = 3

Figures = dict[str, Any]


def storage() -> Figures:
    """Processor seconds of a call with weights kept in bfloat16 or in 8 bits over those kept in float32, all computing
    in float32, in turn: a transformer of about 130 million parameters and 1,024 tokens."""
    import torch

    from engine.models.reading.component import weighted
    from engine.worker import device
    from engine.worker.residency import networks
    from engine.worker.residency.residency import Residency

    torch.set_num_threads(device.cpu_threads())
    cls, config = mid_size()
    forms = {
        "float32": Residency(torch.float32, torch.float32),
        "bfloat16": Residency(torch.bfloat16, torch.float32),
        "int8": Residency(torch.bfloat16, torch.float32, weights="int8"),
    }
    with tempfile.TemporaryDirectory() as scratch, torch.no_grad():
        folder = Path(scratch) / "transformer"
        write_random(cls, config, folder, torch.bfloat16)
        part = weighted("transformer", folder)
        held = {name: _load(cls, part, plan) for name, plan in forms.items()}
        times: dict[str, list[float]] = {name: [] for name in forms}
        for _ in range(ROUNDS + 1):
            for name, network in held.items():
                torch.manual_seed(1)
                began = time.process_time()
                networks.call_denoiser(network, config, 1, (1, 512, 512), 154, torch.randn, torch.float32)
                times[name].append(time.process_time() - began)
    figures: Figures = {"seconds": statistics.median(times["float32"][1:])}
    for name in ("bfloat16", "int8"):
        pairs = zip(times[name][1:], times["float32"][1:], strict=True)
        figures[name] = statistics.median(one / other for one, other in pairs)
    return figures


def _load(cls: str, part: Any, plan: Any) -> Any:
    """As the engine loads a network."""
    from engine.worker.residency.loading import load_network

    return load_network(class_of(cls), part, plan)


_CHILD = """
import json, sys
from pathlib import Path
from engine.worker.residency.bench_weights import one_load
print(json.dumps(one_load(Path(sys.argv[1]), sys.argv[2])))
"""


def loading() -> Figures:
    """A quarter of SD3.5 Medium's transformer (random weights, 1.6 GB): seconds of loading it over those of reading its
    file, neither in the system's cache; and the process' memory at its peak over the bytes that are kept."""
    import torch

    cls, config = network_of("sd3.5-medium")
    config |= {"num_layers": 6, "dual_attention_layers": [0, 1, 2]}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "transformer"
        figures: Figures = {"bytes": write_random(cls, config, folder, torch.bfloat16)}
        for form in ("stored", "int8"):
            runs = []
            for _ in range(READINGS):
                seconds = _read(folder)
                _forget(folder)
                command = [sys.executable, "-c", _CHILD, str(folder), form]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    raise RuntimeError(done.stderr[-2000:])
                run = json.loads(done.stdout.splitlines()[-1])
                runs.append(run | {"reading": seconds, "ratio": run["seconds"] / seconds})
            figures[form] = min(runs, key=lambda run: run["ratio"])
    return figures


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def _forget(folder: Path) -> None:
    """Take the files out of the system's cache, where the system lets a program do that."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in _files(folder):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _read(folder: Path) -> float:
    """Seconds of reading the files once, from the disk."""
    _forget(folder)
    buffer = memoryview(bytearray(CHUNK))
    began = time.perf_counter()
    for path in _files(folder):
        with path.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass
    return time.perf_counter() - began


def one_load(folder: Path, form: str) -> Figures:
    """In this process, which should be a fresh one."""
    import psutil
    import torch

    from engine.models.reading.component import weighted
    from engine.worker import device
    from engine.worker.residency.residency import Residency
    from engine.worker.warmup import import_model_code

    import_model_code()
    torch.set_num_threads(device.cpu_threads())
    part = weighted("transformer", folder)
    plan = Residency(torch.bfloat16, torch.float32, weights="int8" if form == "int8" else "native")
    before = psutil.Process().memory_info().rss
    peak = device.PeakMemory(torch.device("cpu"))
    peak.start()
    began = time.perf_counter()
    network = _load("SD3Transformer2DModel", part, plan)
    seconds = time.perf_counter() - began
    kept = sum(tensor.nbytes for tensor in (*network.parameters(), *network.buffers()))
    return {"seconds": seconds, "kept": kept, "peak_over_kept": (peak.bytes() - before) / kept}


def weights() -> Figures:
    """Pictures of the models that ship with weights in 8 bits against those with weights as in their files: the mean
    difference of a pixel (of 255), the signal-to-noise ratio, that of the latents (norms)."""
    import torch

    from engine.models.installed import open_folder
    from engine.protocol.commands import Generate
    from engine.worker import device
    from engine.worker.progress import Progress
    from engine.worker.runner import Runner

    torch.set_num_threads(device.cpu_threads())
    figures: Figures = {}
    for folder in sorted(path for path in EMBEDDED.iterdir() if (path / "model_index.json").exists()):
        info, runner, runs = open_folder(folder).info, Runner(device=torch.device("cpu")), []
        for seed, prompt in enumerate(list(info.examples)[:PICTURES] or ["a red apple"] * PICTURES):
            made = {}
            for form in ("native", "int8"):
                recipe = info.recipe(prompt, seed=seed, weights=form)
                job = Generate("bench", recipe, str(folder), "", "out", -1.0)
                made[form] = runner.make(job, Progress("bench", lambda event, blob: None))
            exact, other = (made[form].frames.float() for form in ("native", "int8"))
            latents = made["native"].latents
            runs.append(
                {
                    "pixels": float((exact - other).abs().mean()),
                    "psnr": float(20 * torch.log10(255 / (exact - other).square().mean().sqrt())),
                    "latents": float((made["int8"].latents - latents).norm() / latents.norm()),
                }
            )
        figures[info.id] = {key: statistics.mean(run[key] for run in runs) for key in runs[0]}
    return figures


NAMES: dict[str, Callable[[], Figures]] = {"storage": storage, "loading": loading, "weights": weights}
