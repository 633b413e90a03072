"""How long until the window is seen: from the start of the process to the first paint, and what start.py adds."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing

from app.paths import Paths
from app.screen import has_screen
from resources import PROGRAM

REPEATS = 7
ROWS = 100_000
JOBS = 10_000


def _first_paint(home: str) -> float:
    """Seconds from spawning ``python -m app`` to the window's first paint."""
    environment = os.environ | {"LATERNA_BENCH_FIRST_PAINT": repr(time.time()), "PYTHONPATH": str(PROGRAM)}
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


def first_paints(repeats: int = REPEATS) -> list[float]:
    """Seconds to the first paint with an empty home, in order."""
    with tempfile.TemporaryDirectory() as home:
        return sorted(_first_paint(home) for _ in range(repeats))


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True, cwd=PROGRAM, timeout=60)
    return time.perf_counter() - start


def fill(home: str, rows: int = ROWS, jobs: int = JOBS) -> None:
    """A home with ``rows`` items in its library and ``jobs`` waiting in its queue; no files behind them."""
    from engine.jobs.job import Job
    from engine.jobs.queue import JobQueue
    from engine.library.bench_library import file_rows
    from engine.library.library import Library
    from engine.models.catalog import FAMILIES
    from engine.protocol.recipe import Recipe

    paths = Paths.find(home)
    with closing(Library(paths.library_database, paths.output)) as library:
        library.insert(file_rows(rows))
    recipe = Recipe(family=next(iter(FAMILIES)), model="laterna-mini-image", prompt="a red apple")
    with closing(JobQueue(paths.queue_database)) as queue:
        queue.add([Job(f"{number:032x}", recipe.replace(seed=number), "/nowhere") for number in range(jobs)])


def start() -> dict[str, float]:
    """Medians in seconds: first paint with an empty home, and with a full library and queue (by turns); in a clone
    also a second ``start.py --version`` against the app's own ``--version``."""
    paints, full_paints = [], []
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as full:
        fill(full)
        for _ in range(REPEATS):
            paints.append(_first_paint(home))
            full_paints.append(_first_paint(full))
    figures = {
        "first_paint_s": statistics.median(paints),
        "first_paint_worst_s": max(paints),
        "first_paint_full_s": statistics.median(full_paints),
        "full_to_empty": statistics.median(full_paints) / statistics.median(paints),
    }
    way_in = PROGRAM / "start.py"
    if way_in.exists():  # it stays in the clone where Laterna is installed
        through, direct = [], []
        for _ in range(REPEATS):
            through.append(_seconds([sys.executable, str(way_in), "--version"]))
            direct.append(_seconds([sys.executable, "-m", "app", "--version"]))
        figures["start_py_adds_s"] = statistics.median(through) - statistics.median(direct)
    return figures


NAMES: dict[str, Callable[[], dict[str, float]]] = {"start": start}
