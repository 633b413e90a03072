"""At twofold scale on a screen of 1366 × 768 the window fits, and all of it can be reached."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.conftest import OpenWindow
from ui.widgets.placing import FRAME
from ui.widgets.room import Room
from ui.window.main_window import MainWindow

ROOM = QSize(1366 // 2, 768 // 2) - FRAME


def test_the_window_can_be_as_small_as_such_a_screen(window: MainWindow) -> None:
    window.resize(ROOM)
    QApplication.processEvents()
    assert window.size() == ROOM and window.minimumSizeHint().boundedTo(ROOM) == window.minimumSizeHint()


def test_what_gets_the_focus_comes_into_sight(qtbot: QtBot, window: MainWindow) -> None:
    window.resize(ROOM)
    QApplication.processEvents()
    room = window.findChild(Room)
    assert room is not None and window.gallery is not None

    def is_in_sight(part: QWidget) -> bool:
        place = QRect(part.mapTo(room.viewport(), QPoint()), part.size())
        return room.viewport().rect().contains(place)

    search = window.gallery.search
    assert not is_in_sight(search)
    window.activateWindow()
    search.setFocus()
    qtbot.waitUntil(lambda: is_in_sight(search))
    window.form.prompts.prompt.setFocus()
    qtbot.waitUntil(lambda: is_in_sight(window.form.prompts.prompt))


def test_where_there_is_room_nothing_is_scrolled(open_window: OpenWindow) -> None:
    window = open_window()
    window.resize(window.splitter.minimumSizeHint().width(), 700)
    QApplication.processEvents()
    room = window.findChild(Room)
    assert room is not None
    assert not room.horizontalScrollBar().isVisible() and not room.verticalScrollBar().isVisible()
