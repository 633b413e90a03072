"""Whether compiling pays: from what it took and gave before."""

from __future__ import annotations

from pathlib import Path

from engine.worker.acceleration.gains import EXPECTED_COST, EXPECTED_GAIN, KEPT, MOST_JOBS, Gain, Gains


def test_nothing_pays_before_it_is_known_how_fast_it_is_without() -> None:
    assert not Gain().pays(10**6)


def test_at_first_long_work_pays_and_short_work_does_not() -> None:
    calls = 20
    enough = EXPECTED_COST / EXPECTED_GAIN / calls
    assert Gain(plain=1.1 * enough).pays(calls)
    assert not Gain(plain=0.9 * enough).pays(calls)
    assert Gain(plain=0.9 * enough, jobs=1).pays(calls)  # there will be another one


def test_what_was_measured_decides() -> None:
    assert Gain(plain=2.0, compiled=1.0, cost=30.0).pays(31)
    assert not Gain(plain=2.0, compiled=1.0, cost=30.0).pays(29)
    assert not Gain(plain=1.0, compiled=1.1, cost=0.0).pays(10**6)
    few, many = Gain(2.0, 1.0, 100.0, jobs=MOST_JOBS), Gain(2.0, 1.0, 100.0, jobs=10**6)
    assert few.pays(10) == many.pays(10) and few.pays(9) == many.pays(9)


def test_measurements_stay_and_old_ones_go(tmp_path: Path) -> None:
    file = tmp_path / "compiled" / "gains.json"
    for number in range(KEPT + 5):
        Gains(file).add(f"k{number}", False, 2.0) if number > KEPT else None
    gains = Gains(file)
    gains.add("k", False, 2.0)
    gains.add("k", True, 1.5, cost=40.0)
    assert Gains(file).of("k") == Gain(2.0, 1.5, 40.0, 2)
    for number in range(KEPT):
        gains.add(f"new {number}", False, 1.0)
    assert Gains(file).of("k") == Gain()
    assert Gains(file).of("new 0").plain == 1.0


def test_a_damaged_file_and_a_folder_that_cannot_be_written_are_no_failure(tmp_path: Path) -> None:
    file = tmp_path / "gains.json"
    file.write_text("{ this is none")
    assert Gains(file).of("k") == Gain()
    Gains(file).add("k", False, 1.0)
    assert Gains(file).of("k").plain == 1.0
    Gains(file / "below").add("k", False, 1.0)
