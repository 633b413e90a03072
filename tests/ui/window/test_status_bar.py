from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from engine.jobs.job import Job
from engine.jobs.notices import EngineStateChanged, JobProgressed, MemoryShown, QueueChanged
from engine.protocol.events import DeviceInfo, MemoryChanged
from engine.protocol.recipe import Recipe
from ui.formats import duration, gigabytes
from ui.session import Session
from ui.theme import Theme
from ui.window.status_bar import StatusBar

CLIP = Recipe(family="cogvideox", model="m", frames=9)


@pytest.fixture
def bar(qtbot: QtBot, session: Session, theme: Theme) -> StatusBar:
    bar = StatusBar(session, theme=theme)
    qtbot.addWidget(bar)
    bar.resize(1200, 30)
    bar.show()
    return bar


def test_engine_states(bar: StatusBar, session: Session) -> None:
    session.set_engine(EngineStateChanged("starting", "Loading PyTorch"))
    assert bar.engine.text_whole() == "Engine warming up  ·  Loading PyTorch"
    session.set_engine(EngineStateChanged("ready", "Ready.", DeviceInfo("cuda", "RTX 4090", 24 * 10**9)))
    assert bar.engine.text_whole() == "Engine ready  ·  RTX 4090"
    session.set_engine(EngineStateChanged("stopped", "Gone."))
    assert bar.engine.text_whole() == "Engine stopped"


def test_running_job(bar: StatusBar, session: Session) -> None:
    assert bar.job.isHidden() and bar.bar.isHidden() and bar.queue.isHidden()
    jobs = (Job("a", CLIP, "f", "running"), *(Job(name, CLIP, "f") for name in "bcd"))
    session.set_queue(QueueChanged(jobs))
    session.set_progress(JobProgressed("a", "denoising", 19, 30, 0.62, 18.2))
    assert bar.job.text() == "Clip 1 of 4  ·  step 19 / 30"
    assert bar.bar.value() == 620
    assert bar.left.text() == "18 s left"
    assert bar.queue.text() == "Queue 3" and not bar.queue.isHidden()
    session.set_progress(JobProgressed("a", "loading", 0, 30, 0.0))
    assert bar.job.text().endswith("loading the model") and bar.left.text() == ""
    session.set_queue(QueueChanged(()))
    assert bar.job.isHidden()


def test_memory(bar: StatusBar, session: Session) -> None:
    session.set_memory(MemoryShown(MemoryChanged(10**9, 64 * 10**9, 112 * 10**8)))
    assert bar.device_meter.isHidden() and not bar.host_meter.isHidden()
    assert bar.host_meter._bar.accessibleName() == "RAM 11.2 / 64 GB"
    session.set_memory(MemoryShown(MemoryChanged(1, 64 * 10**9, 1, 24 * 10**9, 235 * 10**8)))
    assert not bar.device_meter.isHidden()
    assert bar.device_meter._bar.property("full") is True


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (-3, "0 s"), (18.2, "18 s"), (59.6, "1 min 00 s"), (125, "2 min 05 s"), (4800, "1 h 20 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_gigabytes() -> None:
    assert gigabytes(9_800_000_000, 24_000_000_000) == "9.8 / 24 GB"
    assert gigabytes(1_000_000_000, 8_400_000_000) == "1.0 / 8.4 GB"
