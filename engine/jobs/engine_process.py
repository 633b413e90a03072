"""The engine as a child process: start it, send commands, read events, notice its death.

The child is ``python -m engine.worker``; stdin and stdout carry frames (``engine.protocol.codec``), stderr goes to a
log file. No Qt in here: the window's thread, the command line and the tests use the same class.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO, cast

from engine.files import open_regular
from engine.protocol import codec
from engine.protocol.commands import Command, Shutdown
from engine.protocol.errors import EngineDied, LaternaError, ProtocolError
from engine.protocol.events import Event
from resources import PROGRAM

LOG_LIMIT = 4 * 1024 * 1024
AGAIN = "It is started again by itself."
_TRACE_BYTES = 64 * 1024
_TOLD = 4000
_FATAL = "Fatal Python error"  # how faulthandler begins
_KILLED, _KILLED_IN_A_SHELL = -9, 137  # SIGKILL, as the system's out-of-memory killer sends it


class EngineProcess:
    """One engine process. ``on_event(event, blob)`` and ``on_exit(error)`` are called on the reader thread.

    ``on_exit`` is called once, with None after an orderly ``shutdown`` and with ``EngineDied`` otherwise. Start it from
    a thread that lives as long as the engine: on Linux the child dies with the *thread* that spawned it.
    """

    def __init__(
        self,
        on_event: Callable[[Event, bytes], None],
        on_exit: Callable[[LaternaError | None], None],
        log_file: Path,
        command: list[str] | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self._on_event = on_event
        self._on_exit = on_exit
        self._log_file = log_file
        self._command = command or [sys.executable, "-m", "engine.worker"]
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._stopping = False
        self._ended_because: EngineDied | None = None
        self._protocol_error: ProtocolError | None = None
        self._log_begin = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        if self._log_file.exists() and self._log_file.stat().st_size > LOG_LIMIT:
            self._log_file.replace(self._log_file.with_suffix(".1.log"))
        environment = os.environ | {
            "PYTHONUNBUFFERED": "1",
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_OFFLINE": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "LATERNA_PARENT": str(os.getpid()),
        }
        environment |= self._environment
        with self._log_file.open("ab") as log:
            self._log_begin = log.tell()
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=PROGRAM,
                env=environment,
                bufsize=0,
            )
        self._reader = threading.Thread(target=self._read, name="engine-reader", daemon=True)
        self._reader.start()
        threading.Thread(target=self._write, name="engine-writer", daemon=True).start()

    def send(self, command: Command) -> None:
        """Returns at once: an engine that does not read holds nobody up. Raises ``EngineDied`` where it is gone."""
        process = self._process
        if process is None or process.stdin is None:
            raise EngineDied("The engine is not running.", "It is started again by itself.")
        if process.poll() is not None:
            raise EngineDied("The engine has ended.", AGAIN)
        self._outbox.put(codec.encode(command))

    def cpu_seconds(self) -> float | None:
        """The engine's processor time so far; None where the system does not say."""
        import psutil

        try:
            times = psutil.Process(self.pid).cpu_times()
        except (psutil.Error, OSError):
            return None
        return float(times.user + times.system)

    def shutdown(self, timeout: float = 5.0) -> None:
        """End the engine: politely first, then by force. Safe to call twice."""
        self._stopping = True
        process = self._process
        if process is None:
            return
        with suppress(EngineDied):
            self.send(Shutdown())
        self._outbox.put(None)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._reader is not None and self._reader is not threading.current_thread():
            self._reader.join(timeout)

    def kill(self, why: EngineDied) -> None:
        """End it at once, as a crash would; ``on_exit`` follows with ``why`` and the end of the log."""
        self._ended_because = why
        if self._process is not None:
            self._process.kill()

    def _write(self) -> None:
        """Send what is in the outbox, then close the engine's input."""
        process = self._process
        assert process is not None and process.stdin is not None
        with suppress(OSError, ValueError):
            while (data := self._outbox.get()) is not None:
                _write_all(process.stdin, data)
        with suppress(OSError):
            process.stdin.close()

    def _read(self) -> None:
        process = self._process
        assert process is not None and process.stdout is not None
        stdout = cast(BinaryIO, process.stdout)
        try:
            while (frame := codec.read_frame(stdout)) is not None:
                self._on_event(codec.decode_event(frame[0]), frame[1])
        except ProtocolError as error:
            self._protocol_error = error
        except (OSError, ValueError):
            pass  # the pipe closed under the reader: the exit code below says why
        if self._protocol_error is not None:
            process.kill()
        code = process.wait()
        process.stdout.close()
        self._outbox.put(None)
        self._on_exit(None if self._stopping else self._death(code))

    def _death(self, code: int) -> EngineDied:
        error = self._cause(was_killed=code in (_KILLED, _KILLED_IN_A_SHELL))
        error.detail = f"{_how_it_ended(code)}\n{_tail(self._log_file, self._log_begin)}".strip()
        return error

    def _cause(self, was_killed: bool) -> EngineDied:
        if self._protocol_error is not None and was_killed:
            said = self._protocol_error.message
            return EngineDied(f"The engine stopped: it sent something that is no message ({said}).", AGAIN)
        if self._ended_because is not None:
            return self._ended_because
        if not was_killed:
            return EngineDied("The engine crashed.", AGAIN)
        error = EngineDied("The engine stopped unexpectedly (the system may have run out of memory).", AGAIN)
        error.memory_suspected = True
        return error


def _how_it_ended(code: int) -> str:
    """A process's exit status for the detail of an error: "Ended by SIGKILL."."""
    if code >= 0:
        return f"Ended with exit code {code}."
    try:
        return f"Ended by {signal.Signals(-code).name}."
    except ValueError:
        return f"Ended by signal {-code}."


def _write_all(stream: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        written = stream.write(view)
        view = view[written or 0 :]


def _tail(path: Path, since: int) -> str:
    """The end of the log, of what was said behind ``since`` bytes; where Python died in it, from there on, because the
    cause is said before the long traces."""
    try:
        with open_regular(path) as file:
            size = file.seek(0, os.SEEK_END)
            begin = since if since <= size else 0  # it was cut meanwhile
            file.seek(max(begin, size - _TRACE_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    died = text.rfind(_FATAL)
    return text[died : died + _TOLD] if died >= 0 else text[-_TOLD:]
