from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from ui.garbage import GuiGarbage


class Cycle(QObject):
    def __init__(self, seen: list[int]) -> None:
        super().__init__()
        self.me = self
        weakref.finalize(self, lambda: seen.append(threading.get_ident()))


@pytest.fixture
def garbage(qtbot: QtBot) -> Iterator[GuiGarbage]:
    garbage = GuiGarbage()
    garbage.start()
    yield garbage
    garbage.stop()
    assert gc.isenabled()


def test_other_threads_collect_nothing(garbage: GuiGarbage) -> None:
    seen: list[int] = []
    Cycle(seen)
    thread = threading.Thread(target=lambda: [[[]] for _ in range(200_000)])
    thread.start()
    thread.join()
    assert seen == []
    gc.collect()
    assert seen == [threading.get_ident()]


def test_the_timer_collects(qtbot: QtBot, garbage: GuiGarbage) -> None:
    seen: list[int] = []
    Cycle(seen)
    keep = [[] for _ in range(5000)]
    qtbot.waitUntil(lambda: bool(seen), timeout=10_000)
    assert seen == [threading.get_ident()] and keep


def test_from_the_beginning_on(qtbot: QtBot) -> None:
    """Before ``start``, while the window's modules are being imported on other threads."""
    garbage = GuiGarbage()
    garbage.begin()
    seen: list[int] = []
    Cycle(seen)
    thread = threading.Thread(target=lambda: [[[]] for _ in range(200_000)])
    thread.start()
    thread.join()
    assert seen == []
    garbage.collect()
    garbage.stop()
    gc.collect()
    assert seen == [threading.get_ident()]
    assert gc.isenabled()
