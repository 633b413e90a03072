from __future__ import annotations

import time

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QPushButton
from pytestqt.qtbot import QtBot

from engine.jobs.notices import LibraryChanged
from engine.library.facets import Facets
from engine.library.filters import EVERYTHING, Filter
from engine.library.marks import MarkChange
from tests.fakes.fake_library import FakeLibrary, make_item
from ui.library.gallery import GalleryPanel
from ui.library.label_dialog import LabelDialog
from ui.library.model import STACKED
from ui.widgets.flow import FlowLayout

FACETS = Facets((("mini", 30), ("sd3.5-large", 10)), (("draft", 2), ("owl & co", 3)), (("Trip", 4), ("Empty", 0)))


def rows(gallery: GalleryPanel) -> list[int]:
    return list(gallery.grid.model().ids)


def submenu(menu: QMenu, title: str) -> QMenu:
    return next(action.menu() for action in menu.actions() if action.menu() and action.text() == title)


def choose(gallery: GalleryPanel, title: str, start: str) -> None:
    menu = gallery.filters.build_menu()
    next(action for action in submenu(menu, title).actions() if action.text().startswith(start)).trigger()


def chips(gallery: GalleryPanel) -> list[QPushButton]:
    return [chip for chip in gallery.filters.chips.findChildren(QPushButton) if not chip.isHidden()]


def test_a_rating_narrows_and_its_chip_takes_it_back(qtbot: QtBot, gallery: GalleryPanel, library: FakeLibrary) -> None:
    library.special = {5: make_item(5, rating=4), 6: make_item(6, rating=2)}
    choose(gallery, "Rating", "★★★ and")
    qtbot.waitUntil(lambda: rows(gallery) == [5])
    (chip,) = chips(gallery)
    assert chip.text().startswith("★★★+")
    assert "★★★" in chip.accessibleName()
    qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(rows(gallery)) == 40)
    assert not gallery.filters.chips.isVisible()


def test_the_menu_offers_what_there_is(qtbot: QtBot, gallery: GalleryPanel, library: FakeLibrary) -> None:
    library.known_facets = FACETS
    gallery.library_changed(LibraryChanged(changed=(1,)))
    qtbot.waitUntil(lambda: gallery.filters.facets == FACETS)
    for title, name, field, value in (
        ("Model", "sd3.5", "model", "sd3.5-large"),
        ("Album", "Trip", "album", "Trip"),
        ("Tag", "owl", "tag", "owl & co"),
    ):
        choose(gallery, title, name)
        assert getattr(gallery.filters.filter, field) == value
    assert len(chips(gallery)) == 3
    menu = gallery.filters.build_menu()
    assert [action.text() for action in submenu(menu, "Tag").actions() if action.isChecked()] == ["owl && co\t3"]
    next(action for action in menu.actions() if action.text() == "Clear all filters").trigger()
    assert gallery.filters.filter == EVERYTHING
    assert chips(gallery) == []


def test_days(gallery: GalleryPanel) -> None:
    choose(gallery, "Made", "Last 7")
    since = gallery.filters.filter.since
    assert since is not None and 6 * 86_400 - 3700 < time.time() - since < 7 * 86_400 + 3700
    assert chips(gallery)[0].text().startswith("Last 7 days")
    choose(gallery, "Made", "Any")
    assert gallery.filters.filter.since is None


