"""How true forecasts are here: seconds of the models that ship, before and after learning; resident memory."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.memory.footprints import Footprints
from engine.memory.forecast import Forecaster
from engine.memory.history import History
from engine.memory.inventory import from_folder, of_model
from engine.memory.machine import imagined
from engine.memory.observed import from_engine
from engine.models.catalog import FAMILIES, MINI_IMAGE, MODELS
from engine.models.installed import open_folder
from engine.protocol.commands import Generate
from engine.protocol.recipe import Recipe
from engine.worker.bench_engine import prepare
from resources import MODELS as EMBEDDED

RUNS = 5
CARDS = (2, 4, 8, 12, 24, None)
HOST_GIB = 16

Figures = dict[str, Any]


def forecast() -> Figures:
    """For each model: expected over measured seconds of the first job, and of those after three. ``keystroke_ms``: the
    longest forecast of the catalogue's models on cards of any size, with the change that would fit."""
    prepare()
    from engine.worker import device
    from engine.worker.runner import Runner
    from engine.worker.warmup import import_model_code

    import_model_code()
    here = device.find_device()
    described = device.describe_measured(here)
    figures: Figures = {"flops": described.flops, "bandwidth": described.bandwidth, "operator": described.operator}
    for folder in sorted(path for path in EMBEDDED.iterdir() if (path / "model_index.json").exists()):
        model, components = open_folder(folder), from_folder(folder)
        machine = from_engine(described, device.memory_now(here))
        with tempfile.TemporaryDirectory() as home:
            forecaster = Forecaster(History(Path(home) / "runs.sqlite3"))
            ratios: list[float] = []
            forecasting: list[float] = []
            for number in range(RUNS):
                recipe = model.info.recipe(f"a red apple, number {number}", seed=number)
                began = time.perf_counter()
                expected = forecaster.forecast(recipe, components, model.family, machine, with_remedy=False)
                forecasting.append(time.perf_counter() - began)
                seconds = _run(Runner(device=here), folder, recipe, home)
                counted = sum(seconds.get(stage, 0.0) for stage in ("encoding", "denoising", "decoding"))
                ratios.append(expected.seconds / counted)
                forecaster.ran(recipe, components, machine, seconds, 0)
        figures[model.info.id] = {
            "before": ratios[0],
            "after_three": statistics.median(ratios[3:]),
            "all": [round(ratio, 3) for ratio in ratios],
            "forecast_ms": round(1000 * statistics.median(forecasting), 2),
        }
    return figures | {"keystroke_ms": round(1000 * _longest_forecast(), 1)}


def _longest_forecast() -> float:
    """Seconds of this thread on the processor."""
    forecaster, known, longest = Forecaster(), Footprints(), 0.0
    for info in MODELS.values():
        components = of_model(info.id, None, known)
        for vram in CARDS:
            machine, times = imagined(vram, HOST_GIB), []
            for _ in range(3):
                began = time.thread_time()
                forecaster.forecast(info.recipe("x"), components, FAMILIES[info.family], machine)
                times.append(time.thread_time() - began)
            longest = max(longest, statistics.median(times))
    return longest


def _run(runner: Any, folder: Path, recipe: Recipe, home: str) -> dict[str, float]:
    job = Generate("bench", recipe, str(folder), output_folder=home, file_stem="bench", preview_interval=-1.0)
    return dict(runner.run(job, lambda event, blob: None).seconds)


_CHILD = """
import json, sys
from engine.worker.residency.bench_forecast import resident_case
print(json.dumps(resident_case(sys.argv[1])))
"""


def resident() -> Figures:
    """Resident memory that one call of a mid-size network took, over what is simulated for it; a process each."""
    figures: Figures = {}
    for name in ("sd3-vae", "transformer", "cogvideox-vae"):
        done = subprocess.run([sys.executable, "-c", _CHILD, name], capture_output=True, text=True, check=True)
        figures[name] = json.loads(done.stdout.splitlines()[-1])
    return figures


def resident_case(name: str) -> Figures:
    """One call on real tensors in this process, which should be a fresh one."""
    import psutil
    import torch

    from engine.families.registry import NETWORKS
    from engine.worker.device import PeakMemory
    from engine.worker.residency import networks
    from engine.worker.residency.allocator import give_back_freed_memory
    from engine.worker.residency.simulate import open_network

    def call(network: Any) -> Any:
        if name == "sd3-vae":
            return networks.decode(network, 1, 1, 320, 320)
        if name == "cogvideox-vae":
            return networks.decode(network, 1, 1, 160, 240)
        return networks.call_denoiser(network, config, 2, (1, 512, 512), 154)

    cls, config = NETWORKS["sd3.5-medium" if name == "transformer" else name]
    if name == "transformer":
        small = {"num_layers": 6, "num_attention_heads": 16, "caption_projection_dim": 1024, "pos_embed_max_size": 64}
        config = config | small | {"dual_attention_layers": [0, 1]}
    simulated = open_network(cls, config, torch.float32)
    peak = simulated.run(call).peak
    weights = sum(tensor.numel() * 4 for tensor in simulated.network.parameters())
    weights += sum(tensor.numel() * 4 for tensor in simulated.network.buffers())
    give_back_freed_memory()
    before = psutil.Process().memory_info().rss
    measure = PeakMemory(torch.device("cpu"))
    measure.start()
    network = networks.build(cls, config, torch.float32)
    networks.place(network)
    for tensor in (*network.parameters(), *network.buffers()):
        tensor.data.fill_(0.01)
    with torch.no_grad():
        call(network)
    measured = measure.bytes() - before
    return {"simulated": weights + peak, "resident": measured, "ratio": measured / (weights + peak)}


def second_picture() -> Figures:
    """Of the embedded picture model, twice with one prompt by two engines: what the second one loads."""
    prepare()
    import torch

    from engine.protocol.events import StageChanged
    from engine.worker.runner import Runner

    folder = EMBEDDED / MINI_IMAGE
    recipe = open_folder(folder).info.recipe("a red apple on the left")
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as home:
        for name, seed in (("first", 1), ("second", 2)):
            details: list[str] = []
            job = Generate("bench", recipe.replace(seed=seed), str(folder), home, name, -1.0, cache_folder=f"{home}/e")

            def note(event: Any, blob: bytes, details: list[str] = details) -> None:
                if isinstance(event, StageChanged):
                    details.append(event.detail or event.stage)

            seconds = Runner(device=torch.device("cpu")).run(job, note).seconds
            figures[name] = {
                "text_encoders_loaded": sum("text encoder" in detail for detail in set(details)),
                "encoded": "encoding" in details,
                "loading_seconds": seconds.get("loading", 0.0),
                "encoding_seconds": seconds.get("encoding", 0.0),
            }
    return figures


NAMES: dict[str, Callable[[], Figures]] = {"forecast": forecast, "resident": resident, "second-picture": second_picture}
