"""Opening and closing the window: what it keeps, what it waits for, what it says when the start goes wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import psutil
import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QScrollBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.logs import Logs
from app.paths import Paths
from engine.library.library import Library
from ui.action_table import ROWS
from ui.theme import DARK, LIGHT, Theme
from ui.window.main_window import MainWindow

OpenWindow = Callable[..., MainWindow]
CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
)


def ancestors(widget: QWidget) -> list[QWidget]:
    found = []
    above = widget.parentWidget()
    while above is not None:
        found.append(above)
        above = above.parentWidget()
    return found


def controls(window: QWidget) -> list[QWidget]:
    """What a person can use or read off, without the parts that Qt makes inside its own controls."""
    return [
        widget
        for widget in window.findChildren(QWidget)
        if isinstance(widget, CONTROLS)
        and not isinstance(widget, QScrollBar)
        and not widget.objectName().startswith("qt_")
        and not any(isinstance(above, (QComboBox, QAbstractSpinBox, QLineEdit)) for above in ancestors(widget))
    ]


def test_every_control_has_a_name(window: MainWindow) -> None:
    nameless = [
        f"{type(widget).__name__} in {type(widget.parent()).__name__}"
        for widget in controls(window)
        if not (widget.accessibleName() or getattr(widget, "text", lambda: "")())
    ]
    assert len(controls(window)) > 40
    assert nameless == []


@pytest.mark.parametrize(
    "action", ["show_models", "show_settings", "vary", "edit_styles", "show_shortcuts", "show_about"]
)
def test_every_control_of_the_other_windows_has_a_name_and_fits(qtbot: QtBot, window: MainWindow, action: str) -> None:
    qtbot.waitUntil(lambda: window.model_link is not None)
    window.actions_.action(action).trigger()
    (dialog,) = [one for one in window.findChildren(QDialog) if one.isVisible()]
    if action == "show_models":
        qtbot.waitUntil(lambda: bool(getattr(dialog, "cards", None)))
    nameless = [
        f"{type(widget).__name__} in {type(widget.parent()).__name__}"
        for widget in controls(dialog)
        if not (widget.accessibleName() or getattr(widget, "text", lambda: "")())
    ]
    assert controls(dialog) and nameless == []
    assert dialog.windowTitle()
    assert dialog.width() <= window.width() and dialog.height() <= window.height()
    dialog.close()


def test_every_control_is_reached_by_keyboard(window: MainWindow) -> None:
    """By Tab, or by a shortcut for what a control's neighbour does too (spin buttons, the slider of a spin box)."""
    from PySide6.QtCore import Qt

    unreachable = [
        f"{type(widget).__name__} {widget.accessibleName()}"
        for widget in controls(window)
        if not isinstance(widget, QProgressBar)
        and not widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.isEnabled()
        and widget.property("role") != "suggestions"  # lists that the arrow keys of the field above them move in
    ]
    assert unreachable == []


def test_shortcuts_are_unique_and_named(window: MainWindow) -> None:
    keys = [key for row in ROWS for key in row.keys]
    assert len(keys) == len(set(keys))
    for row in ROWS:
        action = window.actions_.action(row.name)
        assert isinstance(action, QAction) and action.text()


def test_every_action_has_someone_who_carries_it_out(open_window: OpenWindow, paths: Paths) -> None:
    window = open_window(logs=Logs(paths.logs))
    for row in ROWS:
        assert hasattr(window.actions_, row.name) or row.name in window.answers.names, row.name


def test_dialogs_open_and_close(qtbot: QtBot, window: MainWindow) -> None:
    for name in ("show_shortcuts", "show_about", "open_file", "choose_output_folder"):
        window.actions_.action(name).trigger()
        qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not None)
        dialog = QApplication.activeModalWidget()
        assert dialog is not None
        dialog.close()
        qtbot.waitUntil(lambda: QApplication.activeModalWidget() is None)


def test_theme_switches_while_open(window: MainWindow, theme: Theme) -> None:
    def corner() -> str:
        return window.status.grab().toImage().pixelColor(3, 20).name()

    assert corner() == DARK.panel
    window.actions_.action("toggle_theme").trigger()
    QApplication.processEvents()
    assert corner() == LIGHT.panel
    assert window.preferences.theme == "light"


