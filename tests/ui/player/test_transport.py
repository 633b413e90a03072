from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from ui.player.transport import NARROWEST, Transport, clock
from ui.theme import Theme

TIMES = tuple(n / 24 for n in range(146))


@pytest.fixture
def transport(qtbot: QtBot, theme: Theme) -> Transport:
    made = Transport(theme=theme)
    qtbot.addWidget(made)
    made.resize(750, 48)
    made.set_times(TIMES)
    made.show()
    return made


@pytest.mark.parametrize(("seconds", "text"), [(0, "00:00.00"), (61 / 24, "00:02.54"), (75.5, "01:15.50")])
def test_time_is_shown_to_hundredths(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_frame_61_of_145_at_24_fps(transport: Transport) -> None:
    transport.set_frame(60)
    assert (transport.now.text(), transport.total.text()) == ("00:02.54", "00:06.04")
    assert (transport.slider.value(), transport.slider.maximum()) == (60, 144)
    transport.set_frame(144)
    assert transport.now.text() == transport.total.text()


def test_buttons(qtbot: QtBot, transport: Transport) -> None:
    for button, signal, args in (
        (transport.back, transport.step_wanted, [-1]),
        (transport.forward, transport.step_wanted, [1]),
        (transport.play, transport.play_toggled, []),
        (transport.loop, transport.mode_changed, ["ping-pong"]),
        (transport.mark_in, transport.mark_wanted, ["in"]),
    ):
        with qtbot.waitSignal(signal) as told:
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert told.args == args
    with qtbot.waitSignal(transport.speed_changed) as told:
        transport.speed.setCurrentIndex(0)
    assert told.args == [0.1]


def test_a_click_on_the_slider_goes_there_and_drags_on(qtbot: QtBot, transport: Transport) -> None:
    slider, seen = transport.slider, []
    transport.seek_wanted.connect(seen.append)
    middle = QPoint(slider.width() // 2, slider.height() // 2)
    with qtbot.waitSignals([transport.scrub_started, transport.scrub_ended]):
        QTest.mousePress(slider, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
        QTest.mouseMove(slider, QPoint(slider.width() - 1, middle.y()))
        QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
    assert abs(seen[0] - 72) <= 2
    assert seen[-1] == 144


def test_showing_a_frame_is_no_seek(transport: Transport) -> None:
    seen: list[int] = []
    transport.seek_wanted.connect(seen.append)
    transport.set_frame(30)
    transport.set_times((0.0, 5.0))
    assert seen == []
    assert transport.now.text() == "00:00.00"


def test_names_follow_what_the_button_does(transport: Transport) -> None:
    transport.set_playing(True)
    assert transport.play.accessibleName() == "Pause"
    transport.set_playing(False)
    assert transport.play.accessibleName() == "Play"
    for control in (transport.back, transport.forward, transport.loop, transport.slider, transport.speed):
        assert control.accessibleName()
        assert control.focusPolicy() != Qt.FocusPolicy.NoFocus


def test_where_it_is_narrow_the_time_line_has_a_row_of_its_own(qtbot: QtBot, transport: Transport) -> None:
    def slider() -> QRect:
        return QRect(transport.slider.mapTo(transport, QPoint()), transport.slider.size())

    one_row = slider()
    assert one_row.left() > transport.loop.geometry().right() and one_row.right() < transport.mark_in.x()
    transport.resize(NARROWEST, transport.sizeHint().height())
    qtbot.waitUntil(lambda: slider().bottom() < transport.play.y())
    assert slider().width() > 150 and transport.speed.geometry().right() <= transport.width()
    transport.resize(750, 48)
    qtbot.waitUntil(lambda: slider() == one_row)
