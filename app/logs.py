"""The window's log, what it leaves when it crashes, and how the next start hears of it.

While the window is open there is ``running.json`` in the folder of logs; an orderly end removes it. Where a start finds
one, the last window was killed or crashed: a report is made of its log and of what faulthandler wrote.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import sys
import threading
import time
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import TextIO

from engine.logs import bounded, report
from engine.logs.redact import RedactingFormatter
from engine.logs.report import Circumstances
from engine.protocol.version import VERSION

BYTES = 1024 * 1024
FILES = 3
log = logging.getLogger("laterna")


class Logs:
    """The files in ``folder``: ``window.log``, ``engine.log``, the crash traces, and the folder ``reports``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.crashed = False
        self._handlers: list[logging.Handler] = []
        self._trace: TextIO | None = None
        self._hooks = (sys.excepthook, threading.excepthook)
        self._last_trace = ""

    @property
    def window_log(self) -> Path:
        return self.folder / "window.log"

    @property
    def engine_log(self) -> Path:
        return self.folder / "engine.log"

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    @property
    def _trace_file(self) -> Path:
        return self.folder / "window-trace.log"

    @property
    def _running(self) -> Path:
        return self.folder / "running.json"

    # The beginning and the end of a window

    def begin(self) -> None:
        """Log to files from now on. Where the folder cannot be written, Laterna works without."""
        formatter = RedactingFormatter()
        spoken = logging.StreamHandler()
        spoken.setLevel(logging.WARNING)
        self._add(spoken, formatter)
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._add(
                RotatingFileHandler(self.window_log, "a", BYTES, FILES - 1, "utf-8", errors="backslashreplace"),
                formatter,
            )
            self._last_trace = bounded.tail(self._trace_file, report.LOG_BYTES)
            self.crashed = self._running.exists()
            self._trace = self._trace_file.open("w")
            faulthandler.enable(self._trace)
            running = {"pid": os.getpid(), "version": VERSION, "started": time.time()}
            self._running.write_text(json.dumps(running))
        sys.excepthook = self._raised
        threading.excepthook = self._raised_in_thread
        logging.getLogger().setLevel(logging.INFO)
        log.info("Laterna %s begins, process %d", VERSION, os.getpid())

    def end(self) -> None:
        """The window ended as it should."""
        log.info("Laterna ends")
        sys.excepthook, threading.excepthook = self._hooks
        if self._trace is not None:
            faulthandler.disable()
            self._trace.close()
            self._trace = None
        with suppress(OSError):
            self._running.unlink()
        for handler in self._handlers:
            logging.getLogger().removeHandler(handler)
            handler.close()
        self._handlers.clear()

    def trim(self) -> None:
        """Keep the engine's log within its bound, however much it says in one sitting."""
        bounded.trim(self.engine_log)

    # Reports

    def report_of_last_crash(self, known: Circumstances) -> Path | None:
        """The report of a window that did not end as it should; None where the last one did."""
        if not self.crashed:
            return None
        self.crashed = False
        text = self.compose("Laterna's window ended unexpectedly: it crashed, was killed, or the power went.", known)
        return report.keep(self.reports, "window", text)

    def report_of_engine(self, what: str, known: Circumstances) -> Path | None:
        """Keep a report of an engine that died."""
        return report.keep(self.reports, "engine", self.compose(what, known))

    def compose(self, what: str, known: Circumstances, *, prompt: str = "", note: str = "") -> str:
        """A report as text (see ``engine.logs.report.compose``)."""
        for handler in self._handlers:
            handler.flush()
        sources: dict[str, Path | str] = {"window": self.window_log, "engine": self.engine_log}
        if self._last_trace:
            sources["trace of the last window"] = self._last_trace
        return report.compose(what, sources, known, prompt=prompt, note=note)

    # Inner

    def _add(self, handler: logging.Handler, formatter: logging.Formatter) -> None:
        handler.setFormatter(formatter)
        logging.getLogger().addHandler(handler)
        self._handlers.append(handler)

    def _raised(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._hooks[0](kind, error, trace)
        else:
            log.critical("An error that nobody caught", exc_info=(kind, error, trace))

    def _raised_in_thread(self, raised: threading.ExceptHookArgs) -> None:
        name = raised.thread.name if raised.thread else "?"
        if raised.exc_value is not None:
            log.critical("An error that nobody caught in %s", name, exc_info=raised.exc_value)
