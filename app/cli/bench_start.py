"""How long until the window is seen: from the start of the process to the first paint, and what start.py adds."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from app.paths import RESOURCES
from app.screen import has_screen

ROOT = RESOURCES.parent
REPEATS = 7


def _first_paint(home: str) -> float:
    """Seconds from spawning ``python -m app`` to the window's first paint."""
    environment = os.environ | {"LATERNA_BENCH_FIRST_PAINT": repr(time.time()), "PYTHONPATH": str(ROOT)}
    if not has_screen():
        environment["QT_QPA_PLATFORM"] = "offscreen"
    done = subprocess.run(
        [sys.executable, "-m", "app", "--home", home],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return float(done.stdout.split("first paint ")[1].split()[0])


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True, cwd=ROOT, timeout=60)
    return time.perf_counter() - start


def start() -> dict[str, float]:
    """Medians in seconds: first paint, and a second ``start.py --version`` against the app's own ``--version``."""
    with tempfile.TemporaryDirectory() as home:
        paints = [_first_paint(home) for _ in range(REPEATS)]
    through, direct = [], []
    for _ in range(REPEATS):
        through.append(_seconds([sys.executable, str(ROOT / "start.py"), "--version"]))
        direct.append(_seconds([sys.executable, "-m", "app", "--version"]))
    return {
        "first_paint_s": statistics.median(paints),
        "first_paint_worst_s": max(paints),
        "start_py_adds_s": statistics.median(through) - statistics.median(direct),
    }


NAMES: dict[str, Callable[[], dict[str, float]]] = {"start": start}
