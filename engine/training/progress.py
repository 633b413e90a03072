"""What a person sees while a training runs: step, loss and time left, one line on the standard error."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

LINE_SECONDS = 30.0  # between two lines where nothing can be redrawn


@dataclass(frozen=True)
class Status:
    """`seconds_left` is negative while nothing is known of it."""

    step: int
    steps: int
    loss: float
    seconds_left: float


Report = Callable[[Status], None]


def duration(seconds: float) -> str:
    """ "45 s", "12 min", "3 h 20 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


class Pace:
    """Seconds for a step, the last ones counting most."""

    def __init__(self) -> None:
        self._each = 0.0
        self._steps = 0

    def add(self, seconds: float) -> None:
        self._steps += 1
        weight = max(0.05, 1 / self._steps)
        self._each += weight * (seconds - self._each)

    def left(self, steps: int) -> float:
        return steps * self._each if self._steps > 1 else -1.0


class Console:
    """Redraws a line on a terminal; elsewhere writes one now and then."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._written = 0.0

    def __call__(self, status: Status) -> None:
        now, last = time.monotonic(), status.step == status.steps
        if not last and now - self._written < (0.1 if self._terminal else LINE_SECONDS):
            return
        self._written = now
        left = f", {duration(status.seconds_left)} left" if status.seconds_left >= 0 and not last else ""
        text = f"step {status.step} of {status.steps}, loss {status.loss:.4f}{left}"
        if self._terminal:
            text = text[: shutil.get_terminal_size().columns - 1]
            print(f"\r\x1b[K{text}", end="\n" if last else "", file=self._stream, flush=True)
        else:
            print(text, file=self._stream, flush=True)
