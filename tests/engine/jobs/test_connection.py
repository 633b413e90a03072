import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from engine.jobs.connection import EngineConnection
from engine.jobs.transport import LOG_LIMIT, LocalProcess
from engine.protocol import commands, events
from engine.protocol.errors import EngineDied, LaternaError
from tests.fakes.processes import still_running
from tests.fakes.recipes import picture_recipe
from tests.fakes.service import FAKE_ENGINE, PATIENCE


class Heard:
    """An engine process and what came from it."""

    def __init__(self, folder: Path, command: list[str]) -> None:
        self.events: queue.SimpleQueue[tuple[events.Event, bytes]] = queue.SimpleQueue()
        self.error: LaternaError | None = None
        self.exited_at = 0.0
        self.exits = 0
        self.exited = threading.Event()
        self.log = folder / "engine.log"
        self.transport = LocalProcess(self.log, command)
        self.engine = EngineConnection(lambda event, blob: self.events.put((event, blob)), self._exit, self.transport)

    def _exit(self, error: LaternaError | None) -> None:
        self.exited_at = time.monotonic()
        self.exits += 1
        self.error = error
        self.exited.set()

    def wait(self, kind: type) -> tuple[events.Event, bytes]:
        while not isinstance((found := self.events.get(timeout=PATIENCE))[0], kind):
            pass
        return found


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Heard]]:
    started: list[Heard] = []

    def begin(*options: str, command: list[str] | None = None) -> Heard:
        heard = Heard(tmp_path, command or [sys.executable, str(FAKE_ENGINE), *options])
        heard.engine.start()
        started.append(heard)
        return heard

    yield begin
    for heard in started:
        heard.engine.shutdown()


def test_it_answers_and_ends_in_order(start) -> None:
    heard = start()
    heard.wait(events.EngineReady)
    heard.engine.send(commands.Ping(42))
    assert heard.wait(events.Pong)[0].token == 42
    heard.engine.shutdown()
    assert heard.exited.wait(PATIENCE)
    assert heard.error is None
    heard.engine.shutdown()
    assert heard.exits == 1


def test_a_job_gives_progress_previews_and_a_file(start, tmp_path: Path) -> None:
    heard = start()
    recipe = picture_recipe(width=128, height=64)
    heard.engine.send(commands.Generate("j", recipe, "", str(tmp_path), "a", preview_interval=0.0))
    preview, jpeg = heard.wait(events.PreviewReady)
    assert jpeg.startswith(b"\xff\xd8") and (preview.width, preview.height) == (96, 48)
    finished, _blob = heard.wait(events.JobFinished)
    assert [Path(file.path).name for file in finished.files] == ["a.png"]


def test_a_kill_is_noticed_at_once(start) -> None:
    delays = []
    for _ in range(3):  # the best of three: a busy machine may hold up any one of them
        heard = start()
        heard.wait(events.EngineReady)
        killed_at = time.monotonic()
        os.kill(heard.engine.pid, signal.SIGKILL)
        assert heard.exited.wait(PATIENCE)
        delays.append(heard.exited_at - killed_at)
    assert min(delays) < 0.1
    assert isinstance(heard.error, EngineDied)
    assert "SIGKILL" in heard.error.detail and "memory" in heard.error.message
    assert "SIG" not in heard.error.message
    with pytest.raises(EngineDied):
        heard.engine.send(commands.Ping())


def test_an_exit_code_and_the_log_are_told(start) -> None:
    heard = start(command=[sys.executable, "-c", "import sys; sys.exit('out of luck')"])
    assert heard.exited.wait(PATIENCE)
    assert "exit code 1" in heard.error.detail
    assert "out of luck" in heard.error.detail


DEEP_CRASH = """
import faulthandler, os
faulthandler.enable()
def a_function_with_a_long_name_that_calls_itself(depth):
    a_function_with_a_long_name_that_calls_itself(depth - 1) if depth else os.abort()
a_function_with_a_long_name_that_calls_itself(90)
"""


def test_a_crash_is_told_from_its_cause_on_however_long_its_trace_is(start, tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.write_text("Fatal Python error: of an earlier engine\n")
    heard = start(command=[sys.executable, "-c", DEEP_CRASH])
    assert heard.exited.wait(PATIENCE)
    assert log.stat().st_size > 5000, "the trace is longer than what is told"
    assert heard.error.detail.startswith("Ended by SIGABRT.\nFatal Python error: Aborted")
    assert len(heard.error.detail) < 5000


def test_nonsense_on_stdout_ends_it(start) -> None:
    script = (
        "import sys, time; sys.stdout.write('Hello, this is a chatty library\\n'); sys.stdout.flush(); time.sleep(60)"
    )
    heard = start(command=[sys.executable, "-c", script])
    assert heard.exited.wait(PATIENCE)
    assert "no message" in heard.error.message


def test_what_libraries_print_goes_to_the_log(start) -> None:
    heard = start(
        command=[sys.executable, "-c", f"import runpy; runpy.run_path({str(FAKE_ENGINE)!r}, {{}}, '__main__')"]
    )
    heard.wait(events.EngineReady)
    heard.engine.shutdown()
    assert heard.error is None


def test_it_ends_when_its_stdin_closes(start) -> None:
    heard = start()
    heard.wait(events.EngineReady)
    heard.transport.sink.close()
    assert heard.exited.wait(PATIENCE)
    assert isinstance(heard.error, EngineDied)


def test_a_hanging_engine_is_ended_by_force(start, tmp_path: Path) -> None:
    heard = start()
    heard.engine.send(commands.Generate("j", picture_recipe("hang"), "", str(tmp_path), "a"))
    heard.wait(events.StepDone)
    pid = heard.engine.pid
    heard.engine.shutdown(timeout=0.2)
    assert heard.exited.wait(PATIENCE)
    assert heard.error is None and not psutil.pid_exists(pid)


def test_a_large_log_is_put_aside(start, tmp_path: Path) -> None:
    (tmp_path / "engine.log").write_bytes(b"x" * (LOG_LIMIT + 1))
    heard = start()
    heard.wait(events.EngineReady)
    assert heard.log.stat().st_size < 1000
    assert (tmp_path / "engine.1.log").stat().st_size == LOG_LIMIT + 1


def test_no_engine_outlives_its_parent(tmp_path: Path) -> None:
    """The parent is killed, so it can tell nobody: the closed pipe is what the engine notices."""
    script = f"""
import sys, time
from pathlib import Path
from engine.jobs.connection import EngineConnection
from engine.jobs.transport import LocalProcess
ready = lambda event, blob: type(event).__name__ == "EngineReady" and print(engine.pid, flush=True)
transport = LocalProcess(Path({str(tmp_path / "engine.log")!r}), [sys.executable, {str(FAKE_ENGINE)!r}])
engine = EngineConnection(ready, print, transport)
engine.start()
time.sleep(600)
"""
    root = FAKE_ENGINE.parents[2]
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=root) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    assert not still_running([child], 2.0)


def test_sending_before_the_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EngineDied):
        Heard(tmp_path, []).engine.send(commands.Ping())
