"""Memory that runs out in the middle of a job: one line, and the picture comes."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QDialog
from pytestqt.qtbot import QtBot

from app.paths import Paths
from tests.fakes.fake_engine import LOWERED
from tests.ui.conftest import OpenWindow, say


def test_a_lower_plan_is_one_line_and_no_dialog(qtbot: QtBot, open_window: OpenWindow, paths: Paths) -> None:
    window = open_window()
    window.form.prompts.prompt.replace_text("cramped red apple")
    window.form.generate_button.click()
    qtbot.waitUntil(lambda: LOWERED in say(window), timeout=20_000)
    assert not [found for found in QApplication.topLevelWidgets() if isinstance(found, QDialog) and found.isVisible()]
    [message] = [message for message in window.messages.messages() if message.text == LOWERED]
    assert message.severity == "info" and message.seconds > 0 and window.messages.isVisible()
    qtbot.waitUntil(lambda: not window.session.jobs and len(list(paths.output.glob("*.png"))) == 1, timeout=30_000)
