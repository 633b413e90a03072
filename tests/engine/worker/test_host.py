"""The engine as a real child process, driven through ``EngineConnection`` as the job service drives it."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.jobs.connection import EngineConnection
from engine.jobs.transport import LocalProcess
from engine.protocol import codec
from engine.protocol.commands import Cancel, Generate, Ping, Preload
from engine.protocol.errors import EngineDied, LaternaError
from engine.protocol.events import (
    CommandRefused,
    EngineReady,
    EngineWarming,
    Event,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobStarted,
    MemoryChanged,
    Pong,
    Preloaded,
    PreviewReady,
    Pulse,
    StepDone,
)
from engine.protocol.recipe import Recipe
from resources import PROGRAM
from tests.fakes.processes import still_running

from .conftest import cogvideox, sd35

PATIENCE = 120.0


class Engine:
    """An engine process and what it said, in order."""

    def __init__(self, log: Path) -> None:
        self.events: queue.Queue[tuple[Event, bytes]] = queue.Queue()
        self.exits: queue.Queue[LaternaError | None] = queue.Queue()
        self.transport = LocalProcess(log, environment={"LATERNA_THREADS": "1"})
        self.process = EngineConnection(
            lambda event, blob: self.events.put((event, blob)), self.exits.put, self.transport
        )
        self.process.start()

    def wait_for(self, *kinds: type, where: Callable[[Any], bool] = lambda event: True) -> Any:
        """The next event of one of ``kinds`` for which ``where`` holds; others before it are dropped."""
        until = time.monotonic() + PATIENCE
        while True:
            event, blob = self.events.get(timeout=max(0.01, until - time.monotonic()))
            if isinstance(event, kinds) and where(event):
                self.blob = blob
                return event

    def generate(self, job: str, folder: Path, recipe: Recipe, output: Path, **more: Any) -> None:
        self.process.send(Generate(job, recipe, str(folder), str(output), job, **more))

    def raw(self, data: bytes) -> None:
        self.transport.sink.write(data)

    def end_of(self, job: str) -> Any:
        return self.wait_for(JobFinished, JobFailed, JobCancelled, where=lambda event: event.job == job)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine for all tests that leave it in good order: to start one takes seconds."""
    engine = Engine(tmp_path_factory.mktemp("engine") / "engine.log")
    warming = engine.wait_for(EngineWarming)
    assert warming.what
    ready = engine.wait_for(EngineReady)
    assert ready.versions["torch"] and ready.threads == 1 and ready.device.memory_total > 0
    yield engine
    engine.process.shutdown()
    assert engine.exits.get(timeout=10) is None


LONG = sd35(steps=200, width=192, height=192)


def test_a_job_from_command_to_file(shared: Engine, tiny, tmp_path: Path) -> None:
    shared.generate("a", tiny("sd35-large"), sd35(steps=30), tmp_path, preview_interval=0.0)
    assert shared.wait_for(JobStarted).job == "a"
    preview = shared.wait_for(PreviewReady, JobFinished)
    if isinstance(preview, PreviewReady):  # on a busy machine they may all have been too dear
        assert shared.blob.startswith(b"\xff\xd8") and (preview.width, preview.height) == (64, 64)
        shared.end_of("a")
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_pings_are_answered_while_a_job_runs(shared: Engine, tiny, tmp_path: Path) -> None:
    shared.generate("b", tiny("sd35-large"), LONG, tmp_path)
    shared.wait_for(StepDone)
    shared.process.send(Ping(42))
    assert shared.wait_for(Pong, JobFinished) == Pong(42)
    shared.process.send(Cancel("b"))
    assert isinstance(shared.end_of("b"), JobCancelled)
    assert not list(tmp_path.iterdir())


