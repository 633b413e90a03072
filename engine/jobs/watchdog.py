"""Judges by its signs of life whether an engine works, is silent, or is stuck: by what it says, wherever it runs.

Whatever an engine says is a sign of life; while it has something in hand it says something several times a second
(``Pulse``), also during one long kernel, because that runs without the interpreter's lock. Two things end it:

- it has said nothing for ``SILENCE``: the system stopped it, or it is stuck in code that never lets go. It gets
  ``BUSY_SILENCE`` while its libraries are imported, and where it is a process of this machine that uses the processor;
- it talks, but no block of any network has ended and it does not use the processor for ``IDLE_STALL`` (a deadlock), or
  none has ended for ``BUSY_STALL`` whatever it does.

Time counts in ticks of at most ``LONGEST_TICK``: when the machine was asleep, or this process had no turn, that is no
silence of the engine's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

NOTICED = 0.75
SILENCE = 20.0
BUSY_SILENCE = 180.0
IDLE_STALL = 300.0
BUSY_STALL = 3600.0
TICK = 0.2
LONGEST_TICK = 2 * TICK
IDLE_SHARE = 0.02
"""Part of one processor below which a process does nothing."""

Verdict = Literal["alive", "silent", "stuck"]


@dataclass(frozen=True)
class Patience:
    """Seconds, as the module says."""

    noticed: float = NOTICED
    silence: float = SILENCE
    busy_silence: float = BUSY_SILENCE
    idle_stall: float = IDLE_STALL
    busy_stall: float = BUSY_STALL


class Watchdog:
    """``cpu_seconds`` asks the system for the engine's processor time; None where it cannot be known."""

    def __init__(self, cpu_seconds: Callable[[], float | None], patience: Patience | None = None) -> None:
        self._cpu_seconds = cpu_seconds
        self._patience = patience or Patience()
        self.started()

    def started(self) -> None:
        """A fresh engine imports its libraries."""
        self.warming = True
        self.rest()

    def rest(self) -> None:
        """The engine has nothing in hand: nothing is expected of it."""
        self._last_tick: float | None = None
        self._silent = self._stalled = 0.0
        self._cpu_at_silence: float | None = None
        self._work = -1
        self._cpu_at_work = 0.0
        self._is_idle = False

    def heard(self) -> None:
        """The engine said something."""
        self._silent = 0.0
        self._cpu_at_silence = None

    def pulse(self, work: int, cpu_seconds: float) -> None:
        """``work`` rises with every block; ``cpu_seconds`` is the processor time so far."""
        if work != self._work:
            self._work, self._cpu_at_work, self._stalled = work, cpu_seconds, 0.0
        self._is_idle = cpu_seconds - self._cpu_at_work <= IDLE_SHARE * self._stalled

    def tick(self, now: float) -> Verdict:
        """To be called every ``TICK`` seconds while the engine has something in hand."""
        passed = min(now - self._last_tick, LONGEST_TICK) if self._last_tick is not None else 0.0
        self._last_tick = now
        self._silent += passed
        self._stalled += passed
        patience = self._patience
        if self._silent > patience.noticed and self._cpu_at_silence is None:
            self._cpu_at_silence = self._cpu_seconds()
        may_be_silent = patience.busy_silence if self.warming else patience.silence
        if self._silent > may_be_silent and (self._silent > patience.busy_silence or not self._is_computing()):
            return "stuck"
        if not self.warming and self._stalled > (patience.idle_stall if self._is_idle else patience.busy_stall):
            return "stuck"
        return "silent" if self._silent > patience.noticed and not self.warming else "alive"

    def _is_computing(self) -> bool:
        """Whether the engine has used the processor since it fell silent."""
        used = self._cpu_seconds()
        if used is None or self._cpu_at_silence is None:
            return False
        return used - self._cpu_at_silence > IDLE_SHARE * (self._silent - self._patience.noticed)
