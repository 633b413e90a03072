"""What past runs needed against what was expected: how forecasts learn a machine. One SQLite file, any thread."""

from __future__ import annotations

import contextlib
import sqlite3
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from engine.memory.machine import Machine, Rates
from engine.memory.plan import STAGES, StageName
from engine.protocol.errors import BadFile, LaternaError, from_os_error

KEPT_RUNS = 500
RECENT = 5
"""Runs of a kind that a correction is the median of."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, device TEXT NOT NULL, family TEXT NOT NULL, model TEXT NOT NULL,
    stage TEXT NOT NULL, expected REAL NOT NULL, measured REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS runs_of_a_kind ON runs (device, family, stage, id);
CREATE TABLE IF NOT EXISTS peaks (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, device TEXT NOT NULL, family TEXT NOT NULL, model TEXT NOT NULL,
    predicted INTEGER NOT NULL, measured INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS rates (
    kind TEXT NOT NULL, name TEXT NOT NULL, rates TEXT NOT NULL, PRIMARY KEY (kind, name)
);
"""


class Run(msgspec.Struct, frozen=True):
    """One finished job. ``expected`` seconds by stage are those before any correction; 0 bytes: not measured."""

    device: str
    family: str
    model: str
    expected: dict[StageName, float]
    measured: dict[StageName, float]
    predicted_peak: int = 0
    measured_peak: int = 0


class History:
    """Runs of this machine. A damaged file is begun anew: it holds nothing that cannot be measured again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._corrections: dict[tuple[str, ...], dict[StageName, float]] = {}

    def add(self, run: Run) -> None:
        """Keep ``run``. Raises ``NoSpace`` or ``NotWritable``."""
        now = time.time()
        rows = [
            (now, run.device, run.family, run.model, stage, run.expected[stage], run.measured[stage])
            for stage in STAGES
            if run.expected.get(stage, 0.0) > 0 and run.measured.get(stage, 0.0) > 0
        ]
        with self._open() as database:
            database.executemany(
                "INSERT INTO runs (at, device, family, model, stage, expected, measured) VALUES (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            if run.predicted_peak and run.measured_peak:
                database.execute(
                    "INSERT INTO peaks (at, device, family, model, predicted, measured) VALUES (?, ?, ?, ?, ?, ?)",
                    (now, run.device, run.family, run.model, run.predicted_peak, run.measured_peak),
                )
            for table, limit in (("runs", len(STAGES) * KEPT_RUNS), ("peaks", KEPT_RUNS)):
                database.execute(f"DELETE FROM {table} WHERE id <= (SELECT max(id) FROM {table}) - ?", (limit,))
            self._corrections.clear()

    def corrections(self, device: str, family: str, *models: str) -> dict[StageName, float]:
        """Measured over expected seconds by stage: of the last runs of the first of ``models`` that has any, else of
        the family's, else nothing."""
        key = (device, family, *models)
        if key not in self._corrections:
            found: dict[StageName, float] = {}
            with contextlib.suppress(BadFile), self._open() as database:
                for stage in STAGES:
                    for column, value in (*(("model", model) for model in models), ("family", family)):
                        rows = database.execute(
                            f"SELECT measured / expected FROM runs WHERE device = ? AND {column} = ? AND stage = ?"
                            " ORDER BY id DESC LIMIT ?",
                            (device, value, stage, RECENT),
                        ).fetchall()
                        ratios = [ratio for (ratio,) in rows if isinstance(ratio, float)]
                        if ratios:
                            found[stage] = statistics.median(ratios)
                            break
            self._corrections[key] = found
        return self._corrections[key]

    def keep_rates(self, machine: Machine) -> None:
        """Keep the rates that runs of ``machine`` are measured against, if none are kept yet.

        They are measured anew at each start, and come out lower where other programs are busy then; what was learned
        against one measurement would be wrong against the next. Raises ``NoSpace`` or ``NotWritable``.
        """
        if machine.rates is None:
            return
        text = msgspec.json.encode(machine.rates).decode()
        with self._open() as database:
            database.execute("INSERT OR IGNORE INTO rates VALUES (?, ?, ?)", (machine.kind, machine.name, text))

    def with_kept_rates(self, machine: Machine) -> Machine:
        """``machine`` with the rates that were kept for it; as it is where there are none or they cannot be read."""
        with (
            contextlib.suppress(LaternaError, msgspec.DecodeError, UnicodeDecodeError, TypeError),
            self._open() as database,
        ):
            query = "SELECT rates FROM rates WHERE kind = ? AND name = ?"
            for (text,) in database.execute(query, (machine.kind, machine.name)):
                return msgspec.structs.replace(machine, rates=msgspec.json.decode(text, type=Rates))
        return machine

    def peaks(self, limit: int = 50) -> list[tuple[str, int, int]]:
        """The last runs' model, predicted and measured peak in bytes, newest first."""
        with self._open() as database:
            return database.execute(
                "SELECT model, predicted, measured FROM peaks ORDER BY id DESC LIMIT ?", (limit,)
            ).fetchall()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock, closing(self._connect()) as database, database:
                yield database
        except sqlite3.OperationalError as error:
            raise from_os_error(OSError(str(error)), "keeping what runs needed", self._path) from error
        except sqlite3.DatabaseError as error:
            self._begin_anew()
            raise BadFile(
                "What earlier runs needed was damaged; it is learned anew.", "Forecasts are rougher until then."
            ) from error
        except OSError as error:
            raise from_os_error(error, "keeping what runs needed", self._path) from error

    def _begin_anew(self) -> None:
        self._path.replace(self._path.with_suffix(".damaged"))

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self._path, timeout=5.0)
        try:
            database.executescript(_SCHEMA)
        except sqlite3.OperationalError:
            database.close()
            raise
        except sqlite3.DatabaseError:
            database.close()
            self._begin_anew()
            database = sqlite3.connect(self._path, timeout=5.0)
            database.executescript(_SCHEMA)
        return database