def test_a_running_job_has_a_pulse_that_counts_its_work(shared: Engine, tiny, tmp_path: Path) -> None:
    shared.generate("p", tiny("sd35-large"), LONG, tmp_path)
    shared.wait_for(StepDone)
    first = shared.wait_for(Pulse)
    second = shared.wait_for(Pulse, where=lambda pulse: pulse.work > first.work)
    assert second.cpu_seconds > first.cpu_seconds
    shared.process.send(Cancel("p"))
    assert isinstance(shared.end_of("p"), JobCancelled)


def test_jobs_wait_in_order_and_waiting_ones_can_be_cancelled(shared: Engine, tiny, tmp_path: Path) -> None:
    for job in ("c1", "c2", "c3"):
        shared.generate(job, tiny("sd35-large"), LONG if job == "c1" else sd35(steps=1), tmp_path)
    shared.wait_for(StepDone)
    shared.process.send(Cancel("c2"))
    assert shared.wait_for(JobCancelled).job == "c2"
    shared.process.send(Cancel("nobody"))
    shared.process.send(Cancel("c1"))
    assert shared.wait_for(JobCancelled).job == "c1"
    assert shared.wait_for(JobStarted).job == "c3"
    assert isinstance(shared.end_of("c3"), JobFinished)


def test_bad_commands_are_refused_and_nothing_breaks(shared: Engine, tiny, tmp_path: Path) -> None:
    for header in (b"", b"{}", b"not json", b'{"type":"Explode"}', b'{"type":"Generate","job":1}', b"[" * 50_000):
        shared.raw(codec._LENGTHS.pack(len(header), 0) + header)
        refused = shared.wait_for(CommandRefused)
        assert refused.error.message
    shared.generate("d", tiny("sd35-large"), LONG, tmp_path)
    shared.generate("d", tiny("sd35-large"), LONG, tmp_path)
    assert "already" in shared.wait_for(CommandRefused).error.message
    shared.process.send(Cancel("d"))
    shared.end_of("d")


def test_failures_are_answered_and_the_next_job_works(shared: Engine, tiny, tmp_path: Path) -> None:
    shared.generate("e1", tmp_path / "nothing", sd35(), tmp_path)
    assert shared.end_of("e1").error.kind == "ModelMissing"
    shared.generate("e2", tiny("sd35-large"), sd35(width=72), tmp_path)
    failed = shared.end_of("e2")
    assert (failed.error.kind, failed.error.field) == ("BadRecipe", "width")
    shared.generate("e3", tiny("cogvideox-2b"), cogvideox(steps=1), tmp_path)
    assert shared.end_of("e3").files[0].path.endswith("e3.mp4")


def test_preload_says_how_it_ended(shared: Engine, tiny, tmp_path: Path) -> None:
    shared.process.send(Preload(str(tiny("sd35-medium"))))
    assert shared.wait_for(Preloaded).error is None
    shared.process.send(Preload(str(tmp_path)))
    assert shared.wait_for(Preloaded).error.kind == "ModelMissing"


def test_memory_is_reported(shared: Engine) -> None:
    memory = shared.wait_for(MemoryChanged)
    assert 0 < memory.process < memory.host_total
    assert 0 < memory.host_used < memory.host_total


def test_ctrl_c_of_a_terminal_does_not_end_the_engine(shared: Engine) -> None:
    os.kill(shared.process.pid, signal.SIGINT)
    shared.process.send(Ping(7))
    assert shared.wait_for(Pong) == Pong(7)


def test_a_killed_engine_is_noticed_and_leaves_nothing_half_done(tiny, tmp_path: Path) -> None:
    engine = Engine(tmp_path / "engine.log")
    engine.wait_for(EngineReady)
    engine.generate("f", tiny("sd35-large"), LONG, tmp_path / "out")
    engine.wait_for(StepDone)
    psutil.Process(engine.process.pid).kill()
    error = engine.exits.get(timeout=10)
    assert isinstance(error, EngineDied) and "SIGKILL" in error.detail
    assert not (tmp_path / "out").exists()


