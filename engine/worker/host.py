"""The engine process' frame: commands in, events out, one job at a time on the main thread.

It says its version first, and takes nothing from a window of another. A reader thread takes the commands and answers at
once what can be answered while a job runs (Ping, Cancel); the rest waits in order. Another thread reports memory.
Nothing that a command or a job does wrong ends the process.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from engine.logs.redact import RedactingFormatter
from engine.protocol import codec
from engine.protocol.commands import (
    AssetChunk,
    AssetRefused,
    Cancel,
    Command,
    Hello,
    JobCommand,
    Ping,
    Preload,
    Shutdown,
)
from engine.protocol.errors import Cancelled, ErrorInfo, LaternaError, OutOfMemory, ProtocolError, UnknownFailure
from engine.protocol.events import (
    CommandRefused,
    EngineHello,
    EngineReady,
    EngineWarming,
    Event,
    JobCancelled,
    JobFailed,
    JobStarted,
    Pong,
    Preloaded,
    Pulse,
    StageChanged,
)
from engine.protocol.version import PROTOCOL, VERSION
from engine.worker import orphans
from engine.worker.assets import Assets
from engine.worker.delivery import delivering
from engine.worker.home import Home

if TYPE_CHECKING:
    from engine.worker.runner import Runner

MEMORY_INTERVAL = 1.0
PULSE_INTERVAL = 0.25
SHUTDOWN_PATIENCE = 2.0
"""Seconds that a shutdown waits for the running job to notice before the process ends anyway."""

_SAME = "Install the same Laterna on both sides, and start it again."

log = logging.getLogger(__name__)


class Host:
    """``source`` and ``sink`` carry frames; ``run`` returns after ``Shutdown`` or at the end of ``source``."""

    def __init__(self, source: BinaryIO, sink: BinaryIO, home: Home | None = None) -> None:
        self._home = home or Home.find()
        self._assets = Assets(self._home.assets, self.emit, self._check)
        self._window: Hello | None = None
        self._source = source
        self._sink = sink
        self._sink_lock = threading.Lock()
        self._wakeup = threading.Condition()
        self._queue: deque[JobCommand | Preload] = deque()
        self._running = ""
        self._busy = threading.Event()
        self._busy.set()
        self._stopping = False
        self._runner: Runner | None = None
        self._later: Iterator[Callable[[], object]] = iter(())

    def run(self) -> int:
        self.emit(EngineHello(PROTOCOL, VERSION))
        threading.Thread(target=self._read, name="commands", daemon=True).start()
        threading.Thread(target=self._beat, name="pulse", daemon=True).start()
        self._runner = self._warm_up()
        while (command := self._next()) is not None:
            if isinstance(command, Preload):
                self._preload(self._runner, command)
            else:
                self._work(self._runner, command)
        return 0

    def emit(self, event: Event, blob: bytes = b"") -> None:
        """Send one event; from any thread."""
        data = memoryview(codec.encode(event, blob))
        try:
            with self._sink_lock:
                while data:
                    data = data[self._sink.write(data) or 0 :]
        except (OSError, ValueError):
            os._exit(0)  # nobody listens any more

    def _warm_up(self) -> Runner:
        began = time.monotonic()
        self.emit(EngineWarming("Loading PyTorch"))
        import torch

        from engine.worker import device
        from engine.worker.residency.allocator import give_back_freed_memory

        give_back_freed_memory()
        threads = device.cpu_threads()
        torch.set_num_threads(threads)
        from engine.worker.runner import Runner
        from engine.worker.warmup import pieces

        self._later = pieces()
        runner = Runner()
        runner.cancellation.install()
        threading.Thread(target=self._report_memory, args=(runner.device,), name="memory", daemon=True).start()
        described = runner.memory.described = device.describe_measured(runner.device)
        self.emit(EngineReady(described, device.versions(), threads, time.monotonic() - began))
        return runner

    def _next(self) -> JobCommand | Preload | None:
        self._import_meanwhile()
        with self._wakeup:
            if not self._queue:
                self._busy.clear()
            self._wakeup.wait_for(lambda: self._queue or self._stopping)
            self._busy.set()
            if self._stopping:
                return None
            command = self._queue.popleft()
            self._running = "" if isinstance(command, Preload) else command.job
            assert self._runner is not None
            self._runner.cancellation.reset()
            return command

    def _import_meanwhile(self) -> None:
        """Models' code, for as long as there is nothing else to do: a job that comes imports what it needs itself."""
        while not (self._queue or self._stopping):
            piece = next(self._later, None)
            if piece is None:
                return
            try:
                piece()
            except Exception:  # the job that needs it says so
                log.exception("importing models' code")

    def _work(self, runner: Runner, command: JobCommand) -> None:
        from engine.worker.failures import named

        self.emit(JobStarted(command.job))
        ended: Event
        try:
            job = self._settled(command)
            ended = delivering(job, self._home.results, lambda job: runner.run(job, self.emit), self.emit)
        except Cancelled:
            ended = JobCancelled(command.job)
        except Exception as error:
            ended = JobFailed(command.job, named(error).info())
            if ended.error.kind == UnknownFailure.__name__:
                log.exception("job %s", command.job)
        with self._wakeup:
            self._running = ""
        # Out here, because within a handler the traceback keeps the tensors of the failed job alive.
        if isinstance(ended, JobFailed) and ended.error.kind == OutOfMemory.__name__:
            runner.release()
        self.emit(ended)

    def _settled(self, job: JobCommand) -> JobCommand:
        """``job`` with every folder and file as a path of this machine."""

        def fetching(name: str, fraction: float) -> None:
            self.emit(StageChanged(job.job, "loading", fraction, name))

        return self._assets.settled(self._home.settled(job), fetching)

    def _check(self) -> None:
        """Raise ``Cancelled`` where the running job is to end."""
        assert self._runner is not None
        self._runner.cancellation.check()

    def _preload(self, runner: Runner, command: Preload) -> None:
        from engine.worker.failures import named

        error: ErrorInfo | None = None
        try:
            runner.preload(self._home.model(command.model_folder))
        except Exception as failure:
            error = named(failure).info()
        self.emit(Preloaded(command.model_folder, error))

    def _read(self) -> None:
        try:
            while (frame := codec.read_frame(self._source)) is not None:
                try:
                    self._take(codec.decode_command(frame[0]), frame[1])
                except LaternaError as error:
                    self.emit(CommandRefused(error.info()))
        except ProtocolError as error:  # the borders of the frames are lost
            self.emit(CommandRefused(error.info()))
        except OSError:
            log.exception("reading commands")
        if not (self._stopping and self._running):  # else the job leaves its checkpoint, within ``SHUTDOWN_PATIENCE``
            os._exit(0)  # the window has gone: nothing here must outlive it

    def _take(self, command: Command, blob: bytes) -> None:
        if isinstance(command, Hello):
            self._window = command
        elif isinstance(command, Shutdown):
            self._shut_down()
        elif self._window is None or self._window.protocol != PROTOCOL:
            raise _another_protocol(self._window)
        elif isinstance(command, AssetChunk | AssetRefused):
            self._assets.arrived(command, blob)
        elif isinstance(command, Ping):
            self.emit(Pong(command.token))
        elif isinstance(command, Cancel):
            self._cancel(command.job)
        else:
            with self._wakeup:
                if not isinstance(command, Preload) and command.job in self._jobs():
                    raise ProtocolError(f"The job {command.job} is already here.", "Give each job its own id.")
                self._queue.append(command)
                self._wakeup.notify()

    def _jobs(self) -> set[str]:
        return {self._running} | {command.job for command in self._queue if not isinstance(command, Preload)}

    def _cancel(self, job: str) -> None:
        """A job that is not known has just ended: its end is the answer."""
        with self._wakeup:
            if self._running == job and self._runner is not None:
                self._runner.cancellation.request()
                return
            waiting = [one for one in self._queue if not isinstance(one, Preload) and one.job == job]
            for command in waiting:
                self._queue.remove(command)
        for command in waiting:
            self.emit(JobCancelled(command.job))

    def _shut_down(self) -> None:
        with self._wakeup:
            self._stopping = True
            if self._runner is not None:
                self._runner.cancellation.request()
            self._wakeup.notify()
        patience = threading.Timer(SHUTDOWN_PATIENCE, os._exit, (0,))
        patience.daemon = True
        patience.start()

    def _beat(self) -> None:
        """Show that this process lives for as long as there is something to do.

        A long kernel does not stop this thread, since PyTorch lets go of the interpreter; what stops it is the system
        (SIGSTOP, swapping) or code that never lets go.
        """
        while True:
            self._busy.wait()
            work = self._runner.cancellation.checks if self._runner is not None else 0
            self.emit(Pulse(work, time.process_time()))
            time.sleep(PULSE_INTERVAL)

    def _report_memory(self, device: Any) -> None:
        from engine.worker.device import memory_now

        while True:
            self.emit(memory_now(device))
            time.sleep(MEMORY_INTERVAL)


def _another_protocol(window: Hello | None) -> ProtocolError:
    if window is None:
        return ProtocolError("The window does not say its version, as every Laterna does now.", _SAME)
    return ProtocolError(
        f"The window is Laterna {window.version}, with version {window.protocol} of the protocol; the engine is Laterna"
        f" {VERSION}, with version {PROTOCOL}.",
        _SAME,
    )


def main(source: BinaryIO, sink: BinaryIO) -> int:
    """Run the engine until its window goes; the exit code."""
    faulthandler.enable(sys.stderr)
    orphans.end_with_parent()
    spoken = logging.StreamHandler(sys.stderr)
    spoken.setFormatter(RedactingFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[spoken])
    # No library below may ask the network for anything.
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    os.environ.setdefault("TQDM_DISABLE", "1")
    code = Host(source, sink).run()
    sys.stderr.flush()
    os._exit(code)  # without waiting for PyTorch to take its threads and caches apart
