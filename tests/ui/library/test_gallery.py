from __future__ import annotations

from array import array

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from engine.jobs.job import Job
from engine.jobs.notices import JobEnded, JobProgressed, LibraryChanged, PreviewShown, QueueChanged
from engine.protocol.errors import LibraryBusy
from engine.protocol.recipe import Recipe
from tests.fakes.fake_library import FakeLibrary, FakeThumbnails, make_item
from tests.fakes.pictures import jpeg
from ui.library.empty import EmptyState
from ui.library.gallery import GalleryPanel
from ui.library.model import RUNNING

RECIPE = Recipe(family="sd35", model="mini", prompt="A red boat, at dawn")


def rows(gallery: GalleryPanel) -> list[int]:
    return list(gallery.grid.model().ids)


def running_job(gallery: GalleryPanel, job: str = "job") -> None:
    gallery.queue_changed(QueueChanged((Job(job, RECIPE, "folder", "running"),)))
    gallery.job_progressed(JobProgressed(job, "denoising", 19, 30, 0.62))


def test_search_as_one_types_asks_once_and_keeps_the_selection(
    qtbot: QtBot, gallery: GalleryPanel, library: FakeLibrary
) -> None:
    gallery.select(31)
    before = len(library.queries)
    QTest.keyClicks(gallery.search, "Prompt 3")
    qtbot.waitUntil(lambda: rows(gallery) == [39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 3])
    assert len(library.queries) == before + 1
    assert gallery.current_item().id == 31  # type: ignore[union-attr]
    assert gallery.selected_ids() == [31]
    gallery.search.clear()
    qtbot.waitUntil(lambda: len(rows(gallery)) == 40)
    assert gallery.selected_ids() == [31]


def test_a_search_that_drops_the_current_item_chooses_no_other(qtbot: QtBot, gallery: GalleryPanel) -> None:
    gallery.select(12)
    told: list[object] = []
    gallery.item_selected.connect(told.append)
    gallery.search.setText("Prompt 3")
    qtbot.waitUntil(lambda: len(rows(gallery)) == 11)
    assert gallery.selected_ids() == []
    assert told == []


def test_only_the_latest_question_is_answered(qtbot: QtBot, gallery: GalleryPanel, library: FakeLibrary) -> None:
    library.gate.clear()
    gallery.search.setText("Prompt 1")
    gallery._ask()
    gallery.search.setText("Prompt 22")
    gallery._ask()
    library.gate.set()
    qtbot.waitUntil(lambda: rows(gallery) == [22])
    qtbot.waitUntil(lambda: not gallery._runner.busy)
    assert rows(gallery) == [22]


def test_filters(qtbot: QtBot, gallery: GalleryPanel, library: FakeLibrary) -> None:
    library.special = {
        7: make_item(7, kind="video", frames=48, fps=8.0),
        9: make_item(9, favourite=True),
    }
    expected = {1: [n for n in range(40, 0, -1) if n != 7], 2: [7], 3: [9], 0: list(range(40, 0, -1))}
    for index, ids in expected.items():
        gallery.filter.setCurrentIndex(index)
        qtbot.waitUntil(lambda ids=ids: rows(gallery) == ids)


