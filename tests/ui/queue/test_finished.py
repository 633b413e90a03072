from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDrag
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.jobs.job import Job
from engine.jobs.notices import JobEnded, LibraryChanged
from engine.protocol.errors import BadFile
from engine.protocol.recipe import Recipe
from tests.fakes.fake_library import FakeLibrary, FakeThumbnails, make_item
from ui.queue.finished import MOST, FinishedStrip
from ui.theme import Theme

JOB = Job("job", Recipe(family="sd35", model="mini", prompt="A boat"), "folder", "done")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    made = [tmp_path / f"{n}.png" for n in range(1, 4)]
    for path in made:
        path.write_bytes(b"a picture")
    return made


@pytest.fixture
def strip(qtbot: QtBot, theme: Theme, files: list[Path]) -> Iterator[FinishedStrip]:
    library = FakeLibrary(40)
    library.special = {n: make_item(n, path=path) for n, path in enumerate(files, 1)}
    made = FinishedStrip(theme=theme)
    qtbot.addWidget(made)
    made.resize(300, 60)
    made.attach(library, FakeThumbnails())
    yield made
    made.close_down()


def ids(strip: FinishedStrip) -> list[int]:
    return [item.id for item in strip.items()]


def finish(qtbot: QtBot, strip: FinishedStrip, *item_ids: int) -> None:
    strip.job_ended(JobEnded(JOB, item_ids))
    qtbot.waitUntil(lambda: set(item_ids) <= set(ids(strip)))


def test_the_newest_comes_first_and_the_oldest_goes(qtbot: QtBot, strip: FinishedStrip) -> None:
    strip.job_ended(JobEnded(JOB))
    assert strip.isHidden()
    finish(qtbot, strip, 1)
    finish(qtbot, strip, 2, 3)
    assert ids(strip) == [3, 2, 1] and not strip.isHidden()
    finish(qtbot, strip, *range(4, 4 + MOST))
    assert ids(strip) == list(range(3 + MOST, 3, -1))


def test_several_are_dragged_out_as_files(
    qtbot: QtBot, strip: FinishedStrip, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, ...]] = []

    def run(self: QDrag, *actions: Qt.DropAction) -> Qt.DropAction:
        asked.append((*actions, [Path(url.toLocalFile()) for url in self.mimeData().urls()]))
        return Qt.DropAction.CopyAction

    monkeypatch.setattr(QDrag, "exec", run)
    finish(qtbot, strip, 1, 2, 3)
    strip.item(2).setSelected(True)
    strip.item(0).setSelected(True)
    copy = Qt.DropAction.CopyAction
    strip.startDrag(copy)
    assert asked == [(copy, copy, [files[2], files[0]])]
    strip.clearSelection()
    strip.item(2).setSelected(True)
    files[0].unlink()
    with qtbot.waitSignal(strip.message) as told:
        strip.startDrag(copy)
    assert "1.png" in told.args[0] and len(asked) == 1


def test_one_is_looked_at_by_click_and_by_key(qtbot: QtBot, strip: FinishedStrip) -> None:
    finish(qtbot, strip, 1, 2)
    with qtbot.waitSignal(strip.item_wanted) as told:
        qtbot.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, pos=strip.visualItemRect(strip.item(1)).center())
    assert told.args == [1]
    strip.setCurrentRow(0)
    with qtbot.waitSignal(strip.item_wanted) as told:
        QTest.keyClick(strip, Qt.Key.Key_Return)
    assert told.args == [2]


def test_what_is_deleted_goes(qtbot: QtBot, strip: FinishedStrip) -> None:
    finish(qtbot, strip, 1, 2)
    strip.library_changed(LibraryChanged(removed=(1,)))
    assert ids(strip) == [2]
    strip.library_changed(LibraryChanged(removed=(2,)))
    assert strip.isHidden()


def test_without_a_thumbnail(qtbot: QtBot, strip: FinishedStrip, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: object, _item: object, _side: int) -> bytes:
        raise BadFile("It is damaged.")

    monkeypatch.setattr(FakeThumbnails, "get", fail)
    finish(qtbot, strip, 1)
    assert not strip.item(0).icon().isNull()
