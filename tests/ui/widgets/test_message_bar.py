from __future__ import annotations

import pytest
from PySide6.QtWidgets import QPushButton, QWidget
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
