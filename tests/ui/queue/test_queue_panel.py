from __future__ import annotations

import time

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from engine.jobs.job import Job
from engine.jobs.notices import JobEnded, JobProgressed, MemoryShown, PreviewShown, QueueChanged
from engine.protocol.events import MemoryChanged
from engine.protocol.recipe import Recipe
from tests.fakes.pictures import jpeg
from ui.queue.queue_model import QueueModel
from ui.queue.queue_panel import QueuePanel
from ui.queue.queue_rows import details
from ui.theme import Theme


def job(name: str, state: str = "waiting", **recipe: object) -> Job:
    values = {"family": "sd35", "model": "mini", "prompt": f"Boat {name}, at dawn", "width": 512, "height": 256}
    return Job(name, Recipe(**(values | recipe)), "folder", state)  # type: ignore[arg-type]


def grouped(group: str, name: str) -> Job:
    return msgspec.structs.replace(job(name), group=group, label=f"guidance {name}")


@pytest.fixture
def panel(qtbot: QtBot, theme: Theme) -> QueuePanel:
    made = QueuePanel(theme=theme)
    qtbot.addWidget(made)
    made.resize(341, 400)
    made.show()
    made.queue_changed(QueueChanged((job("run", "running"), job("a"), job("b"), job("c"), job("d"))))
    return made


def order(panel: QueuePanel) -> list[str]:
    return [entry.id for entry in panel.model.jobs]


def choose(panel: QueuePanel, *rows: int) -> None:
    panel.list.setCurrentIndex(panel.model.index(rows[0]))
    selection = panel.list.selectionModel()
    for row in rows[1:]:
        selection.select(panel.model.index(row), selection.SelectionFlag.Select)


