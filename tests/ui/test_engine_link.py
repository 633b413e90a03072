from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot

from engine.jobs.job import Job
from engine.jobs.notices import (
    EngineStateChanged,
    JobEnded,
    JobProgressed,
    LibraryChanged,
    Notice,
    PreviewShown,
    QueueChanged,
)
from engine.jobs.variations import Axis
from engine.protocol.errors import BadRecipe, ErrorInfo, LibraryBusy
from engine.protocol.recipe import Recipe
from ui.engine_link import EngineLink

RECIPE = Recipe(family="sd35", model="mini", prompt="an owl")


class Service:
    """A job service whose words the test says."""

    def __init__(self, notify: Callable[[Notice], None]) -> None:
        self.notify = notify
        self.calls: list[tuple[object, ...]] = []
        self.stopped = threading.Event()
        self.closed = False
        self.ran_on: int | None = None

    def run(self) -> None:
        self.ran_on = threading.get_ident()
        self.stopped.wait(20)

    def stop(self) -> None:
        self.stopped.set()

    def close(self) -> None:
        self.closed = True

    def submit(self, recipe: Recipe, *rest: object) -> None:
        if not recipe.prompt:
            raise BadRecipe("The prompt is empty.", "Write one.", field="prompt")
        self.calls.append(("submit", recipe, *rest))

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments: self.calls.append((name, *arguments))


class Linked:
    def __init__(self, qtbot: QtBot) -> None:
        self.service: Service
        self.made = threading.Event()
        self.link = EngineLink(self._make)
        self.link.start()
        qtbot.waitUntil(self.made.is_set)

    def _make(self, notify: Callable[[Notice], None]) -> Service:
        self.service = Service(notify)
        self.made.set()
        return self.service


@pytest.fixture
def linked(qtbot: QtBot) -> Iterator[Linked]:
    linked = Linked(qtbot)
    yield linked
    linked.link.stop()
    assert linked.link.isFinished()


def preview(step: int, job: str = "a") -> PreviewShown:
    return PreviewShown(job, step, 8, 8, 1, b"jpeg")


def progress(step: int, job: str = "a") -> JobProgressed:
    return JobProgressed(job, "denoising", step, 10, step / 10)


def test_notices_arrive_in_order_on_the_windows_thread(qtbot: QtBot, linked: Linked) -> None:
    seen: list[tuple[str, int]] = []
    link = linked.link
    link.queue_changed.connect(lambda _: seen.append(("queue", threading.get_ident())))
    link.job_ended.connect(lambda _: seen.append(("ended", threading.get_ident())))
    link.library_changed.connect(lambda _: seen.append(("library", threading.get_ident())))
    link.engine_state_changed.connect(lambda _: seen.append(("engine", threading.get_ident())))
    job = Job("a", RECIPE, "folder", "done")

    def talk() -> None:
        for notice in (
            QueueChanged((job,)),
            EngineStateChanged("working"),
            LibraryChanged(added=(1,)),
            JobEnded(job, (1,)),
            QueueChanged(()),
        ):
            linked.service.notify(notice)

    thread = threading.Thread(target=talk)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: len(seen) >= 4)
    assert [name for name, _ in seen] == ["engine", "library", "ended", "queue"]  # the newest queue comes last
    assert {thread for _, thread in seen} == {threading.get_ident()}


def test_previews_are_coalesced_and_none_comes_after_its_end(qtbot: QtBot, linked: Linked) -> None:
    seen: list[object] = []
    linked.link.preview_shown.connect(lambda notice: seen.append(notice.step))
    linked.link.job_progressed.connect(lambda notice: seen.append(f"progress {notice.step}"))
    linked.link.job_ended.connect(lambda notice: seen.append("ended"))
    for step in range(1, 501):
        linked.service.notify(progress(step))
        linked.service.notify(preview(step))
    linked.service.notify(JobEnded(Job("a", RECIPE, "folder", "done")))
    qtbot.waitUntil(lambda: "ended" in seen)
    assert seen == ["progress 500", 500, "ended"]


