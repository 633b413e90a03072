from __future__ import annotations

import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.fakes.fake_library import FakeLibrary
from ui.library.geometry import GridGeometry
from ui.library.grid import GridView
from ui.library.model import PAGE, LibraryModel
from ui.theme import Theme

MANY = 100_000
Key = Qt.Key


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary(MANY)


@pytest.fixture
def grid(qtbot: QtBot, theme: Theme, library: FakeLibrary) -> GridView:
    view = GridView(theme=theme)
    model = LibraryModel(library, view)
    view.setModel(model)
    model.set_ids(library.ids())
    view.resize(341, 700)
    qtbot.addWidget(view)
    view.show()
    qtbot.waitExposed(view)
    view.grab()
    return view


def selected(grid: GridView) -> list[int]:
    return sorted(index.row() for index in grid.selectionModel().selectedIndexes())


def top_row(grid: GridView) -> int:
    return grid.visible_rows().start


def press(grid: GridView, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> int:
    QTest.keyClick(grid, key, modifier)
    return grid.currentIndex().row()


def test_paints_100_000_rows_by_reading_only_what_is_seen(grid: GridView, library: FakeLibrary) -> None:
    assert library.calls <= 1
    grid.verticalScrollBar().setValue(grid.verticalScrollBar().maximum() // 2)
    grid.grab()
    grid.verticalScrollBar().setValue(grid.verticalScrollBar().maximum())
    grid.grab()
    assert library.calls <= 4
    assert len(library.read) <= 4 * PAGE
    assert grid.visible_rows().stop == MANY


def test_select_all_does_not_read_the_library(grid: GridView, library: FakeLibrary) -> None:
    calls = library.calls
    press(grid, Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    grid.grab()
    ranges = list(grid.selectionModel().selection())
    assert [(part.top(), part.bottom()) for part in ranges] == [(0, MANY - 1)]
    assert library.calls == calls


def test_the_top_item_stays_when_columns_change(grid: GridView) -> None:
    bar = grid.verticalScrollBar()
    bar.setValue(grid.grid.line_top(30_000))
    top = top_row(grid)
    assert top == 30_000
    columns = set()
    for width in (480, 700, 1200, 650, 341):
        grid.resize(width, 700)
        columns.add(grid.grid.columns)
        assert grid.tile_rect(top).intersects(grid.viewport().rect())
        assert top_row(grid) <= top < top_row(grid) + grid.grid.columns
    assert len(columns) >= 3
    assert top_row(grid) == top  # there and back without drifting


def test_new_rows_above_do_not_move_what_is_looked_at(grid: GridView, library: FakeLibrary) -> None:
    model = grid.model()
    grid.verticalScrollBar().setValue(grid.grid.line_top(5000) + 17)
    item = model.id_at(top_row(grid))
    y = grid.tile_rect(top_row(grid)).y()
    for count in range(1, 6):
        library.order = type(library.order)("q", [MANY + count, *library.order])
        model.set_ids(library.ids())
        assert grid.tile_rect(model.row_of(item)).y() == y


def test_new_rows_show_when_the_top_is_looked_at(grid: GridView, library: FakeLibrary) -> None:
    library.order = type(library.order)("q", [MANY + 1, *library.order])
    grid.model().set_ids(library.ids())
    assert grid.verticalScrollBar().value() == 0
    assert grid.model().id_at(0) == MANY + 1


def test_arrow_keys(grid: GridView) -> None:
    grid.setCurrentIndex(grid.model().index(0))
    assert press(grid, Key.Key_Right) == 1
    assert press(grid, Key.Key_Down) == 3
    assert press(grid, Key.Key_Left) == 2
    assert press(grid, Key.Key_Up) == 0
    assert press(grid, Key.Key_Up) == 0
    assert press(grid, Key.Key_Left) == 0
    page = press(grid, Key.Key_PageDown)
    assert page == 700 // grid.grid.pitch * 2
    assert grid.tile_rect(page).intersects(grid.viewport().rect())
    assert press(grid, Key.Key_PageUp) == 0
    assert press(grid, Key.Key_End) == MANY - 1
    assert grid.viewport().rect().contains(grid.tile_rect(MANY - 1))
    assert press(grid, Key.Key_PageDown) == MANY - 1
    assert press(grid, Key.Key_Home) == 0
    assert selected(grid) == [0]


def test_arrows_follow_the_reading_direction(grid: GridView) -> None:
    grid.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    grid.updateGeometries()
    assert grid.tile_rect(0).x() > grid.tile_rect(1).x()
    grid.setCurrentIndex(grid.model().index(0))
    assert press(grid, Key.Key_Left) == 1
    assert press(grid, Key.Key_Right) == 0


def test_down_from_above_a_short_last_line_reaches_its_end(qtbot: QtBot, theme: Theme) -> None:
    view = GridView(theme=theme)
    model = LibraryModel(FakeLibrary(5), view)
    view.setModel(model)
    model.set_ids(FakeLibrary(5).ids())
    view.resize(341, 700)
    qtbot.addWidget(view)
    view.setCurrentIndex(model.index(3))
    assert press(view, Key.Key_Down) == 4


def test_shift_takes_the_rows_between(grid: GridView) -> None:
    grid.setCurrentIndex(grid.model().index(1))
    press(grid, Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    press(grid, Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert selected(grid) == [1, 2, 3, 4, 5]
    press(grid, Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert selected(grid) == [1, 2, 3]


def click(grid: GridView, row: int, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, modifier, grid.tile_rect(row).center())


def test_clicks_choose_one_add_one_and_take_a_range(grid: GridView) -> None:
    click(grid, 2)
    assert selected(grid) == [2]
    click(grid, 5, Qt.KeyboardModifier.ControlModifier)
    assert selected(grid) == [2, 5]
    click(grid, 2, Qt.KeyboardModifier.ControlModifier)
    assert selected(grid) == [5]
    click(grid, 1)
    click(grid, 6, Qt.KeyboardModifier.ShiftModifier)
    assert selected(grid) == [1, 2, 3, 4, 5, 6]


def test_a_rubber_band_takes_the_tiles_it_touches(grid: GridView) -> None:
    viewport = grid.viewport()
    right = grid.tile_rect(1)
    start = QPoint(viewport.width() - 3, right.bottom() + 6)
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    middle = QPoint(right.center().x(), grid.tile_rect(3).center().y())
    QTest.mouseMove(viewport, middle)
    QTest.mouseMove(viewport, QPoint(right.center().x(), grid.tile_rect(5).center().y()))
    grid.grab()
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
    assert selected(grid) == [3, 5]


def test_keys_that_ask_for_something(qtbot: QtBot, grid: GridView) -> None:
    grid.setCurrentIndex(grid.model().index(3))
    with qtbot.waitSignal(grid.delete_pressed):
        press(grid, Key.Key_Delete)
    with qtbot.waitSignal(grid.activated) as activated:
        press(grid, Key.Key_Return)
    assert activated.args[0].row() == 3


def test_pulling_a_tile_asks_for_a_drag_with_the_selection(qtbot: QtBot, grid: GridView) -> None:
    click(grid, 2)
    viewport, start = grid.viewport(), grid.tile_rect(2).center()
    with qtbot.waitSignal(grid.drag_wanted):
        QTest.mousePress(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
        for step in (4, 12, 30):
            QTest.mouseMove(viewport, start + QPoint(step, step))
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    assert selected(grid) == [2]


def test_a_wheel_notch_glides_one_line(qtbot: QtBot, grid: GridView) -> None:
    point = QPointF(100, 100)
    event = QWheelEvent(
        point,
        grid.viewport().mapToGlobal(point),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    grid.wheelEvent(event)
    qtbot.waitUntil(lambda: grid.verticalScrollBar().value() == grid.grid.pitch)


def test_visible_selection_region_is_small(grid: GridView) -> None:
    grid.selectAll()
    region = grid.visualRegionForSelection(grid.selectionModel().selection())
    assert region.boundingRect().height() <= 700 + 2 * grid.grid.pitch


def test_scroll_to_shows_the_whole_tile(grid: GridView) -> None:
    for row in (0, 77_777, 13, MANY - 1):
        grid.scrollTo(grid.model().index(row))
        assert grid.viewport().rect().contains(grid.tile_rect(row))
    grid.scrollTo(grid.model().index(50_000), GridView.ScrollHint.PositionAtCenter)
    assert abs(grid.tile_rect(50_000).center().y() - 350) < 20


def test_selection_survives_rows_above(grid: GridView, library: FakeLibrary) -> None:
    model = grid.model()
    grid.selectionModel().setCurrentIndex(model.index(10), QItemSelectionModel.SelectionFlag.ClearAndSelect)
    item = model.id_at(10)
    library.order = type(library.order)("q", [MANY + 1, *library.order])
    model.set_ids(library.ids())
    assert model.id_at(grid.currentIndex().row()) == item
    assert selected(grid) == [11]


def test_geometry_is_that_of_the_viewport(grid: GridView) -> None:
    assert grid.grid == GridGeometry(grid.viewport().width(), MANY)
    assert grid.visualRect(grid.model().index(0)) == QRect(*grid.grid.cell(0))
    assert not grid.indexAt(QPoint(2, 2)).isValid()
