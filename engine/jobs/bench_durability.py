"""What durability costs: how soon an engine that dies, hangs or talks nonsense is noticed; what 10,000 jobs take."""

from __future__ import annotations

import os
import queue
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.jobs.connection import EngineConnection
from engine.jobs.dispatcher import JobSettings
from engine.jobs.job import Job
from engine.jobs.notices import EngineStateChanged, JobProgressed, Notice
from engine.jobs.queue import JobQueue
from engine.jobs.service import JobService
from engine.jobs.transport import LocalProcess
from engine.library.library import Library
from engine.models import catalog, installed
from engine.models.catalog import FAMILIES
from engine.protocol.commands import Ping
from engine.protocol.events import EngineReady, EngineWarming
from engine.protocol.recipe import Recipe
from resources import MODELS as EMBEDDED

DEATHS = 5
HANGS = 5
JOBS = 10_000

Figures = dict[str, Any]


def _engine(said: queue.Queue[Any], folder: Path) -> EngineConnection:
    """It puts its events on ``said``, and how it ended."""
    return EngineConnection(lambda event, blob: said.put(event), said.put, LocalProcess(folder / "engine.log"))


def death() -> Figures:
    """Seconds from a real engine's SIGKILL or SIGSEGV to the word of it, while it warms up and once it is ready."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(DEATHS):
            said: queue.Queue[Any] = queue.Queue()
            engine = _engine(said, Path(folder))
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


def hang() -> Figures:
    """Seconds until a person is told of a real engine that was stopped (SIGSTOP) at work, that answers again, and that
    was killed at work; and until one that says what is no message has been ended."""
    recipe = installed.open_folder(EMBEDDED / catalog.MINI_IMAGE).info.recipe("a red apple").replace(steps=200)
    told: queue.SimpleQueue[tuple[float, Notice]] = queue.SimpleQueue()
    seconds: dict[str, list[float]] = {"stopped": [], "answers_again": [], "killed": [], "nonsense": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library = Library(folder / "library.sqlite3", folder / "output")
        service = JobService(
            queue_database=folder / "queue.sqlite3",
            library=library,
            settings=JobSettings(folder / "output", lambda: folder / "cache", folder / "loras"),
            engine_log=folder / "engine.log",
            notify=lambda notice: told.put((time.perf_counter(), notice)),
        )
        thread = threading.Thread(target=service.run)
        thread.start()

        def wait(test: Callable[[Notice], bool]) -> float:
            while not test((found := told.get(timeout=120))[1]):
                pass
            return found[0]

        def measure(figure: str, number: int, state: str) -> None:
            began = time.perf_counter()
            os.kill(service.engine_pid or 0, number)
            is_told = wait(lambda notice: isinstance(notice, EngineStateChanged) and notice.state == state)
            seconds[figure].append(is_told - began)

        try:
            service.submit(recipe, EMBEDDED / catalog.MINI_IMAGE, count=HANGS)
            for number in range(HANGS):
                time.sleep(0.07 * number)  # at another moment between two signs of life
                wait(lambda notice: isinstance(notice, JobProgressed) and notice.stage == "denoising")
                measure("stopped", signal.SIGSTOP, "silent")
                measure("answers_again", signal.SIGCONT, "working")
            measure("killed", signal.SIGKILL, "restarting")
        finally:
            service.stop()
            thread.join()
            library.close()
        seconds["nonsense"] = [_nonsense(folder) for _ in range(HANGS)]
    return {name: {"median": statistics.median(found), "worst": max(found)} for name, found in seconds.items()}


def _nonsense(folder: Path) -> float:
    """Seconds until an engine has ended that answers the first thing it is asked with what is no message."""
    script = (
        "import struct, sys, time; read = sys.stdin.buffer.read; read(sum(struct.unpack('>II', read(8))))\n"
        "read(1); print('x' * 99, flush=True); time.sleep(600)"
    )
    said: queue.SimpleQueue[object] = queue.SimpleQueue()
    transport = LocalProcess(folder / "engine.log", [sys.executable, "-c", script])
    engine = EngineConnection(lambda event, blob: None, said.put, transport)
    engine.start()
    time.sleep(0.5)  # Python has started
    began = time.perf_counter()
    engine.send(Ping(1))
    said.get(timeout=120)
    return time.perf_counter() - began


def long_queue() -> Figures:
    """Seconds to open, add to, move within and take from a queue of 10,000 jobs."""
    recipe = Recipe(
        family=next(iter(FAMILIES)), model="m", prompt="a lighthouse on a cliff at dawn, oil painting, " * 4
    )
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


NAMES: dict[str, Callable[[], Figures]] = {"engine-death": death, "engine-hang": hang, "queue": long_queue}
