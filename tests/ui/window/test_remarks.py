"""What goes otherwise than wished in the middle of a job and is no failure: one line, and the picture comes."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QDialog
from pytestqt.qtbot import QtBot

from app.paths import Paths
from tests.fakes.fake_engine import LOWERED, NOTED
from tests.ui.conftest import OpenWindow, say


@pytest.mark.parametrize(("word", "line"), [("cramped", LOWERED), ("bare", NOTED)])
def test_it_is_one_line_and_no_dialog(
    qtbot: QtBot, open_window: OpenWindow, paths: Paths, word: str, line: str
) -> None:
    window = open_window()
    window.form.prompts.prompt.replace_text(f"{word} red apple")
    window.form.generate_button.click()
    qtbot.waitUntil(lambda: line in say(window), timeout=20_000)
    assert not [found for found in QApplication.topLevelWidgets() if isinstance(found, QDialog) and found.isVisible()]
    [message] = [message for message in window.messages.messages() if message.text == line]
    assert message.severity == "info" and message.seconds > 0 and window.messages.isVisible()
    qtbot.waitUntil(lambda: not window.session.jobs and len(list(paths.output.glob("*.png"))) == 1, timeout=30_000)
