"""The forecast in the form: in time, in the right colour, with a change that fits; and what it learns."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.paths import EMBEDDED_MODELS
from engine.jobs.job import Job
from engine.jobs.notices import EngineStateChanged, JobEnded, MemoryShown
from engine.memory.footprints import Footprints
from engine.memory.forecast import Forecaster
from engine.memory.history import History
from engine.models.catalog import MODELS
from engine.models.installed import InstalledModel, open_folder
from engine.protocol.events import DeviceInfo, MemoryChanged
from ui.forecasts import Forecasts, ForecastSource
from ui.generate.forecast_note import ForecastNote
from ui.session import Session

GB = 10**9


@pytest.fixture
def small(tmp_path: Path) -> InstalledModel:
    return open_folder(EMBEDDED_MODELS / "laterna-mini-image")


@pytest.fixture
def session(qapp, small: InstalledModel, tmp_path: Path) -> Session:
    session = Session("image")
    large = InstalledModel(MODELS["sd3.5-large"], tmp_path / "sd3.5-large")  # not there: the catalogue's figures
    session.set_models((small, large))
    return session


@pytest.fixture
def forecasts(session: Session, tmp_path: Path) -> Iterator[Forecasts]:
    found = Forecasts(session)
    found.set_source(ForecastSource(Forecaster(History(tmp_path / "runs.sqlite3")), Footprints(None)))
    yield found
    found.close()


def give_memory(session: Session, vram: float, ram: float = 64, speed: float = 1.0) -> None:
    kind = "cuda" if vram else "cpu"
    device = DeviceInfo(
        kind, "a card", int(vram * GB), flops=2e13 * speed, bandwidth=3e11 * speed, operator=5e-6 / speed
    )
    session.set_engine(EngineStateChanged("ready", device=device))
    session.set_memory(MemoryShown(MemoryChanged(0, int(ram * GB), 4 * GB, int(vram * GB), 0)))


def test_nothing_is_said_before_the_engine_has_told_of_itself(forecasts: Forecasts) -> None:
    assert forecasts.current is None
    assert forecasts.seconds(MODELS["sd3.5-large"].recipe("x")) is None


def test_a_small_model_fits(qtbot: QtBot, session: Session, forecasts: Forecasts, small: InstalledModel) -> None:
    with qtbot.waitSignal(forecasts.changed, timeout=10_000):
        give_memory(session, 0)
    assert forecasts.current is not None
    assert (forecasts.current.level, forecasts.current.where) == ("fits", "host")
    assert 0 < forecasts.current.needed < GB
    recipe = small.info.recipe("x")
    assert forecasts.seconds(recipe) == pytest.approx(forecasts.current.seconds)


def test_what_does_not_fit_says_what_would(qtbot: QtBot, session: Session, forecasts: Forecasts) -> None:
    with qtbot.waitSignal(forecasts.changed, timeout=10_000):
        give_memory(session, 1)
    session.choose_model("sd3.5-large")
    qtbot.waitUntil(lambda: forecasts.current is not None and forecasts.current.level == "too much", timeout=10_000)
    assert forecasts.current.needed > forecasts.current.limit
    with qtbot.waitSignal(forecasts.changed, timeout=10_000):
        give_memory(session, 40)
    assert forecasts.current.level == "fits"


def test_a_change_shows_within_100_ms(qtbot: QtBot, session: Session, forecasts: Forecasts) -> None:
    with qtbot.waitSignal(forecasts.changed, timeout=10_000):
        give_memory(session, 40)
    session.choose_model("sd3.5-large")
    qtbot.waitUntil(lambda: forecasts.current is not None and forecasts.current.needed > 10 * GB, timeout=10_000)
    times = []
    for width in (512, 640, 768, 896, 1024, 1152):
        with qtbot.waitSignal(forecasts.changed, timeout=10_000):
            began = time.perf_counter()
            session.edit(session.draft.with_recipe(width=width, height=512))
        times.append(time.perf_counter() - began)
    assert sorted(times)[len(times) // 2] < 0.1


def test_only_the_last_of_many_changes_counts(qtbot: QtBot, session: Session, forecasts: Forecasts) -> None:
    with qtbot.waitSignal(forecasts.changed, timeout=10_000):
        give_memory(session, 0)
    for steps in range(1, 60):
        session.edit(session.draft.with_recipe(steps=steps))
    recipe = session.draft.recipe
    qtbot.waitUntil(lambda: forecasts.current.seconds == forecasts.seconds(recipe), timeout=10_000)


def test_it_learns_from_runs(qtbot: QtBot, session: Session, forecasts: Forecasts, small: InstalledModel) -> None:
    with qtbot.waitSignal(forecasts.changed, timeout=10_000):
        give_memory(session, 0)
    recipe = session.draft.recipe
    real = {"encoding": 0.7, "denoising": 11.0, "decoding": 0.9}
    for _ in range(3):
        forecasts.ended(JobEnded(Job("a", recipe, "folder", "done"), seconds=real, peak_memory=10**9))
    assert forecasts.is_warm
    qtbot.waitUntil(lambda: forecasts.current.learned, timeout=10_000)
    qtbot.waitUntil(lambda: abs(forecasts.current.seconds / sum(real.values()) - 1) < 0.15, timeout=10_000)
    session.set_engine(EngineStateChanged("restarting"))
    assert not forecasts.is_warm


def test_a_start_on_a_busy_machine_does_not_make_what_was_learned_slower(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    def start(speed: float) -> Forecasts:
        history = History(tmp_path / "runs.sqlite3")
        made = Forecasts(session)
        made.set_source(ForecastSource(Forecaster(history), Footprints(None), history))
        with qtbot.waitSignal(made.changed, timeout=10_000):
            give_memory(session, 0, speed=speed)
        return made

    first = start(1.0)
    unlearned = first.current.seconds
    real = {"encoding": 0.7, "denoising": 11.0, "decoding": 0.9}
    first.ended(JobEnded(Job("a", session.draft.recipe, "folder", "done"), seconds=real, peak_memory=10**9))
    qtbot.waitUntil(lambda: first.current.learned, timeout=10_000)
    learned = first.current.seconds
    assert abs(learned - unlearned) > 1
    first.close()
    again = start(0.1)
    assert again.current.seconds == pytest.approx(learned)
    assert again.seconds(session.draft.recipe) == pytest.approx(learned)
    again.close()


def test_a_job_that_was_not_measured_teaches_nothing(qtbot: QtBot, session: Session, forecasts: Forecasts) -> None:
    with qtbot.waitSignal(forecasts.changed, timeout=10_000):
        give_memory(session, 0)
    forecasts.ended(JobEnded(Job("a", session.draft.recipe, "folder", "cancelled")))
    with qtbot.waitSignal(forecasts.changed, timeout=10_000):
        session.edit(session.draft.with_recipe(steps=33))
    assert not forecasts.current.learned


def test_the_note_has_a_sentence_a_colour_and_a_remedy(qtbot: QtBot, session: Session, forecasts: Forecasts) -> None:
    note = ForecastNote()
    qtbot.addWidget(note)
    assert note.isHidden()
    with qtbot.waitSignal(forecasts.changed, timeout=10_000):
        give_memory(session, 40)
    session.choose_model("sd3.5-large")
    qtbot.waitUntil(lambda: forecasts.current is not None and forecasts.current.needed > 10 * GB, timeout=10_000)
    note.show_forecast(forecasts.current)
    assert note.text.text_whole().startswith("needs ") and "about" in note.text.text_whole()
    assert note.text.property("level") == "fits" and note.button.isHidden()
    session.edit(session.draft.with_recipe(width=2048, height=2048, batch=8))
    give_memory(session, 5)
    qtbot.waitUntil(lambda: forecasts.current.level == "too much" and forecasts.current.remedy is not None)
    note.show_forecast(forecasts.current)
    assert note.text.property("level") == "too-much"
    assert not note.button.isHidden() and "would fit" in note.button.text()
    assert note.button.accessibleName() == note.button.text()
    assert "anyway" in note.toolTip()
    with qtbot.waitSignal(note.remedy_wanted) as caught:
        note.button.click()
    changed = caught.args[0].apply(session.draft.recipe)
    assert changed != session.draft.recipe
