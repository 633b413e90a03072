"""What stands between a window and its engine: a stream of bytes each way, and the end of it.

Today that is a child process and its pipes. Nothing above this file knows more of the engine's whereabouts than what
``EngineTransport`` says, so that one on another machine can stand behind it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from engine.files import open_regular
from resources import PROGRAM

LOG_LIMIT = 4 * 1024 * 1024
_TRACE_BYTES = 64 * 1024
_TOLD = 4000
_FATAL = "Fatal Python error"  # how faulthandler begins
_KILLED, _KILLED_IN_A_SHELL = -9, 137  # SIGKILL, as the system's out-of-memory killer sends it


class EngineTransport(Protocol):
    """``source`` gives the engine's frames and ``sink`` takes the window's, once it was opened. ``shares_files``:
    whether a path means the same file at both ends."""

    shares_files: bool

    @property
    def source(self) -> BinaryIO: ...

    @property
    def sink(self) -> BinaryIO: ...

    @property
    def pid(self) -> int | None:
        """The engine's process on this machine, where it is one."""

    def open(self) -> None:
        """Start or reach the engine. Raises ``OSError``."""

    def is_over(self) -> bool: ...

    def wait(self, timeout: float | None = None) -> bool:
        """Until the engine has gone, or ``timeout`` seconds; whether it has."""

    def kill(self) -> None:
        """End it at once; safe after its end."""

    def was_killed(self) -> bool:
        """Whether it was ended by force, as the system does when memory has run out."""

    def epitaph(self) -> str:
        """How it ended, and the end of its log, for the detail of an error."""

    def cpu_seconds(self) -> float | None:
        """Its processor time so far, asked of the system and not of the engine; None where nobody can say."""


class LocalProcess:
    """A child process: stdin and stdout carry frames, stderr goes to a log file. On Linux the child dies with the
    *thread* that opened it."""

    shares_files = True

    def __init__(
        self, log_file: Path, command: list[str] | None = None, environment: dict[str, str] | None = None
    ) -> None:
        self._log_file = log_file
        self._command = command or [sys.executable, "-m", "engine.worker"]
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._log_begin = 0

    @property
    def _child(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "not opened"
        return self._process

    @property
    def source(self) -> BinaryIO:
        return cast(BinaryIO, self._child.stdout)

    @property
    def sink(self) -> BinaryIO:
        return cast(BinaryIO, self._child.stdin)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def open(self) -> None:
        environment = os.environ | {
            "PYTHONUNBUFFERED": "1",
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_OFFLINE": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "LATERNA_PARENT": str(os.getpid()),
        }
        environment |= self._environment
        with self._open_log() as log:
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

    def _open_log(self) -> BinaryIO:
        """Where nothing can be written, an engine without a log is better than none."""
        try:
            self._log_file.parent.mkdir(parents=True, exist_ok=True)
            if self._log_file.exists() and self._log_file.stat().st_size > LOG_LIMIT:
                self._log_file.replace(self._log_file.with_suffix(".1.log"))
            return self._log_file.open("ab")
        except OSError:
            return open(os.devnull, "ab")

    def is_over(self) -> bool:
        return self._child.poll() is not None

    def wait(self, timeout: float | None = None) -> bool:
        try:
            self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        self._child.kill()

    def was_killed(self) -> bool:
        return self._child.poll() in (_KILLED, _KILLED_IN_A_SHELL)

    def epitaph(self) -> str:
        return f"{_how_it_ended(self._child.wait())}\n{_tail(self._log_file, self._log_begin)}".strip()

    def cpu_seconds(self) -> float | None:
        import psutil

        try:
            times = psutil.Process(self.pid).cpu_times()
        except (psutil.Error, OSError):
            return None
        return float(times.user + times.system)


def _how_it_ended(code: int) -> str:
    """A process's exit status for the detail of an error: "Ended by SIGKILL."."""
    if code >= 0:
        return f"Ended with exit code {code}."
    try:
        return f"Ended by {signal.Signals(-code).name}."
    except ValueError:
        return f"Ended by signal {-code}."


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
