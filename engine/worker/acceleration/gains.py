"""What compiling a model took here and what it gave, by device, network and size; and whether it will pay."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from engine.files import TEXT_LIMIT, read_regular
from engine.media import atomic

KEPT = 200
EXPECTED_GAIN = 0.2
"""Part of a call's seconds that compiled blocks are expected to save, until it has been measured."""
EXPECTED_COST = 60.0
"""Seconds that compiling is expected to take, until it has been measured."""
MOST_JOBS = 10
"""As many jobs as there were are expected to come, up to this many: what is compiled is kept for them."""


class Gain(msgspec.Struct, frozen=True, omit_defaults=True):
    """Seconds of one call of the network, ``plain`` and ``compiled``, and of compiling the last time (``cost``; with
    kernels from the cache it is less than the first time). 0: not measured. ``jobs`` that were made."""

    plain: float = 0.0
    compiled: float = 0.0
    cost: float = 0.0
    jobs: int = 0

    def pays(self, calls: int) -> bool:
        """Whether compiling is worth its time for a job of ``calls``, and those that are likely to come."""
        if not self.plain:
            return False  # first how fast it is without
        saved = self.plain - self.compiled if self.compiled else EXPECTED_GAIN * self.plain
        cost = self.cost if self.compiled else EXPECTED_COST
        return saved * calls * (1 + min(self.jobs, MOST_JOBS)) > cost


class Gains:
    """The newest ``KEPT``, in ``file``. Nothing here may stop a job: a file that cannot be read or written is none."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, Gain] = {}
        with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._known = msgspec.json.decode(read_regular(file, TEXT_LIMIT), type=dict[str, Gain])

    @property
    def known(self) -> dict[str, Gain]:
        return dict(self._known)

    def of(self, key: str) -> Gain:
        return self._known.get(key, Gain())

    def add(self, key: str, is_compiled: bool, seconds: float, cost: float = 0.0) -> None:
        """A job's ``seconds`` a call; ``cost`` of compiling before the first one."""
        before = self._known.pop(key, Gain())
        jobs = before.jobs + 1
        if is_compiled:
            self._known[key] = msgspec.structs.replace(before, compiled=seconds, cost=cost, jobs=jobs)
        else:
            self._known[key] = msgspec.structs.replace(before, plain=seconds, jobs=jobs)
        newest = dict(list(self._known.items())[-KEPT:])
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            atomic.write_bytes(self._file, msgspec.json.encode(newest))
