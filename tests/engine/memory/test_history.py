"""Learning from runs: how fast forecasts come right, and what a damaged file does."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.memory.history import KEPT_RUNS, History, Run
from engine.memory.machine import Machine, Rates

STAGES = {"encoding": 1.0, "denoising": 10.0, "decoding": 2.0}


def run(factor: float, model: str = "m", family: str = "f", device: str = "cpu", **more: int) -> Run:
    return Run(device, family, model, STAGES, {name: seconds * factor for name, seconds in STAGES.items()}, **more)


def test_nothing_is_known_at_first(tmp_path: Path) -> None:
    assert History(tmp_path / "runs.sqlite3").corrections("cpu", "f", "m") == {}


def test_a_model_learns_from_its_own_runs_then_from_its_family(tmp_path: Path) -> None:
    history = History(tmp_path / "runs.sqlite3")
    history.add(run(3.0))
    assert history.corrections("cpu", "f", "m")["denoising"] == pytest.approx(3.0)
    assert history.corrections("cpu", "f", "another")["denoising"] == pytest.approx(3.0)
    history.add(run(2.0, model="another"))
    assert history.corrections("cpu", "f", "another")["denoising"] == pytest.approx(2.0)
    assert history.corrections("cpu", "f", "m")["denoising"] == pytest.approx(3.0)
    assert history.corrections("cuda", "f", "m") == {}
    assert history.corrections("cpu", "g", "other") == {}


def test_the_first_rates_of_a_machine_stay(tmp_path: Path) -> None:
    history = History(tmp_path / "runs.sqlite3")
    idle = Machine("cpu", 8, 4, name="a processor", rates=Rates(2e11, 3e10, 1e-5, measured=True))
    busy = msgspec.structs.replace(idle, rates=Rates(2e10, 3e9, 1e-4, measured=True))
    assert history.with_kept_rates(busy) == busy
    history.keep_rates(idle)
    history.keep_rates(busy)
    assert History(tmp_path / "runs.sqlite3").with_kept_rates(busy) == idle
    other = msgspec.structs.replace(busy, name="another")
    assert history.with_kept_rates(other) == other


@settings(max_examples=25, deadline=None)
@given(
    speed=st.floats(0.05, 20.0),
    noise=st.lists(st.floats(0.9, 1.1), min_size=3, max_size=6),
    outlier=st.floats(1.5, 5.0),
)
def test_after_three_runs_it_is_within_15_percent(tmp_path_factory, speed: float, noise, outlier: float) -> None:
    """Whatever the machine's speed, with runs that vary by a tenth, one of which was disturbed."""
    history = History(tmp_path_factory.mktemp("history") / "runs.sqlite3")
    for factor in (noise[0], noise[1] * outlier, noise[2], *noise[3:]):
        history.add(run(speed * factor))
    learned = history.corrections("cpu", "f", "m")
    assert sum(STAGES[stage] * learned[stage] for stage in STAGES) == pytest.approx(13.0 * speed, rel=0.15)


def test_it_forgets_the_oldest(tmp_path: Path) -> None:
    history = History(tmp_path / "runs.sqlite3")
    for number in range(12):
        history.add(run(1.0, predicted_peak=1000 + number, measured_peak=2000))
    assert len(history.peaks(5)) == 5
    assert history.peaks(1) == [("m", 1011, 2000)]
    assert KEPT_RUNS >= 100


def test_what_was_not_measured_teaches_nothing(tmp_path: Path) -> None:
    history = History(tmp_path / "runs.sqlite3")
    history.add(Run("cpu", "f", "m", STAGES, {"denoising": 20.0}))  # its prompt came from the cache
    assert history.corrections("cpu", "f", "m") == {"denoising": pytest.approx(2.0)}
    assert history.peaks() == []


def test_another_process_sees_it_and_a_damaged_file_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite3"
    History(path).add(run(4.0))
    assert History(path).corrections("cpu", "f", "m")["encoding"] == pytest.approx(4.0)
    path.write_bytes(b"this is no database" * 100)
    history = History(path)
    assert history.corrections("cpu", "f", "m") == {}
    history.add(run(5.0))
    assert history.corrections("cpu", "f", "m")["encoding"] == pytest.approx(5.0)
