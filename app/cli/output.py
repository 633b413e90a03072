"""Results on stdout, progress on stderr."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Any, TextIO

import msgspec


def print_json(value: Any) -> None:
    raw = msgspec.json.encode(value, enc_hook=_encode)
    print(msgspec.json.format(raw, indent=2).decode(), flush=True)


def _encode(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


class ProgressLine:
    """One line that is redrawn on a terminal; elsewhere a line for each new phase."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._phase = ""
        self._drawn = 0.0

    def show(self, phase: str, fraction: float = -1.0, seconds_left: float = -1.0, detail: str = "") -> None:
        """``fraction`` in 0 … 1, or negative where it is not known; ``detail`` is for terminals only."""
        if not self._terminal:
            if phase != self._phase:
                print(phase, file=self._stream, flush=True)
            self._phase = phase
            return
        now = time.monotonic()
        if phase == self._phase and now - self._drawn < 0.05 and fraction < 1:
            return
        self._phase, self._drawn = phase, now
        left = f"  {seconds_left:.0f} s left" if seconds_left >= 0 else ""
        bar = ""
        if fraction >= 0:
            done = round(24 * min(fraction, 1.0))
            bar = "  [" + "█" * done + "·" * (24 - done) + "]"
        line = f"{phase} {detail}{bar}{left}"[: shutil.get_terminal_size().columns - 1]
        print(f"\r\x1b[K{line}", end="", file=self._stream, flush=True)

    def end(self) -> None:
        if self._terminal and self._phase:
            print("\r\x1b[K", end="", file=self._stream, flush=True)
        self._phase = ""