# A parent of its own, which the test can kill: starts the engine with a long job, says its pid, and waits.
PARENT = """
import sys, threading
from pathlib import Path
from engine.jobs.connection import EngineConnection
from engine.jobs.transport import LocalProcess
from engine.protocol.commands import Generate
from engine.protocol.events import StepDone
from engine.protocol.recipe import Recipe

working = threading.Event()
transport = LocalProcess(Path(sys.argv[1]), environment={"LATERNA_THREADS": "1"})
engine = EngineConnection(lambda e, b: isinstance(e, StepDone) and working.set(), lambda e: None, transport)
engine.start()
engine.send(Generate("g", Recipe.from_json(sys.argv[2]), sys.argv[3], sys.argv[4], "g"))
working.wait()
print(engine.pid, flush=True)
sys.stdin.readline()
if sys.argv[5] == "close":
    transport.sink.close()
    sys.stdin.readline()
"""


@pytest.mark.parametrize("how", ["close", "kill"])
def test_no_orphan_outlives_its_window_even_when_busy(how: str, tiny, tmp_path: Path) -> None:
    arguments = [str(tmp_path / "log"), LONG.to_json(), str(tiny("sd35-large")), str(tmp_path / "out"), how]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROGRAM,
    )
    with parent:
        try:
            child = psutil.Process(int(parent.stdout.readline()))
            if how == "kill":
                parent.kill()
            else:
                parent.stdin.write("\n")
                parent.stdin.flush()
            assert not still_running([child], 2.0)
        finally:
            parent.kill()


def test_a_shutdown_in_the_middle_of_a_job_leaves_its_checkpoint(tiny, tmp_path: Path) -> None:
    engine, file = Engine(tmp_path / "log"), tmp_path / "c.safetensors"
    engine.generate("s", tiny("sd35-large"), LONG, tmp_path, checkpoint=str(file), checkpoint_share=0.0)
    engine.wait_for(StepDone, where=lambda step: step.step >= 3)
    assert not file.exists()
    engine.process.shutdown(timeout=20.0)
    assert file.exists()
    assert engine.exits.get(timeout=10) is None


def test_prints_of_libraries_do_not_end_up_between_the_frames(tmp_path: Path) -> None:
    code = (
        "import runpy, sys, threading\n"
        "import engine.worker.host as host\n"
        "def noisy(source, sink):\n"
        "    import os\n"
        "    print('hello'); os.write(1, b'hello from C'); sys.stdout.flush()\n"
        "    sink.write(b'frame')\n"
        "    return 0\n"
        "host.main = noisy\n"
        "runpy.run_module('engine.worker', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=PROGRAM, check=False)
    assert done.stdout == b"frame", done.stderr.decode()
    assert b"hello from C" in done.stderr


def test_the_project_settings_of_a_job_survive_the_wire() -> None:
    recipe = cogvideox(dynamic_guidance=True, seed=2**63 - 1)
    header = codec.encode(Generate("h", recipe, "m", "o", "s"))[8:]
    assert codec.decode_command(header).recipe == recipe
    assert json.loads(header)["type"] == "Generate"


def test_models_code_is_imported_after_the_engine_is_ready_and_gives_way_to_a_job(tmp_path: Path) -> None:
    import io

    from engine.worker.host import Host

    done: list[str] = []
    host = Host(io.BytesIO(), io.BytesIO())
    job = Generate("job", sd35(), "model", "", "out")

    def second() -> None:
        done.append("second")
        host._queue.append(job)

    def broken() -> None:
        done.append("broken")
        raise ImportError("this part of a library is broken")

    host._later = iter([broken, second, lambda: done.append("third")])
    host._import_meanwhile()
    assert done == ["broken", "second"]
    host._queue.clear()
    host._import_meanwhile()
    assert done == ["broken", "second", "third"]


def test_an_engine_is_ready_before_it_knows_any_models_code() -> None:
    script = (
        "import sys, torch; from engine.worker.runner import Runner; from engine.worker.warmup import pieces; pieces();"
        "print([name for name in ('diffusers', 'transformers', 'accelerate', 'torch._dynamo') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=PROGRAM, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
