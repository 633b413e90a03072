"""What durability costs: how soon an engine's death is noticed, and what a queue of 10,000 jobs takes."""

from __future__ import annotations

import os
import queue
import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.jobs.engine_process import EngineProcess
from engine.jobs.job import Job
from engine.jobs.queue import JobQueue
from engine.protocol.events import EngineReady, EngineWarming
from engine.protocol.recipe import Recipe

DEATHS = 5
JOBS = 10_000

Figures = dict[str, Any]


def death() -> Figures:
    """Seconds from a real engine's SIGKILL or SIGSEGV to the word of it, while it warms up and once it is ready."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(DEATHS):
            said: queue.Queue[Any] = queue.Queue()
            engine = EngineProcess(
                lambda event, blob, said=said: said.put(event), said.put, Path(folder) / "engine.log"
            )
            engine.start()
            wanted = EngineReady if number == DEATHS - 1 else EngineWarming
            while not isinstance(said.get(timeout=120), wanted):
                pass
            assert engine.pid is not None
            began = time.perf_counter()
            os.kill(engine.pid, signal.SIGSEGV if number % 2 else signal.SIGKILL)
            while not isinstance(said.get(timeout=120), Exception):
                pass
            seconds.append(time.perf_counter() - began)
            engine.shutdown()
    return {"median": statistics.median(seconds), "worst": max(seconds)}


def long_queue() -> Figures:
    """Seconds to open, add to, move within and take from a queue of 10,000 jobs."""
    recipe = Recipe(family="sd35", model="m", prompt="a lighthouse on a cliff at dawn, oil painting, " * 4)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "queue.sqlite3"
        jobs = JobQueue(path)
        figures: Figures = {}

        def measure(name: str, action: Callable[[], object]) -> None:
            began = time.perf_counter()
            action()
            figures[name] = time.perf_counter() - began

        measure("add_all", lambda: jobs.add(Job(str(n), recipe.replace(seed=n), "/m") for n in range(JOBS)))
        measure("move_one", lambda: jobs.move(["9999"], 0))
        measure("begin_one", lambda: jobs.start("9999", "stem"))
        measure("end_one", lambda: jobs.end("9999", "done"))
        measure("list", jobs.active)
        jobs.close()
        began = time.perf_counter()
        JobQueue(path).close()
        figures["open"] = time.perf_counter() - began
    return figures


NAMES: dict[str, Callable[[], Figures]] = {"engine-death": death, "queue": long_queue}
