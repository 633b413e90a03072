"""The real window, and an engine that is killed each time it works on one job: that job is set aside, with its log."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from harness import START_SECONDS, Promises, Session, kill_engines, make_home, stage_of

from app.paths import Paths
from engine.protocol.errors import ErrorInfo
from engine.protocol.recipe import Recipe

DEATHS = 3
STEPS = 80
"""Enough that the engine is killed before the job is done."""


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    home = tmp_path / "home"
    make_home(home)
    opened = Session(home, 1, Promises(), "--calm", "--steps", str(STEPS))
    yield opened
    opened.kill()


def test_a_job_that_ends_the_engine_three_times_is_set_aside_and_the_queue_goes_on(
    session: Session, tmp_path: Path
) -> None:
    since, culprit = 0, None
    for _death in range(DEATHS):
        assert session.wait_for(lambda line: stage_of(line) == "denoising", START_SECONDS, since), "no job was begun"
        seed = next(line["seed"] for line in session.lines[since:] if stage_of(line) == "denoising")
        culprit = culprit or seed
        assert seed == culprit, "the job whose engine died goes on first"
        since = len(session.lines)
        kill_engines(session)
        assert session.wait_for(lambda line: stage_of(line) in ("waiting", "ended"), START_SECONDS, since)
        since = next(n for n, line in enumerate(session.lines) if n >= since and stage_of(line) in ("waiting", "ended"))
    assert session.wait_for(lambda line: line["what"] == "ended" and line["state"] == "done", START_SECONDS, since)

    ended = {line["seed"]: line for line in session.lines if line["what"] == "ended"}
    assert ended[culprit]["state"] == "failed"
    assert "ended 3 times while working on this" in ended[culprit]["error"]
    assert session.promises.bugs == []
    session.kill()
    with closing(sqlite3.connect(Paths.find(str(tmp_path / "home")).queue_database)) as connection:
        rows = connection.execute("SELECT recipe, state, engine_deaths, error FROM jobs").fetchall()
    found = {Recipe.from_json(recipe).seed: rest for recipe, *rest in rows}
    state, deaths, error = found[culprit]
    assert (state, deaths) == ("failed", DEATHS)
    detail = msgspec.json.decode(error, type=ErrorInfo).detail
    assert "SIGSEGV" in detail and "Segmentation fault" in detail, "the engine's log is kept with the job"
    assert [state for seed, (state, *_) in found.items() if seed != culprit].count("done") >= 1
