"""``bench``: run benchmarks, each in a process of its own: none disturbs the next, and torch stays out of here."""

from __future__ import annotations

import json
import subprocess
import sys

from app.cli.output import ProgressLine, print_json
from app.cli.parser import Namespace
from app.paths import Paths
from engine.protocol.errors import BadArguments, UnknownFailure

# Where each benchmark lives: the module has NAMES, a dict from name to a function that returns JSON-able figures.
MODULES = {
    "start": "app.cli.bench_start",
    "library": "engine.library.bench_library",
    "gallery": "ui.library.bench_gallery",
    "mask": "ui.mask.bench",
    "ui": "app.cli.bench_ui",
    "engine-start": "engine.worker.bench_engine",
    "engine-overhead": "engine.worker.bench_engine",
    "engine-previews": "engine.worker.bench_engine",
    "engine-cancel": "engine.worker.bench_engine",
    "engine-embedded": "engine.worker.bench_engine",
    "engine-finite": "engine.worker.bench_results",
    "engine-learning": "engine.worker.bench_results",
    "engine-checkpoints": "engine.worker.bench_engine",
    "engine-death": "engine.jobs.bench_durability",
    "engine-hang": "engine.jobs.bench_durability",
    "queue": "engine.jobs.bench_durability",
    "forecast": "engine.worker.residency.bench_forecast",
    "resident": "engine.worker.residency.bench_forecast",
    "second-picture": "engine.worker.residency.bench_forecast",
    "caching": "engine.worker.acceleration.bench_acceleration",
    "compiling": "engine.worker.acceleration.bench_acceleration",
    "streaming": "engine.worker.residency.bench_streaming",
    "storage": "engine.worker.residency.bench_weights",
    "loading": "engine.worker.residency.bench_weights",
    "weights": "engine.worker.residency.bench_weights",
    "embedded": "engine.training.bench_embedded",
    "download": "engine.models.bench_downloads",
    "verify": "engine.models.bench_downloads",
}

_CHILD = """
import importlib, json, sys
module = importlib.import_module(sys.argv[1])
print(json.dumps(module.NAMES[sys.argv[2]]()))
"""


def run(arguments: Namespace, paths: Paths) -> int:
    if not arguments.names:
        if arguments.json:
            print_json(list(MODULES))
        else:
            print("\n".join(list(MODULES)))
        return 0
    unknown = [name for name in arguments.names if name not in MODULES]
    if unknown:
        raise BadArguments(f"There is no benchmark “{unknown[0]}”.", f"Benchmarks: {', '.join(list(MODULES))}.")
    progress = ProgressLine()
    results = {}
    for name in arguments.names:
        progress.show(f"Measuring {name}")
        results[name] = _call(MODULES[name], name)
    progress.end()
    if arguments.json:
        print_json(results)
        return 0
    for name, figures in results.items():
        print(name)
        for key, value in figures.items():
            print(f"  {key:36} {value:.4g}" if isinstance(value, float) else f"  {key:36} {value}")
    return 0


def _call(module: str, name: str) -> dict[str, object]:
    command = [sys.executable, "-c", _CHILD, module, name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnknownFailure(f"The benchmark {name} failed.", detail=done.stderr[-4000:])
    figures: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return figures