def test_grouped_by_prompt_a_stack_opens(qtbot: QtBot, gallery: GalleryPanel, library: FakeLibrary) -> None:
    library.prompts = {n: ("owl" if n % 2 else "star") for n in range(1, 41)}
    gallery.library_changed(LibraryChanged(everything=True))
    gallery.filters.set_stacked(True)
    qtbot.waitUntil(lambda: rows(gallery) == [40, 39])
    assert gallery.grid.model().index(0).data(STACKED) == 20
    gallery.grid.grab()  # the badge is painted
    gallery.select(39)
    QTest.keyClick(gallery.grid, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: rows(gallery) == list(range(39, 0, -2)))
    assert [chip.text() for chip in chips(gallery)] == ["“owl”  ×", "Grouped by prompt  ×"]
    qtbot.mouseClick(chips(gallery)[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: rows(gallery) == [40, 39])


def test_everything_is_shown_again(qtbot: QtBot, gallery: GalleryPanel) -> None:
    gallery.filters.choose(rating=5)
    gallery.search.setText("Prompt")
    qtbot.waitUntil(lambda: rows(gallery) == [])
    gallery.show_everything()
    qtbot.waitUntil(lambda: len(rows(gallery)) == 40)


def test_filters_meet_the_box_of_kinds(qtbot: QtBot, gallery: GalleryPanel, library: FakeLibrary) -> None:
    library.special = {5: make_item(5, rating=4, favourite=True), 6: make_item(6, rating=4)}
    gallery.filters.choose(rating=4)
    gallery.filter.setCurrentIndex(3)
    qtbot.waitUntil(lambda: rows(gallery) == [5])
    assert gallery._query.filter == Filter(favourite=True, rating=4)


def test_dropping_on_an_album(qtbot: QtBot, gallery: GalleryPanel, library: FakeLibrary) -> None:
    gallery.select(7)
    albums = gallery._albums
    albums.show_for(["Trip"])
    assert albums.isVisible()
    point = QPointF(albums.visualItemRect(albums.item(0)).center())
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile("/nowhere/7.png")])
    copy, left, plain = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    event = QDropEvent(point, copy, mime, left, plain, QEvent.Type.Drop)
    with qtbot.waitSignal(gallery.album_wanted) as told:
        albums.dropEvent(event)
    assert told.args == [[7], "Trip"]
    stranger = QDragEnterEvent(QPoint(5, 5), copy, mime, left, plain)
    stranger.ignore()
    albums.dragEnterEvent(stranger)
    assert not stranger.isAccepted(), "what comes from elsewhere is not for an album"


@pytest.fixture
def dialog(qtbot: QtBot) -> LabelDialog:
    items = [make_item(1, tags=("both", "one")), make_item(2, tags=("both",))]
    made = LabelDialog("tag", ["both", "one", "none"], items, 2)
    qtbot.addWidget(made)
    return made


def states(dialog: LabelDialog) -> dict[str, str]:
    return {row.text(): row.checkState().name for row in dialog._rows()}


def test_the_dialog_shows_what_all_and_some_have(dialog: LabelDialog) -> None:
    assert states(dialog) == {"both": "Checked", "none": "Unchecked", "one": "PartiallyChecked"}


def test_typing_adds_and_ticking_takes_away(dialog: LabelDialog) -> None:
    told: list[MarkChange] = []
    dialog.changed.connect(told.append)
    QTest.keyClicks(dialog.field, "new one, NONE,")
    QTest.keyClick(dialog.field, Qt.Key.Key_Return)
    assert told == [MarkChange(add_tags=("new one",)), MarkChange(add_tags=("none",))]
    assert states(dialog)["new one"] == states(dialog)["none"] == "Checked"
    dialog._rows()[0].setCheckState(Qt.CheckState.Unchecked)
    assert told[-1] == MarkChange(remove_tags=("both",))


def test_albums_have_the_same_dialog(qtbot: QtBot) -> None:
    made = LabelDialog("album", ["Trip"], [make_item(1)], 1)
    qtbot.addWidget(made)
    told: list[MarkChange] = []
    made.changed.connect(told.append)
    made._rows()[0].setCheckState(Qt.CheckState.Checked)
    assert told == [MarkChange(add_albums=("Trip",))]


def test_a_digit_is_left_to_the_window(qtbot: QtBot, gallery: GalleryPanel) -> None:
    gallery.select(7)
    QTest.keyClick(gallery.grid, Qt.Key.Key_3)
    assert gallery.selected_ids() == [7]


def test_chips_flow_into_lines(qtbot: QtBot) -> None:
    from PySide6.QtWidgets import QWidget

    host = QWidget()
    qtbot.addWidget(host)
    flow = FlowLayout(host, gap=5)
    for _ in range(4):
        part = QWidget()
        part.setFixedSize(90, 20)
        flow.addWidget(part)
    assert flow.heightForWidth(400) == 20
    assert flow.heightForWidth(200) == 45
    assert flow.heightForWidth(50) == 95
    host.resize(200, 100)
    host.show()
    places = [flow.itemAt(n).geometry().topLeft() for n in range(4)]
    assert places == [QPoint(0, 0), QPoint(95, 0), QPoint(0, 25), QPoint(95, 25)]
    host.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    flow.invalidate()
    host.resize(201, 100)
    assert flow.itemAt(0).geometry().right() == 200
