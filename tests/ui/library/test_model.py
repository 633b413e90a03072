from __future__ import annotations

from array import array

import pytest
from PySide6.QtCore import QPersistentModelIndex, Qt
from pytestqt.modeltest import ModelTester

from engine.protocol.errors import LibraryBusy
from tests.fakes.fake_library import FakeLibrary
from ui.library.model import ITEM, KEPT_ITEMS, PAGE, RUNNING, LibraryModel, RunningTile


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary(1000)


@pytest.fixture
def model(library: FakeLibrary, qapp: object) -> LibraryModel:
    made = LibraryModel(library)
    made.set_ids(library.ids())
    return made


def test_keeps_qts_rules(model: LibraryModel, library: FakeLibrary, qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(model)
    model.set_running(RunningTile("job", "Title"))
    model.set_ids(array("q", [2000, *library.order[:500], *library.order[600:]]))
    model.running_changed()
    model.forget([2000, 5])
    model.set_running(None)
    model.set_ids(array("q"))


def test_reads_one_page_for_the_first_row_and_nothing_for_its_neighbours(
    model: LibraryModel, library: FakeLibrary
) -> None:
    assert model.item(450).id == library.order[450]  # type: ignore[union-attr]
    assert library.calls == 1
    assert library.read == list(library.order[400:600])
    for row in range(400, 600):
        model.item(row)
    assert library.calls == 1
    model.item(600)
    assert library.calls == 2


def test_new_results_at_the_top_do_not_read_the_page_again(model: LibraryModel, library: FakeLibrary) -> None:
    model.item(0)
    library.order = array("q", [5000, *library.order])
    model.set_ids(library.ids())
    model.item(0)
    assert library.read[PAGE:] == [5000]


def test_items_in_memory_are_bounded(library: FakeLibrary, qapp: object) -> None:
    library.order = array("q", range(KEPT_ITEMS * 2, 0, -1))
    model = LibraryModel(library)
    model.set_ids(library.ids())
    for row in range(0, KEPT_ITEMS * 2, PAGE):
        model.item(row)
    calls = library.calls
    model.item(KEPT_ITEMS * 2 - 1)
    assert library.calls == calls
    model.item(0)
    assert library.calls == calls + 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([], [1, 2, 3]),
        ([1, 2, 3], []),
        ([3, 2, 1], [5, 4, 3, 2, 1]),
        ([5, 4, 3, 2, 1], [5, 3, 2, 1]),
        ([5, 4, 3, 2, 1], [9, 1]),
        ([1, 1, 1], [1, 1]),
        ([1, 2, 3], [3, 2, 1]),
    ],
)
def test_ids_are_exactly_those_set(old: list[int], new: list[int], qtmodeltester: ModelTester) -> None:
    model = LibraryModel(FakeLibrary(10))
    qtmodeltester.check(model)
    model.set_ids(array("q", old))
    model.set_ids(array("q", new))
    assert list(model.ids) == new
    assert model.rowCount() == len(new)


def test_rows_that_stay_keep_their_persistent_index(model: LibraryModel, library: FakeLibrary) -> None:
    index = QPersistentModelIndex(model.index(500))
    item_id = model.id_at(500)
    library.order = array("q", [7000, 6000, *library.order[:100], *library.order[101:]])
    model.set_ids(library.ids())
    assert model.id_at(index.row()) == item_id


def test_the_running_tile_is_row_0_and_no_item(model: LibraryModel, library: FakeLibrary) -> None:
    tile = RunningTile("job", "A boat")
    tile.fraction = 0.62
    model.set_running(tile)
    first = model.index(0)
    assert model.rowCount() == 1001
    assert first.data(RUNNING) is tile
    assert first.data(ITEM) is None
    assert model.id_at(0) is None
    assert "62" in first.data(Qt.ItemDataRole.AccessibleTextRole)
    assert not model.flags(first) & Qt.ItemFlag.ItemIsDragEnabled
    assert model.id_at(1) == library.order[0]
    assert model.row_of(library.order[0]) == 1
    assert model.rows_of([1000, 1, 4, 3, 77777]) == [1, 997, 998, 1000]


def test_a_changed_item_is_read_again(model: LibraryModel, library: FakeLibrary, qtbot: object) -> None:
    model.item(0)
    told = []
    model.dataChanged.connect(lambda first, _last: told.append(first.row()))
    model.forget([library.order[3]])
    assert told == [3]
    model.item(3)
    assert library.read[PAGE:] == [library.order[3]]


def test_an_item_that_vanished_is_an_empty_row(model: LibraryModel, library: FakeLibrary) -> None:
    library.order = array("q", library.order[1:500])
    assert model.item(0) is None
    assert model.index(0).data() == ""


def test_a_busy_library_is_told_and_not_raised(model: LibraryModel, library: FakeLibrary) -> None:
    def fail(ids: list[int]) -> list[object]:
        raise LibraryBusy("The library is busy.", "Try again.")

    library.items = fail  # type: ignore[method-assign,assignment]
    told: list[str] = []
    model.load_failed.connect(told.append)
    assert model.item(0) is None
    assert told == ["The library is busy. Try again."]
