"""Killed again and again while it starts: the next start is always a whole one."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parent))
from harness import START_SECONDS, Promises, Session, last_words, make_home

STARTS = 200 if os.environ.get("LATERNA_LONG_TESTS") else 6
LATEST_SECONDS = 1.5


def test_a_start_that_is_killed_is_no_obstacle_for_the_next(tmp_path: Path) -> None:
    """A lock, a socket, a half-made database or log of the one before would end a window, or keep it waiting."""
    seed = int(os.environ.get("LATERNA_CRASH_SEED") or random.randrange(1_000_000))
    print(f"LATERNA_CRASH_SEED={seed}")
    chance, promises, home = random.Random(seed), Promises(), tmp_path / "home"
    paths = make_home(home)
    for number in range(1, STARTS + 1):
        session = Session(home, number, promises, "--calm")
        with suppress(subprocess.TimeoutExpired):
            code = session.process.wait(chance.uniform(0, LATEST_SECONDS))
            raise AssertionError(f"start {number} ended by itself: {last_words(home, code)}")
        engines = session.engines()
        session.kill()
        _gone, alive = psutil.wait_procs(engines, timeout=5)
        assert not alive, "an engine has outlived its window"
    session = Session(home, STARTS + 1, promises, "--calm")
    try:
        assert session.wait_for(lambda line: line["what"] == "ready", START_SECONDS), last_words(home, None)
    finally:
        session.kill()
    assert promises.bugs == []
    for database in (paths.queue_database, paths.library_database):
        with closing(sqlite3.connect(database)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
