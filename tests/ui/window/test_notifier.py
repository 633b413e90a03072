from __future__ import annotations

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSystemTrayIcon, QWidget
from pytestqt.qtbot import QtBot

from app.settings import Settings
from engine.jobs.job import Job
from engine.jobs.notices import JobEnded, JobProgressed
from tests.fakes.recipes import picture_recipe
from ui.window import notifier as module
from ui.window.notifier import Notifier

JOB = Job(id="a", recipe=picture_recipe().replace(prompt="an owl, night"), model_folder="/m", created=0.0)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moment = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: moment[0])
    return moment


@pytest.fixture
def notifier(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Notifier:
    """Of a window that is not in front."""
    window = QWidget()
    qtbot.addWidget(window)
    monkeypatch.setattr(QGuiApplication, "applicationState", lambda: Qt.ApplicationState.ApplicationInactive)
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: False)
    return Notifier(window, Settings())


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the desktop is asked for."""
    calls: list[object] = []
    monkeypatch.setattr(module.dbus, "call", lambda *arguments: bool(calls.append(arguments)))
    return calls


def run(notifier: Notifier, now: list[float], seconds: float, state: str = "done", waiting: int = 0) -> list[str]:
    notifier.progressed(JobProgressed("a", "denoising", 1, 20, 0.05, 0.0))
    now[0] += seconds
    notifier.ended(JobEnded(msgspec.structs.replace(JOB, state=state), ()), waiting)
    return notifier.told


def test_a_long_job_is_told(notifier: Notifier, now: list[float], asked: list[tuple[object, ...]]) -> None:
    assert run(notifier, now, 30.0) == ["Done: An owl"]
    ((*_where, member, arguments),) = asked
    assert (member, arguments) == ("AddNotification", ["job", {"title": "Done", "body": "An owl"}])


def test_short_jobs_one_after_the_other_are_long_together(notifier: Notifier, now: list[float]) -> None:
    for waiting in (2, 1):
        assert run(notifier, now, 4.0, waiting=waiting) == []
    assert run(notifier, now, 4.0) == ["Done: An owl"]
    assert run(notifier, now, 4.0) == ["Done: An owl"], "the next stretch begins anew"


@pytest.mark.parametrize(("seconds", "state", "waiting"), [(3.0, "done", 0), (30.0, "cancelled", 0), (30.0, "done", 2)])
def test_nothing_else_is(notifier: Notifier, now: list[float], seconds: float, state: str, waiting: int) -> None:
    assert run(notifier, now, seconds, state, waiting) == []


def test_a_failure_is_told_whatever_waits(notifier: Notifier, now: list[float]) -> None:
    assert run(notifier, now, 1.0, "failed", 3) == ["A job failed: An owl"]


def test_not_while_the_window_is_in_front_or_it_is_not_wanted(
    notifier: Notifier, now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    notifier._preferences.notify = False
    assert run(notifier, now, 30.0) == []
    notifier._preferences.notify = True
    monkeypatch.setattr(QGuiApplication, "applicationState", lambda: Qt.ApplicationState.ApplicationActive)
    assert run(notifier, now, 30.0) == []
