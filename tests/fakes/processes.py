"""Whether processes that are not children of the test are over."""

from __future__ import annotations

import time
from collections.abc import Iterable

import psutil


def still_running(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that run after ``seconds``. One that has ended but that init has not collected yet does not run."""
    end = time.monotonic() + seconds
    while (alive := [process for process in processes if _runs(process)]) and time.monotonic() < end:
        time.sleep(0.02)
    return alive


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
