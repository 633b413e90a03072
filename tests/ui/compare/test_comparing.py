"""Comparing in the real window."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.paths import Paths
from engine.media.environment import Environment
from engine.media.save import save_image
from tests.fakes.recipes import picture_recipe
from ui.window.main_window import MainWindow


@pytest.fixture
def shown(paths: Paths, open_window, qtbot: QtBot) -> MainWindow:
    """Two pictures of one prompt with another guidance, and one of another prompt, the newest."""
    made = (("owl", 3.0), ("owl", 7.0), ("star", 3.0))
    for number, (prompt, guidance) in enumerate(made):
        path = paths.output / f"{number}.png"
        recipe = picture_recipe(prompt=prompt, guidance=guidance, seed=1)
        save_image(np.full((16, 16, 3), 60 * number, np.uint8), path, recipe, Environment())
        os.utime(path, (1_700_000_000 + number,) * 2)
    window = open_window()
    qtbot.waitUntil(lambda: window.gallery.grid.model().rowCount() == 3, timeout=10_000)
    return window


def test_before_and_after_from_one_result(qtbot: QtBot, shown: MainWindow) -> None:
    shown.gallery.step(0)
    shown.gallery.step(1)
    shown.actions_.action("compare").trigger()
    qtbot.waitUntil(lambda: shown.comparing.shown is not None)
    view = shown.comparing.shown
    assert [cell.item.path.name for cell in view.cells] == ["0.png", "1.png"], "the older one first"
    assert view.title.text_whole() == "Different: Guidance"
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert shown.comparing.shown is None and shown.view.isVisible()


def test_what_has_no_relative_says_what_to_choose(qtbot: QtBot, shown: MainWindow) -> None:
    shown.gallery.step(0)
    shown.actions_.action("compare").trigger()
    qtbot.waitUntil(lambda: any("two to four" in message.text for message in shown.messages.messages()))
    assert shown.comparing.shown is None