def press(panel: QueuePanel, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(panel.list, key, modifiers)


def test_model_keeps_qts_rules(qtmodeltester: ModelTester) -> None:
    model = QueueModel()
    qtmodeltester.check(model)
    model.set_jobs([job(name) for name in "abcdef"])
    model.set_jobs([job(name) for name in "bcefgh"], [job("z", "cancelled")])
    model.move(["c", "e"], 5)
    model.set_jobs([grouped("g", name) for name in "abcd"] + [job("e")])
    model.toggle(0)
    model.move(["e"], 0)
    model.set_jobs([job(name) for name in "hb"])
    model.set_jobs([])


@pytest.mark.parametrize(
    ("ids", "before", "expected", "place"),
    [("a", 3, "bcad", 2), ("d", 0, "dabc", 0), ("b", 4, "acdb", 3), ("c", 1, "acbd", 1), ("ac", 4, "bdac", 2)],
)
def test_moving_tells_the_new_place(ids: str, before: int, expected: str, place: int, qapp: object) -> None:
    model = QueueModel()
    model.set_jobs([job(name) for name in "abcd"])
    told: list[tuple[list[str], int]] = []
    model.moved.connect(lambda names, where: told.append((names, where)))
    model.move(list(ids), before)
    assert "".join(entry.id for entry in model.jobs) == expected
    assert told == [(list(ids), place)]


@pytest.mark.parametrize(("ids", "before"), [("a", 0), ("a", 1), ("x", 2), ("", 1), ("abcd", 2), ("cd", 99)])
def test_moves_that_are_none_are_not_told(ids: str, before: int, qapp: object) -> None:
    model = QueueModel()
    model.set_jobs([job(name) for name in "abcd"])
    told: list[object] = []
    model.moved.connect(lambda *what: told.append(what))
    model.move(list(ids), before)
    assert not told and [entry.id for entry in model.jobs] == list("abcd")


def test_shows_what_runs_and_what_waits(panel: QueuePanel) -> None:
    assert panel.running.title.text_whole() == "Boat run"
    assert order(panel) == ["a", "b", "c", "d"]
    assert panel.count.text_whole() == "4 waiting"
    index = panel.model.index(1)
    assert index.data() == "Boat b"
    assert "2 of 4" in index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert details(job("x", frames=49, fps=8, batch=2)) == "mini  ·  512 × 256  ·  6.1 s  ·  × 2"
    panel.grab()


def test_progress_and_preview_of_the_running_job(panel: QueuePanel) -> None:
    panel.job_progressed(JobProgressed("run", "denoising", 19, 30, 0.62, 78.0))
    assert panel.running.stage.text_whole() == "Step 19 of 30  ·  1 min 18 s left"
    assert panel.running.bar.value() == 620
    panel.job_progressed(JobProgressed("other", "saving", 0, 0, 0.9))
    assert panel.running.bar.value() == 620
    panel.job_progressed(JobProgressed("run", "decoding", 30, 30, 0.9))
    assert panel.running.stage.text_whole() == "Decoding"
    panel.preview_shown(PreviewShown("run", 3, 60, 40, 1, jpeg("lime", width=60, height=40)))
    assert panel.running.thumb.grab().toImage().pixelColor(30, 20).green() > 200


def test_alt_and_keys_reorder_and_the_row_stays_chosen(qtbot: QtBot, panel: QueuePanel) -> None:
    alt = Qt.KeyboardModifier.AltModifier
    choose(panel, 2)
    for key, expected, place in (
        (Qt.Key.Key_Up, "acbd", 1),
        (Qt.Key.Key_Down, "abcd", 2),
        (Qt.Key.Key_Home, "cabd", 0),
        (Qt.Key.Key_End, "abdc", 3),
    ):
        with qtbot.waitSignal(panel.move_requested) as told:
            press(panel, key, alt)
        assert told.args == [["c"], place]
        assert "".join(order(panel)) == expected
        assert [row.key for row in panel.list.chosen_rows()] == ["c"]
    choose(panel, 0)
    press(panel, Qt.Key.Key_Up, alt)
    assert order(panel) == ["a", "b", "d", "c"]


@pytest.mark.parametrize(
    ("row", "target", "below", "expected"),
    [(3, 1, False, "adbc"), (3, 1, True, "abdc"), (0, 2, True, "bcad"), (0, -1, False, "bcda"), (2, 2, False, "abcd")],
)
def test_a_row_is_dropped_above_or_below_another(
    panel: QueuePanel, row: int, target: int, below: bool, expected: str
) -> None:
    choose(panel, row)
    told: list[tuple[list[str], int]] = []
    panel.move_requested.connect(lambda names, place: told.append((names, place)))
    rect = panel.list.visualRect(panel.model.index(target)) if target >= 0 else None
    edge = panel.list.visualRect(panel.model.index(3)).bottom() + 5
    y = edge if rect is None else rect.bottom() - 2 if below else rect.top() + 2
    panel.list.drop_at(QPoint(60, y))
    assert order(panel) == list(expected)
    name = "abcd"[row]
    assert told == ([] if expected == "abcd" else [([name], expected.index(name))])


def test_keys_pause_edit_duplicate_and_remove_what_is_chosen(qtbot: QtBot, panel: QueuePanel) -> None:
    choose(panel, 1, 2)
    for key, signal in (
        (Qt.Key.Key_P, panel.pause_requested),
        (Qt.Key.Key_D, panel.duplicate_requested),
        (Qt.Key.Key_Delete, panel.remove_requested),
    ):
        with qtbot.waitSignal(signal) as told:
            press(panel, key)
        assert told.args == [["b", "c"]]
    edited: list[Job] = []
    panel.edit_requested.connect(edited.append)
    press(panel, Qt.Key.Key_E)
    assert not edited, "one at a time"
    choose(panel, 1)
    press(panel, Qt.Key.Key_E)
    assert [entry.id for entry in edited] == ["b"]


def test_p_goes_on_with_what_is_paused(qtbot: QtBot, panel: QueuePanel) -> None:
    panel.queue_changed(QueueChanged((job("a", "paused"), job("b"))))
    choose(panel, 0)
    with qtbot.waitSignal(panel.resume_requested) as told:
        press(panel, Qt.Key.Key_P)
    assert told.args == [["a"]]
    choose(panel, 0, 1)
    with qtbot.waitSignal(panel.pause_requested) as told:
        press(panel, Qt.Key.Key_P)
    assert told.args == [["b"]]


def test_the_running_jobs_buttons(qtbot: QtBot, panel: QueuePanel) -> None:
    with qtbot.waitSignal(panel.cancel_requested) as cancelled:
        panel.running.cancel.click()
    assert cancelled.args == ["run"]
    with qtbot.waitSignal(panel.pause_requested) as paused:
        panel.running.pause.click()
    assert paused.args == [["run"]]
    assert [action.text() for action in panel.running.actions()] == ["Pause", "Cancel"]
    panel.memory_shown(MemoryShown(MemoryChanged(3_200_000_000, 1, 1)))
    assert panel.running.memory.text() == "3.2 GB"


def click(panel: QueuePanel, row: int, from_end: int) -> None:
    rect = panel.list.visualRect(panel.model.index(row))
    point = QPoint(rect.right() - from_end, rect.center().y())
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, point)