def test_the_window_comes_back_as_it_was(qtbot: QtBot, open_window: OpenWindow, paths: Paths) -> None:
    first = open_window()
    first.resize(780, 700)  # the offscreen platform's screen is small
    size = first.size()
    first.splitter.setSizes([300, 360, 310])
    first.actions_.action("make_clips").trigger()
    first.form.prompts.prompt.replace_text("an owl at dawn")
    first.form.parameters.count.setValue(5)
    first.actions_.action("toggle_advanced").trigger()
    sizes = first.splitter.sizes()
    first.close()
    second = open_window()
    assert second.size() == size
    assert second.splitter.sizes() == sizes
    assert second.session.kind == "video"
    assert second.form.prompts.prompt.text() == "an owl at dawn"
    assert second.form.parameters.count.value() == 5
    assert not second.form.advanced.isHidden()


def test_the_draft_is_on_disk_soon_after_typing(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    """So that a killed window loses no prompt."""
    window.form.prompts.prompt.replace_text("precious words")

    def saved() -> bool:
        return paths.settings_file.exists() and "precious words" in paths.settings_file.read_text()

    qtbot.waitUntil(saved, timeout=10_000)


def test_damaged_settings_are_said_and_set_aside(qtbot: QtBot, open_window: OpenWindow, paths: Paths) -> None:
    paths.settings_file.write_text('{"geometry": 5')
    window = open_window()
    assert any("settings file" in message.text for message in window.messages.messages())
    assert list(paths.config.glob("settings.damaged-*.json"))


def test_nonsense_geometry_is_passed_over(open_window: OpenWindow, paths: Paths) -> None:
    paths.settings_file.write_text(json.dumps({"geometry": "!!!", "splitter": "AAAA"}))
    window = open_window(until_ready=False)
    assert window.width() > 300


def test_busy_library_is_said(qtbot: QtBot, open_window: OpenWindow, paths: Paths) -> None:
    """Another Laterna holds the queue: the window opens, says so, and keeps what is typed."""
    from engine.jobs.queue import JobQueue

    other = JobQueue(paths.queue_database)
    try:
        window = open_window(until_ready=False)
        qtbot.waitUntil(lambda: bool(window.messages.messages()), timeout=15_000)
        assert "Laterna" in window.messages.messages()[0].text
        qtbot.waitUntil(lambda: window.session.engine.state == "stopped")
        (message,) = window.messages.messages()
        assert message.text.count("Another Laterna window has this library open.") == 1
        assert str(paths.queue_database) not in message.text and not message.button
    finally:
        other.close()


def test_generate_saves_the_draft_at_once(qtbot: QtBot, open_window: OpenWindow, paths: Paths) -> None:
    window = open_window()
    window.store.later.setInterval(3_600_000)
    window.form.prompts.prompt.replace_text("an owl at dusk")
    window.actions_.generate()
    file = paths.settings_file
    qtbot.waitUntil(lambda: file.is_file() and "an owl at dusk" in file.read_text(), timeout=5_000)


def test_closing_in_the_middle_of_a_job_leaves_nothing_behind(
    qtbot: QtBot, open_window: OpenWindow, paths: Paths
) -> None:
    window = open_window()
    window.form.prompts.prompt.replace_text("slow apple")
    window.actions_.generate()
    qtbot.waitUntil(lambda: window.session.progress is not None, timeout=10_000)
    window.close()
    assert not [child for child in psutil.Process().children(recursive=True) if "fake_engine" in str(child.cmdline())]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("ui-", "engine-"))]


def test_closing_before_everything_is_there(open_window: OpenWindow) -> None:
    window = open_window(until_ready=False)
    window.close()


def test_what_was_made_before_is_there(qtbot: QtBot, open_window: OpenWindow, paths: Paths) -> None:
    window = open_window()
    window.form.prompts.prompt.replace_text("a red apple")
    window.form.parameters.steps.spin.setValue(2)
    window.actions_.generate()
    qtbot.waitUntil(lambda: window.session.item is not None, timeout=20_000)
    window.close()
    library = Library(paths.library_database, paths.output)
    assert len(library.ids()) == 1
    library.close()
    again = open_window()
    assert again.gallery is not None
    qtbot.waitUntil(lambda: again.gallery is not None and again.gallery.grid.model().rowCount() == 1, timeout=10_000)
