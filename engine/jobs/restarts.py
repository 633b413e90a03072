"""When an engine that has ended is started again: later each time that it dies without work done, and not for ever."""

from __future__ import annotations

import time

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
MAX_FAILED_STARTS = 5


class Restarts:
    """``at`` is when the next start is due, on the monotonic clock; None: none is."""

    def __init__(self) -> None:
        self._deaths_in_a_row = 0
        self._failed_starts = 0
        self.at: float | None = None

    def started(self) -> None:
        self.at = None

    def became_ready(self) -> None:
        self._failed_starts = 0

    def did_work(self) -> None:
        """A job came to its end: whatever made the engine die before is over."""
        self._deaths_in_a_row = 0

    def died(self, was_ready: bool, is_final: bool) -> bool:
        """Plan the next start; False where it never gets ready, or could not (``is_final``), and it is given up."""
        if not was_ready:
            self._failed_starts += 1
        if is_final or self._failed_starts >= MAX_FAILED_STARTS:
            self.at = None
            return False
        delay = 0.0 if not self._deaths_in_a_row else FIRST_DELAY * 2 ** (self._deaths_in_a_row - 1)
        self._deaths_in_a_row += 1
        self.at = time.monotonic() + min(LONGEST_DELAY, delay)
        return True

    def forget(self) -> None:
        """A person wants a fresh engine, whatever came before."""
        self._failed_starts = 0
        self._deaths_in_a_row = 0

    def now(self) -> None:
        self.at = time.monotonic()
