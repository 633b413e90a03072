"""PySide6 6.12.0 dropped a reference to None at every void call, and the process died after a few thousand."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot


def test_void_calls_keep_none_alive(qtbot: QtBot) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    thing = QObject()
    before = sys.getrefcount(None)
    for number in range(1000):
        widget.setMinimumWidth(number)
        thing.setObjectName("name")
    assert sys.getrefcount(None) >= before - 50