def test_the_empty_state_says_what_to_do(qtbot: QtBot, gallery: GalleryPanel, library: FakeLibrary) -> None:
    gallery.search.setText("nothing like this")
    empty = gallery.findChild(EmptyState)
    qtbot.waitUntil(empty.isVisible)
    assert "nothing like this" in empty._title.text()
    qtbot.mouseClick(empty._clear, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(gallery.grid.isVisible)
    library.order = array("q")
    gallery.library_changed(LibraryChanged(everything=True))
    qtbot.waitUntil(empty.isVisible)
    assert "Generate" in empty._hint.text()
    assert empty._clear.isHidden()


def test_the_running_tile_comes_first_with_title_percent_and_preview(gallery: GalleryPanel) -> None:
    running_job(gallery)
    gallery.preview_shown(PreviewShown("job", 19, 30, 20, 3, jpeg("red", "lime", "blue", width=30)))
    tile = gallery.grid.model().index(0).data(RUNNING)
    assert tile.title == "A red boat"
    assert tile.fraction == 0.62
    middle = tile.preview.pixelColor(15, 10)
    assert middle.green() > 200 and middle.red() < 60
    gallery.preview_shown(PreviewShown("job", 20, 30, 20, 1, b"no jpeg"))
    assert tile.preview.pixelColor(15, 10) == middle
    picture = gallery.grid.grab().toImage()
    cell = gallery.grid.tile_rect(0)
    bar_y = cell.top() + gallery.grid.grid.tile_height - 3
    accent = QColor(gallery._theme.tokens.accent)
    assert picture.pixelColor(cell.left() + 20, bar_y) == accent
    assert picture.pixelColor(cell.right() - 10, bar_y) != accent


def test_the_result_takes_the_running_tiles_place_and_is_chosen(
    qtbot: QtBot, gallery: GalleryPanel, library: FakeLibrary
) -> None:
    running_job(gallery)
    gallery.select_running()
    told: list[object] = []
    gallery.item_selected.connect(told.append)
    library.order = array("q", [41, *library.order])
    gallery.select(41)
    gallery.job_ended(JobEnded(Job("job", RECIPE, "folder", "done"), (41,)))
    assert gallery.grid.model().running is not None  # nothing jumps until the result is there
    gallery.library_changed(LibraryChanged(added=(41,)))
    qtbot.waitUntil(lambda: gallery.grid.model().running is None)
    assert rows(gallery)[0] == 41
    assert [item.id for item in told] == [41]  # type: ignore[attr-defined]
    assert gallery.selected_ids() == [41]


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_job_without_result_leaves_no_tile(gallery: GalleryPanel, state: str) -> None:
    running_job(gallery)
    gallery.job_ended(JobEnded(Job("job", RECIPE, "folder", state)))  # type: ignore[arg-type]
    assert gallery.grid.model().running is None
    assert len(rows(gallery)) == 40


def test_choosing_the_running_tile_is_told_apart(qtbot: QtBot, gallery: GalleryPanel) -> None:
    running_job(gallery)
    with qtbot.waitSignal(gallery.running_selected) as told:
        gallery.select_running()
    assert told.args == ["job"]
    assert gallery.selected_items() == []
    assert gallery.current_item() is None
    with qtbot.waitSignal(gallery.item_selected):
        gallery.step(1)
    assert gallery.current_item().id == 40  # type: ignore[union-attr]


def test_a_deleted_item_gives_way_to_its_neighbour(qtbot: QtBot, gallery: GalleryPanel, library: FakeLibrary) -> None:
    gallery.select(20)
    library.order = array("q", [n for n in library.order if n != 20])
    with qtbot.waitSignal(gallery.item_selected) as told:
        gallery.library_changed(LibraryChanged(removed=(20,)))
    assert told.args[0].id in (19, 21)
    assert gallery.selected_ids() == [told.args[0].id]


def test_a_changed_current_item_is_told_again(qtbot: QtBot, gallery: GalleryPanel, library: FakeLibrary) -> None:
    gallery.select(20)
    library.special[20] = make_item(20, favourite=True)
    with qtbot.waitSignal(gallery.item_selected) as told:
        gallery.library_changed(LibraryChanged(changed=(20,)))
    assert told.args[0].favourite


def test_delete_asks_for_all_that_is_chosen_in_order(qtbot: QtBot, gallery: GalleryPanel) -> None:
    gallery.select(38)
    gallery.grid.setFocus()
    QTest.keyClick(gallery.grid, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    with qtbot.waitSignal(gallery.delete_requested) as told:
        QTest.keyClick(gallery.grid, Qt.Key.Key_Delete)
    assert told.args[0] == [38, 37, 36]
    assert [item.id for item in gallery.selected_items()] == [38, 37, 36]


def test_enter_activates(qtbot: QtBot, gallery: GalleryPanel) -> None:
    gallery.select(5)
    with qtbot.waitSignal(gallery.item_activated) as told:
        QTest.keyClick(gallery.grid, Qt.Key.Key_Return)
    assert told.args[0].id == 5


def test_keyboard_goes_between_search_and_grid(qtbot: QtBot, gallery: GalleryPanel) -> None:
    gallery.activateWindow()
    gallery.focus_search()
    qtbot.waitUntil(gallery.search.hasFocus)
    QTest.keyClick(gallery.search, Qt.Key.Key_Down)
    assert gallery.grid.hasFocus()
    assert gallery.current_item().id == 40  # type: ignore[union-attr]
    gallery.focus_search()
    QTest.keyClicks(gallery.search, "abc")
    QTest.keyClick(gallery.search, Qt.Key.Key_Escape)
    assert gallery.search.text() == ""


def test_the_context_menu_has_what_was_handed_in(qtbot: QtBot, gallery: GalleryPanel, library: FakeLibrary) -> None:
    action = QAction("Do something", gallery)
    gallery.set_actions([action])
    gallery.select(40)
    gallery._show_menu(gallery.grid.tile_rect(0).center())
    menu = gallery.findChild(QMenu)
    assert menu.actions()[0] is action
    with qtbot.waitSignal(gallery.recipe_requested) as told:
        next(entry for entry in menu.actions() if "recipe" in entry.text()).trigger()
    assert told.args[0].id == 40
    menu.close()
    gallery._show_menu(QPoint(2, 2))


def test_a_mark_leaves_the_picture_where_it_is(qtbot: QtBot, gallery: GalleryPanel, thumbnails: FakeThumbnails) -> None:
    qtbot.waitUntil(lambda: gallery._loader.pixmap(40) is not None)
    for change in (LibraryChanged(changed=(40,)), LibraryChanged(everything=True)):
        before = thumbnails.asked.count(40)
        with qtbot.waitSignal(gallery._loader.loaded, check_params_cb=lambda item_id: item_id == 40):
            gallery.library_changed(change)
            assert gallery._loader.pixmap(40) is not None
        assert thumbnails.asked.count(40) == before + 1


def test_only_visible_thumbnails_are_made_and_the_rest_dropped(
    qtbot: QtBot, gallery: GalleryPanel, thumbnails: FakeThumbnails
) -> None:
    gallery.grid.grab()
    visible = {gallery.grid.model().id_at(row) for row in gallery.grid.visible_rows()}
    qtbot.waitUntil(lambda: set(thumbnails.asked) == visible)
    assert len(visible) < 20


def test_a_failing_library_says_so(qtbot: QtBot, gallery: GalleryPanel, library: FakeLibrary) -> None:
    def busy(*_args: object) -> array[int]:
        raise LibraryBusy("The library is busy.", "Try again.")

    library.ids = busy  # type: ignore[method-assign]
    with qtbot.waitSignal(gallery.message) as told:
        gallery.library_changed(LibraryChanged(added=(50,)))
    assert told.args == ["The library is busy. Try again."]
    assert len(rows(gallery)) == 40


def test_names_for_a_screen_reader(gallery: GalleryPanel, library: FakeLibrary) -> None:
    for widget in (gallery, gallery.search, gallery.filter, gallery.grid):
        assert widget.accessibleName()
    library.special[33] = msgspec.structs.replace(
        make_item(33), kind="video", frames=48, fps=8.0, favourite=True, missing=True
    )
    gallery.library_changed(LibraryChanged(changed=(33,)))
    gallery.select(33)
    name = gallery.grid.accessibleName()
    for part in ("Prompt 33", "clip", "0:06", "favourite", "missing"):
        assert part in name
    gallery.grid.grab()


def test_right_to_left(gallery: GalleryPanel) -> None:
    gallery.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    running_job(gallery)
    gallery.grid.updateGeometries()
    gallery.grid.grab()
    assert gallery.grid.tile_rect(0).x() > gallery.grid.tile_rect(1).x()
