from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from engine.jobs.job import Job
from engine.jobs.notices import JobEnded, JobProgressed, PreviewShown, QueueChanged
from engine.protocol.recipe import Recipe
from tests.fakes.pictures import jpeg
from ui.queue.queue_model import QueueModel, details
from ui.queue.queue_panel import QueuePanel
from ui.theme import Theme

NOWHERE = QModelIndex()


def job(name: str, state: str = "waiting", **recipe: object) -> Job:
    values = {"family": "sd35", "model": "mini", "prompt": f"Boat {name}, at dawn", "width": 512, "height": 256}
    return Job(name, Recipe(**(values | recipe)), "folder", state)  # type: ignore[arg-type]


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


def choose(panel: QueuePanel, row: int) -> None:
    panel.list.setCurrentIndex(panel.model.index(row))


def test_model_keeps_qts_rules(qtmodeltester: ModelTester) -> None:
    model = QueueModel()
    qtmodeltester.check(model)
    model.set_jobs([job(name) for name in "abcdef"])
    model.set_jobs([job(name) for name in "bcefgh"])
    model.moveRows(NOWHERE, 1, 2, NOWHERE, 5)
    model.set_jobs([job(name) for name in "hb"])
    model.set_jobs([])


@pytest.mark.parametrize(
    ("row", "before", "expected", "place"),
    [(0, 3, "bcad", 2), (3, 0, "dabc", 0), (1, 4, "acdb", 3), (2, 1, "acbd", 1)],
)
def test_moving_a_row_tells_its_new_place(row: int, before: int, expected: str, place: int, qapp: object) -> None:
    model = QueueModel()
    model.set_jobs([job(name) for name in "abcd"])
    told: list[tuple[str, int]] = []
    model.moved.connect(lambda name, where: told.append((name, where)))
    assert model.moveRows(NOWHERE, row, 1, NOWHERE, before)
    assert "".join(entry.id for entry in model.jobs) == expected
    assert told == [("abcd"[row], place)]


@pytest.mark.parametrize(("row", "count", "before"), [(0, 1, 0), (0, 1, 1), (3, 2, 0), (-1, 1, 2), (0, 1, 9)])
def test_moves_that_are_none_are_refused(row: int, count: int, before: int, qapp: object) -> None:
    model = QueueModel()
    model.set_jobs([job(name) for name in "abcd"])
    assert not model.moveRows(NOWHERE, row, count, NOWHERE, before)
    assert [entry.id for entry in model.jobs] == list("abcd")


def test_shows_what_runs_and_what_waits(panel: QueuePanel) -> None:
    assert panel.running.title.text_whole() == "Boat run"
    assert order(panel) == ["a", "b", "c", "d"]
    assert panel.count.text() == "4 waiting"
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


def test_alt_and_arrows_reorder_and_the_row_stays_chosen(qtbot: QtBot, panel: QueuePanel) -> None:
    choose(panel, 2)
    with qtbot.waitSignal(panel.move_requested) as told:
        QTest.keyClick(panel.list, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert told.args == ["c", 1]
    assert order(panel) == ["a", "c", "b", "d"]
    assert panel.list.currentIndex().row() == 1
    with qtbot.waitSignal(panel.move_requested) as told:
        QTest.keyClick(panel.list, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert told.args == ["c", 2]
    choose(panel, 0)
    QTest.keyClick(panel.list, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert order(panel) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("row", "target", "below", "expected"),
    [(3, 1, False, "adbc"), (3, 1, True, "abdc"), (0, 2, True, "bcad"), (0, -1, False, "bcda"), (2, 2, False, "abcd")],
)
def test_a_row_is_dropped_above_or_below_another(
    panel: QueuePanel, row: int, target: int, below: bool, expected: str
) -> None:
    choose(panel, row)
    told: list[tuple[str, int]] = []
    panel.move_requested.connect(lambda name, place: told.append((name, place)))
    rect = panel.list.visualRect(panel.model.index(target)) if target >= 0 else None
    edge = panel.list.visualRect(panel.model.index(3)).bottom() + 5
    y = edge if rect is None else rect.bottom() - 2 if below else rect.top() + 2
    panel.list.drop_at(QPoint(60, y))
    assert order(panel) == list(expected)
    name = "abcd"[row]
    assert told == ([] if expected == "abcd" else [(name, expected.index(name))])


def test_delete_cancels_the_chosen_job_and_the_button_the_running_one(qtbot: QtBot, panel: QueuePanel) -> None:
    choose(panel, 1)
    with qtbot.waitSignal(panel.cancel_requested) as told:
        QTest.keyClick(panel.list, Qt.Key.Key_Delete)
    assert told.args == ["b"]
    with qtbot.waitSignal(panel.cancel_requested) as told:
        panel.running.cancel.click()
    assert told.args == ["run"]


def test_the_cross_of_a_row_cancels_it(qtbot: QtBot, panel: QueuePanel) -> None:
    rect = panel.list.visualRect(panel.model.index(2))
    point = QPoint(rect.right() - 20, rect.center().y())
    with qtbot.waitSignal(panel.cancel_requested) as told:
        QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, point)
    assert told.args == ["c"]


def test_clear(qtbot: QtBot, panel: QueuePanel) -> None:
    with qtbot.waitSignal(panel.clear_requested):
        qtbot.mouseClick(panel.clear, Qt.MouseButton.LeftButton)
    panel.queue_changed(QueueChanged(()))
    assert not panel.clear.isEnabled()
    assert panel.empty.isVisible()
    assert not panel.running.isVisible()


def test_a_job_that_ended_leaves(panel: QueuePanel) -> None:
    panel.job_ended(JobEnded(job("b", "cancelled")))
    assert order(panel) == ["a", "c", "d"]
    panel.job_ended(JobEnded(job("run", "done"), (1,)))
    assert not panel.running.isVisible()
    panel.queue_changed(QueueChanged((job("a", "running"), job("c"), job("d"))))
    assert panel.running.title.text_whole() == "Boat a"
    assert panel.running.stage.text_whole() == "Starting"


def test_the_chosen_row_survives_a_job_leaving_the_front(panel: QueuePanel) -> None:
    choose(panel, 2)
    panel.queue_changed(QueueChanged((job("a", "running"), job("b"), job("c"), job("d"), job("e"))))
    assert order(panel) == ["b", "c", "d", "e"]
    assert panel.model.job(panel.list.currentIndex().row()).id == "c"  # type: ignore[union-attr]


def test_names_for_a_screen_reader(panel: QueuePanel) -> None:
    for control in (panel, panel.list, panel.clear, panel.running.cancel, panel.running.bar):
        assert control.accessibleName()
