"""Stopping a download, and holding it to a bandwidth."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from engine.protocol.errors import Cancelled


class Abortable(Protocol):
    def abort(self) -> None: ...


class DownloadControl:
    """Shared by everything that works on one download; ``stop`` ends all of it, from any thread, at once."""

    def __init__(self, bytes_per_second: float = 0.0) -> None:
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._open: set[Abortable] = set()
        self.limit = Limit(bytes_per_second)

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def stop(self) -> None:
        self._stopped.set()
        with self._lock:
            responses = list(self._open)
        for response in responses:
            response.abort()

    abort = stop  # one control can be stopped with another

    def check(self) -> None:
        """Raise ``Cancelled`` once ``stop`` was called."""
        if self._stopped.is_set():
            raise Cancelled("The download was stopped.", "It goes on where it was when you start it again.")

    def wait(self, seconds: float) -> None:
        """Sleep, but not beyond ``stop``; raises ``Cancelled``."""
        self._stopped.wait(seconds)
        self.check()

    @contextmanager
    def aborting(self, response: Abortable) -> Iterator[None]:
        """``stop`` aborts ``response`` while the block runs."""
        with self._lock:
            self._open.add(response)
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._open.discard(response)

    def take(self, count: int) -> None:
        """Account for ``count`` received bytes; sleeps where they came faster than the limit."""
        delay = self.limit.delay(count)
        if delay > 0:
            self.wait(delay)


class Limit:
    """A bandwidth that all connections share; 0 means none. May be changed while they run."""

    def __init__(self, bytes_per_second: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._free_at = 0.0
        self.bytes_per_second = bytes_per_second

    def delay(self, count: int) -> float:
        """How long to wait, in seconds, after ``count`` bytes."""
        rate = self.bytes_per_second
        if rate <= 0:
            return 0.0
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + count / rate
            return self._free_at - now