def test_a_slow_listener_does_not_hold_the_window(qtbot: QtBot, linked: Linked) -> None:
    """Ended jobs are never dropped; a thousand of them are handed out in slices, with room for other events between."""
    seen: list[str] = []
    others: list[int] = []

    def listen(ended: JobEnded) -> None:
        time.sleep(0.001)
        seen.append(ended.job.id)
        if len(seen) == 1:
            from PySide6.QtCore import QTimer

            QTimer.singleShot(0, lambda: others.append(len(seen)))

    linked.link.job_ended.connect(listen)
    for number in range(200):
        linked.service.notify(JobEnded(Job(str(number), RECIPE, "folder", "done")))
    qtbot.waitUntil(lambda: len(seen) == 200, timeout=10_000)
    assert seen == [str(number) for number in range(200)]
    assert others and others[0] < 100


def test_commands_reach_the_service_in_order(qtbot: QtBot, linked: Linked) -> None:
    link = linked.link
    link.submit(RECIPE, "folder", 2, "out", "stem")
    link.move(["b"], 0)
    link.cancel("a")
    link.pause(["a"])
    link.resume(["a"])
    link.duplicate(["a"])
    link.remove(["a"])
    link.put_back([])
    link.edit("a", RECIPE, "folder")
    link.submit_variations(RECIPE, "folder", [Axis("steps", (1, 2))])
    link.pause_queue()
    link.resume_queue()
    link.clear_waiting()
    link.preload("folder")
    link.restart_engine()
    assert linked.service.calls == [
        ("submit", RECIPE, "folder", 2, "out", "stem", ()),
        ("move", ["b"], 0),
        ("cancel", "a"),
        ("pause", ["a"]),
        ("resume", ["a"]),
        ("duplicate", ["a"]),
        ("remove", ["a"]),
        ("put_back", []),
        ("edit", "a", RECIPE, "folder"),
        ("submit_variations", RECIPE, "folder", [Axis("steps", (1, 2))], "", "", ()),
        ("pause_queue",),
        ("resume_queue",),
        ("clear_waiting",),
        ("preload", "folder"),
        ("restart_engine",),
    ]


def test_what_was_asked_early_is_not_lost(qtbot: QtBot) -> None:
    release = threading.Event()
    services: list[Service] = []

    def make(notify: Callable[[Notice], None]) -> Service:
        release.wait(10)
        services.append(Service(notify))
        return services[0]

    link = EngineLink(make)
    link.start()
    link.submit(RECIPE, "folder")
    link.cancel("x")
    release.set()
    qtbot.waitUntil(lambda: bool(services) and len(services[0].calls) == 2)
    assert [call[0] for call in services[0].calls] == ["submit", "cancel"]
    link.stop()


def test_refusal_is_told_as_data(qtbot: QtBot, linked: Linked) -> None:
    with qtbot.waitSignal(linked.link.refused) as refused:
        linked.link.submit(RECIPE.replace(prompt=""), "folder")
    assert refused.args == [ErrorInfo("BadRecipe", "The prompt is empty.", "Write one.", "prompt")]


def test_a_service_that_cannot_open_says_why(qtbot: QtBot) -> None:
    def make(_notify: Callable[[Notice], None]) -> Service:
        raise LibraryBusy("Another Laterna is using it.", "Close it.")

    link = EngineLink(make)
    states: list[EngineStateChanged] = []
    link.engine_state_changed.connect(states.append)
    with qtbot.waitSignal(link.service_failed) as failed:
        link.start()
    assert failed.args[0].error.kind == "LibraryBusy"
    qtbot.waitUntil(lambda: bool(states))
    assert states[0].state == "stopped"
    link.stop()


def test_stopping_before_the_service_is_there(qtbot: QtBot) -> None:
    release = threading.Event()
    services: list[Service] = []

    def make(notify: Callable[[Notice], None]) -> Service:
        release.wait(10)
        services.append(Service(notify))
        return services[0]

    link = EngineLink(make)
    link.start()
    threading.Timer(0.05, release.set).start()
    link.stop()
    assert services[0].closed and services[0].ran_on is None
    link.stop()