def test_the_cross_of_a_row_takes_it_out(qtbot: QtBot, panel: QueuePanel) -> None:
    with qtbot.waitSignal(panel.remove_requested) as told:
        click(panel, 2, 20)
    assert told.args == [["c"]]


def test_a_stopped_job_is_shown_behind_and_goes_on_by_a_click(qtbot: QtBot, panel: QueuePanel) -> None:
    stopped = msgspec.structs.replace(job("s", "cancelled"), saved_step=12, saved_steps=30)
    panel.queue_changed(QueueChanged((job("a"),), False, (stopped,)))
    index = panel.model.index(1)
    assert "Cancelled at step 12 of 30" in index.data(Qt.ItemDataRole.AccessibleTextRole)
    with qtbot.waitSignal(panel.resume_requested) as told:
        click(panel, 1, 48)
    assert told.args == [["s"]]
    choose(panel, 1)
    press(panel, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert order(panel) == ["a"], "it is not in the line"
    assert "Go on" in [action.text() for action in panel.make_menu().actions()]


def test_jobs_asked_for_at_once_are_one_row_that_opens(qtbot: QtBot, panel: QueuePanel) -> None:
    line = (job("a"), *(grouped("g", name) for name in "bcd"), job("e"))
    panel.queue_changed(QueueChanged(line))
    assert panel.model.rowCount() == 3
    choose(panel, 1)
    assert "3 variations" in panel.model.index(1).data(Qt.ItemDataRole.AccessibleTextRole)
    with qtbot.waitSignal(panel.remove_requested) as told:
        press(panel, Qt.Key.Key_Delete)
    assert told.args == [["b", "c", "d"]]
    press(panel, Qt.Key.Key_Right)
    assert panel.model.rowCount() == 6
    assert "guidance c" in panel.model.index(3).data(Qt.ItemDataRole.AccessibleTextRole)
    with qtbot.waitSignal(panel.move_requested) as told:
        press(panel, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert told.args == [["b", "c", "d"], 2]
    assert order(panel) == ["a", "e", "b", "c", "d"]
    press(panel, Qt.Key.Key_Left)
    assert panel.model.rowCount() == 3
    panel.queue_changed(QueueChanged(tuple(line[2:])))
    assert panel.model.rowCount() == 2
    panel.grab()


def test_the_queue_is_paused_and_goes_on(qtbot: QtBot, panel: QueuePanel) -> None:
    with qtbot.waitSignal(panel.queue_paused) as told:
        panel.pause.click()
    assert told.args == [True]
    panel.queue_changed(QueueChanged((job("a"),), paused=True))
    assert panel.count.text_whole().startswith("paused")
    assert panel.pause.accessibleName() == "Go on with the queue"
    with qtbot.waitSignal(panel.queue_paused) as told:
        panel.pause.click()
    assert told.args == [False]


def test_the_time_that_the_whole_queue_takes(panel: QueuePanel) -> None:
    assert "left" not in panel.count.text_whole()
    panel.set_estimate(lambda recipe: 60.0)
    assert panel.count.text_whole() == "≈ 5 min left · 4 waiting"
    panel.job_progressed(JobProgressed("run", "denoising", 19, 30, 0.62, 30.0))
    assert panel.count.text_whole() == "≈ 4 min left · 4 waiting"


def test_the_time_is_not_cut_in_a_narrow_panel(panel: QueuePanel, qtbot: QtBot) -> None:
    panel.resize(300, 500)
    panel.set_estimate(lambda recipe: 31.0)
    qtbot.waitUntil(lambda: panel.width() == 300)
    assert panel.count.text().startswith("≈ 3 min left")


def test_a_queue_that_is_paused_tells_no_time(panel: QueuePanel) -> None:
    panel.set_estimate(lambda recipe: 31.0)
    panel.queue_changed(QueueChanged((job("a"),), paused=True))
    assert panel.count.text_whole() == "paused · 1 waiting"


def test_jobs_that_a_checkpoint_holds_half_of_count_half(panel: QueuePanel) -> None:
    saved = msgspec.structs.replace(job("a"), saved_step=15, saved_steps=30)
    panel.queue_changed(QueueChanged((saved, job("b"))))
    panel.set_estimate(lambda recipe: 120.0)
    assert panel.count.text_whole() == "≈ 3 min left · 2 waiting"
    running = msgspec.structs.replace(saved, id="run", state="running")
    panel.queue_changed(QueueChanged((running, job("b"))))
    assert panel.count.text_whole() == "≈ 3 min left · 1 waiting"


def test_ten_thousand_jobs_slow_nothing(panel: QueuePanel) -> None:
    """What the window does when a job of a very long queue ends and the next begins."""
    line = tuple(job(str(number)) for number in range(10_000))
    panel.queue_changed(QueueChanged(line))
    times = []
    for number in range(5):
        running = msgspec.structs.replace(line[number], state="running")
        change = QueueChanged((running, *line[number + 1 :]))
        began = time.perf_counter()
        panel.queue_changed(change)
        times.append(time.perf_counter() - began)
    assert panel.model.rowCount() == 9995
    assert min(times) < 0.15


def test_clear(qtbot: QtBot, panel: QueuePanel) -> None:
    with qtbot.waitSignal(panel.clear_requested):
        qtbot.mouseClick(panel.clear, Qt.MouseButton.LeftButton)
    panel.queue_changed(QueueChanged(()))
    assert not panel.clear.isEnabled()
    assert panel.empty.isVisible()
    assert not panel.running.isVisible()


def test_a_job_that_ended_leaves(panel: QueuePanel) -> None:
    panel.job_ended(JobEnded(job("run", "done"), (1,)))
    assert not panel.running.isVisible()
    panel.queue_changed(QueueChanged((job("a", "running"), job("c"), job("d"))))
    assert panel.running.title.text_whole() == "Boat a"
    assert panel.running.stage.text_whole() == "Starting"


def test_the_chosen_row_survives_a_job_leaving_the_front(panel: QueuePanel) -> None:
    choose(panel, 2)
    panel.queue_changed(QueueChanged((job("a", "running"), job("b"), job("c"), job("d"), job("e"))))
    assert order(panel) == ["b", "c", "d", "e"]
    assert [row.key for row in panel.list.chosen_rows()] == ["c"]


def test_names_for_a_screen_reader(panel: QueuePanel) -> None:
    for control in (
        panel,
        panel.list,
        panel.clear,
        panel.pause,
        panel.running.pause,
        panel.running.cancel,
        panel.running.bar,
    ):
        assert control.accessibleName()
