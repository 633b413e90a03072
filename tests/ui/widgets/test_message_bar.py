from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from engine.protocol.errors import BadFile, EngineDied, ErrorInfo
from ui.messages import Message, of_error
from ui.theme import Theme
from ui.widgets.message_bar import MARGIN, MessageStack


@pytest.fixture
def host(qtbot: QtBot) -> QWidget:
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(700, 500)
    host.show()
    return host


@pytest.fixture
def stack(host: QWidget, theme: Theme) -> MessageStack:
    return MessageStack(host, theme=theme, top=40)


def texts(stack: MessageStack) -> list[str]:
    return [message.text for message in stack.messages()]


def test_it_floats_within_its_host(host: QWidget, stack: MessageStack) -> None:
    assert stack.isHidden()
    stack.show_message(Message("A long sentence. " * 20, seconds=0))
    assert not stack.isHidden()
    assert host.rect().contains(stack.geometry()) and stack.y() == 40 + MARGIN
    host.resize(400, 500)
    assert host.rect().contains(stack.geometry())


def test_a_topic_has_one_message(stack: MessageStack) -> None:
    stack.show_message(Message("one", topic="engine", seconds=0))
    stack.show_message(Message("other", seconds=0))
    stack.show_message(Message("two", topic="engine", seconds=0))
    assert texts(stack) == ["other", "two"]
    stack.dismiss("engine")
    assert texts(stack) == ["other"]


def test_news_does_not_push_out_errors(stack: MessageStack) -> None:
    stack.show_message(Message("bad", "error", seconds=0))
    for number in range(5):
        stack.show_message(Message(f"news {number}", seconds=0))
    assert texts(stack) == ["bad", "news 3", "news 4"]


def test_news_goes_by_itself(qtbot: QtBot, stack: MessageStack) -> None:
    stack.show_message(Message("soon gone", seconds=0.05))
    stack.show_message(Message("stays", "error", seconds=0))
    qtbot.waitUntil(lambda: texts(stack) == ["stays"])


def test_button_acts_once_and_closes(stack: MessageStack) -> None:
    done: list[int] = []
    stack.show_message(Message("Deleted.", button="Undo", action=lambda: done.append(1), seconds=0))
    next(button for button in stack.findChildren(QPushButton) if button.text() == "Undo").click()
    assert done == [1] and texts(stack) == []
    assert stack.isHidden()


def test_errors_carry_sentence_remedy_and_detail() -> None:
    message = of_error(EngineDied("It stopped.", "It starts again.", detail="traceback").info())
    assert (message.text, message.severity, message.detail) == ("It stopped. It starts again.", "error", "traceback")
    assert message.seconds == 0
    assert of_error(BadFile("x is damaged.").info()).severity == "warning"
    assert of_error(ErrorInfo("Whatever", "What.")).text == "What."


def test_it_covers_only_the_part_that_it_is_kept_over(host: QWidget, stack: MessageStack) -> None:
    part = QWidget(host)
    part.setGeometry(0, 50, 300, 400)
    part.show()
    stack.show_message(Message("A long sentence. " * 10, button="Undo", action=lambda: None, seconds=0))
    stack.keep_over(part)
    assert part.geometry().contains(stack.geometry())
    part.resize(260, 400)
    assert part.geometry().contains(stack.geometry())
    part.hide()
    assert stack.width() > 300 and host.rect().contains(stack.geometry())


def test_where_it_is_too_narrow_it_takes_a_place_of_its_own(qtbot: QtBot, theme: Theme) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    column = QVBoxLayout(host)
    column.setContentsMargins(0, 0, 0, 0)
    row = QHBoxLayout()
    part, beside = QWidget(), QWidget()
    row.addWidget(part, 1)
    row.addWidget(beside)
    column.addLayout(row, 1)
    beside.setFixedWidth(300)
    host.resize(480, 500)
    host.show()
    stack = MessageStack(host, theme=theme)
    stack.keep_over(part)
    stack.show_message(Message("A long sentence. " * 8, button="Undo what was done", action=lambda: None, seconds=0))
    qtbot.waitUntil(lambda: stack.width() == host.width() and part.y() >= stack.geometry().bottom())
    (button,) = [one for one in stack.findChildren(QPushButton) if one.text() == "Undo what was done"]
    assert button.width() >= button.sizeHint().width()
    beside.setFixedWidth(60)
    qtbot.waitUntil(lambda: part.y() == 0 and part.geometry().contains(stack.geometry()))


def test_where_it_is_narrow_the_buttons_stand_below_the_sentence(host: QWidget, stack: MessageStack) -> None:
    stack.show_message(Message("A sentence.", button="Undo what was done", action=lambda: None, seconds=0))
    (button,) = [one for one in stack.findChildren(QPushButton) if one.text() == "Undo what was done"]
    (sentence,) = [one for one in stack.findChildren(QLabel) if one.text() == "A sentence."]
    top = button.mapTo(stack, button.rect().topLeft()).y()
    assert top <= sentence.mapTo(stack, sentence.rect().bottomLeft()).y()
    host.resize(300, 500)
    stack.layout().activate()
    top = button.mapTo(stack, button.rect().topLeft()).y()
    assert top > sentence.mapTo(stack, sentence.rect().bottomLeft()).y()


def test_a_message_may_have_two_buttons(stack: MessageStack) -> None:
    pressed: list[str] = []
    stack.show_message(
        Message(
            "Gone.",
            button="Undo",
            action=lambda: pressed.append("undo"),
            other_button="Models…",
            other_action=lambda: pressed.append("models"),
            seconds=0,
        )
    )
    next(one for one in stack.findChildren(QPushButton) if one.text() == "Models…").click()
    assert pressed == ["models"] and not texts(stack)


def test_a_message_opens_no_window(qtbot: QtBot, host: QWidget, stack: MessageStack) -> None:
    host.activateWindow()
    qtbot.waitUntil(host.isActiveWindow)
    before = set(QApplication.topLevelWidgets())
    stack.show_message(Message("Gone.", detail="The log.", button="Undo", action=lambda: None, seconds=0))
    assert set(QApplication.topLevelWidgets()) == before and host.isActiveWindow()
