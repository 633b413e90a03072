"""The whole window over a scripted engine: from a typed prompt to a file, and what goes wrong on the way."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.paths import Paths
from engine.media import metadata
from engine.protocol.errors import NotFinite
from engine.protocol.recipe import Adapter, Recipe
from ui.stalls import StallMonitor
from ui.window.main_window import MainWindow
from ui.window.tour import Tour

STEPS = 6


def make(qtbot: QtBot, window: MainWindow, prompt: str, steps: int = STEPS) -> None:
    """Type a prompt and press Ctrl+Return."""
    window.form.prompts.prompt.replace_text(prompt)
    window.form.parameters.steps.spin.setValue(steps)
    qtbot.keyClick(window.form.prompts.prompt, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)


def said(window: MainWindow) -> str:
    return "\n".join(message.text for message in window.messages.messages())


def results(paths: Paths) -> list[Path]:
    return sorted(path for path in paths.output.iterdir() if path.suffix in (".png", ".mp4"))


def wait_idle(qtbot: QtBot, window: MainWindow, paths: Paths, files: int) -> None:
    qtbot.waitUntil(lambda: len(results(paths)) == files and not window.session.jobs, timeout=30_000)


def shown_prompt(window: MainWindow) -> str:
    item = window.session.item
    return item.recipe.prompt if item is not None and item.recipe is not None else ""


def drop(window: MainWindow, data: QMimeData) -> bool:
    """Drop over the middle of the window; whether it was taken."""
    where = QPoint(window.width() // 2, window.height() // 2)
    enter = QDragEnterEvent(
        where, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    enter.setAccepted(False)
    QApplication.sendEvent(window, enter)
    if not enter.isAccepted():
        return False
    event = QDropEvent(
        QPointF(where), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(window, event)
    return True


def drop_file(window: MainWindow, path: Path) -> bool:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    return drop(window, data)


def engine_of(_window: MainWindow) -> psutil.Process:
    return next(child for child in psutil.Process().children() if "fake_engine" in " ".join(child.cmdline()))


@pytest.fixture(autouse=True)
def _active(qtbot: QtBot, window: MainWindow) -> None:
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)


def test_from_prompt_to_picture(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    make(qtbot, window, "a red apple")
    qtbot.waitUntil(lambda: window.session.progress is not None)
    assert not window.form.cancel_button.isHidden()
    wait_idle(qtbot, window, paths, 1)
    (file,) = results(paths)
    recipe = metadata.read(file).recipe
    assert recipe is not None and (recipe.prompt, recipe.steps) == ("a red apple", STEPS)
    assert recipe.seed == window.session.draft.recipe.seed  # the seed that was drawn stands in the form
    qtbot.waitUntil(lambda: window.session.item is not None and window.session.item.path == file, timeout=10_000)
    assert window.form.cancel_button.isHidden()
    assert window.status.engine.text_whole().startswith("Engine ready")


def test_batch_gets_different_seeds(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    window.form.parameters.count.setValue(3)
    make(qtbot, window, "a red apple", 2)
    wait_idle(qtbot, window, paths, 3)
    recipes = [metadata.read(file).recipe for file in results(paths)]
    assert len({recipe.seed for recipe in recipes if recipe}) == 3


def test_clip(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    window.actions_.action("make_clips").trigger()
    make(qtbot, window, "an owl", 2)
    wait_idle(qtbot, window, paths, 1)
    qtbot.waitUntil(lambda: window.session.item is not None and window.session.item.kind == "video", timeout=10_000)
    assert window.session.item is not None and window.session.item.frames == 9


def test_bad_value_is_refused_at_its_field_and_nothing_is_queued(
    qtbot: QtBot, window: MainWindow, paths: Paths
) -> None:
    window.form.parameters.size_field.set_size(100, 128)
    make(qtbot, window, "a red apple")
    error = window.form.parameters._errors["width"][0]
    assert "multiple of 16" in error.text() and not error.isHidden()
    assert window.form.prompts.prompt.text() == "a red apple"
    assert not window.session.jobs
    window.form.parameters.size_field.set_size(64, 64)
    make(qtbot, window, "a red apple", 2)
    wait_idle(qtbot, window, paths, 1)
    assert error.isHidden()


def test_cancel_by_escape(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    make(qtbot, window, "slow apple", 50)
    qtbot.waitUntil(lambda: window.session.progress is not None and window.session.progress.stage == "denoising")
    qtbot.keyClick(window.form.prompts.prompt, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.session.jobs, timeout=10_000)
    assert results(paths) == []
    make(qtbot, window, "a red apple", 2)
    wait_idle(qtbot, window, paths, 1)


def test_after_a_cancel_the_view_follows_the_next_job(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    make(qtbot, window, "a red apple", 2)
    wait_idle(qtbot, window, paths, 1)
    qtbot.waitUntil(lambda: window.session.item is not None, timeout=10_000)
    make(qtbot, window, "slow apple", 50)
    qtbot.waitUntil(lambda: window.session.progress is not None and window.session.item is None, timeout=10_000)
    make(qtbot, window, "slow pear", 4)
    qtbot.waitUntil(lambda: window.session.waiting == 1)
    qtbot.keyClick(window.form.prompts.prompt, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window.session.progress is not None and not window.session.waiting, timeout=10_000)
    assert window.feed.following and window.session.item is None
    wait_idle(qtbot, window, paths, 2)
    qtbot.waitUntil(lambda: shown_prompt(window) == "slow pear", timeout=10_000)


def test_engine_killed_is_said_and_the_next_job_works(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    make(qtbot, window, "slow apple", 10)
    qtbot.waitUntil(lambda: window.session.progress is not None and window.session.progress.stage == "denoising")
    os.kill(engine_of(window).pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: "The engine stopped" in said(window), timeout=10_000)
    assert "SIGKILL" not in said(window)
    assert window.form.prompts.prompt.text() == "slow apple"
    qtbot.waitUntil(lambda: window.session.engine.state in ("ready", "working"), timeout=20_000)
    assert "It is running again." in said(window)
    window.actions_.cancel()
    qtbot.waitUntil(lambda: not window.session.jobs, timeout=20_000)
    before = len(results(paths))
    make(qtbot, window, "a red apple", 2)
    wait_idle(qtbot, window, paths, before + 1)


def test_failed_job_says_why_and_the_form_keeps_its_text(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    make(qtbot, window, "fail please")
    qtbot.waitUntil(lambda: bool(said(window)), timeout=10_000)
    assert "The job needs 99 GB" in said(window)
    assert window.form.prompts.prompt.text() == "fail please"
    make(qtbot, window, "a red apple", 2)
    wait_idle(qtbot, window, paths, 1)


def test_dropped_file_restores_every_setting(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    parameters = window.form.parameters
    window.actions_.action("make_clips").trigger()
    parameters.length.frames.setValue(17)
    parameters.guidance.slider.setValue(45)
    window.form.prompts.negative.replace_text("blur")
    make(qtbot, window, "an owl", 3)
    wait_idle(qtbot, window, paths, 1)
    made = metadata.read(results(paths)[0]).recipe
    assert made is not None
    window.actions_.action("make_images").trigger()
    window.form.prompts.prompt.replace_text("something else")
    assert drop_file(window, results(paths)[0])
    qtbot.waitUntil(lambda: window.session.kind == "video" and window.session.draft.recipe.prompt == "an owl")
    assert window.form.read().recipe == made.replace(model_hashes={})
    assert not window.session.draft.random_seed
    window.actions_.action("undo").trigger()
    assert window.session.kind == "image" and window.form.prompts.prompt.text() == "something else"


def test_dropped_text_becomes_the_prompt(window: MainWindow) -> None:
    data = QMimeData()
    data.setText("a lantern over the hills")
    assert drop(window, data)
    assert window.form.prompts.prompt.text() == "a lantern over the hills"


def test_dropped_workflow_fills_the_form(qtbot: QtBot, window: MainWindow) -> None:
    workflow = Path(__file__).parents[2] / "engine" / "interop" / "corpus" / "published-large-ui.json"
    assert drop_file(window, workflow)
    qtbot.waitUntil(lambda: window.form.prompts.prompt.text() == "a red boat", timeout=5000)
    recipe = window.form.read().recipe
    assert (recipe.negative_prompt, recipe.guidance, recipe.seed) == ("blurry", 4.5, 7)
    assert "SD 3.5 Large" in said(window)


@pytest.mark.parametrize("kind", ["text", "damaged", "no recipe", "folder", "missing", "address"])
def test_wrong_file_gives_a_sentence(qtbot: QtBot, window: MainWindow, tmp_path: Path, kind: str) -> None:
    window.form.prompts.prompt.replace_text("mine")
    path = tmp_path / "wrong.png"
    if kind == "text":
        path.write_text("not a picture")
    elif kind == "damaged":
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 50)
    elif kind == "no recipe":
        window.grab().save(str(path))
    elif kind == "folder":
        path.mkdir()
    data = QMimeData()
    data.setUrls([QUrl("https://example.org/a.png") if kind == "address" else QUrl.fromLocalFile(str(path))])
    assert drop(window, data)
    qtbot.waitUntil(lambda: bool(said(window)), timeout=5000)
    assert said(window).endswith(".")
    assert window.form.prompts.prompt.text() == "mine"


def test_a_stranger_makes_a_first_picture_by_one_click(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    (tour,) = window.findChildren(Tour)
    assert "a red apple on the left" in window.form.prompts.prompt.placeholderText()
    tour.example.click()
    qtbot.waitUntil(lambda: bool(results(paths)), timeout=30_000)
    recipe = metadata.read(results(paths)[0]).recipe
    assert recipe is not None and recipe.prompt == "a red apple on the left"
    assert window.preferences.toured and not window.findChildren(Tour)


def test_recipe_of_a_model_that_is_not_here(qtbot: QtBot, window: MainWindow) -> None:
    window.actions_.restore(Recipe(family="sd35", model="sd3.5-large", prompt="an owl", steps=40), "owl.png")
    assert "SD 3.5 Large" in said(window) and "not on this machine" in said(window)
    (told,) = [message for message in window.messages.messages() if "not on this machine" in message.text]
    assert told.button and told.other_action is not None
    told.other_action()
    models = window.pages.models
    assert models is not None
    qtbot.waitUntil(lambda: "sd3.5-large" in models.cards)
    qtbot.waitUntil(lambda: models.cards["sd3.5-large"].property("found") is True)
    recipe = window.form.read().recipe
    assert (recipe.model, recipe.steps, recipe.prompt) == ("laterna-mini-image", 40, "an owl")


def test_delete_and_undo(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    make(qtbot, window, "a red apple", 2)
    wait_idle(qtbot, window, paths, 1)
    qtbot.waitUntil(lambda: window.session.item is not None, timeout=10_000)
    window.actions_.action("delete").trigger()
    qtbot.waitUntil(lambda: results(paths) == [] and window.session.item is None, timeout=10_000)
    assert "trash" in said(window)
    window.actions_.action("undo").trigger()
    qtbot.waitUntil(lambda: len(results(paths)) == 1, timeout=10_000)


def test_favourite(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    make(qtbot, window, "a red apple", 2)
    wait_idle(qtbot, window, paths, 1)
    qtbot.waitUntil(lambda: window.session.item is not None, timeout=10_000)
    window.actions_.action("toggle_favourite").trigger()
    qtbot.waitUntil(lambda: window.session.item is not None and window.session.item.favourite, timeout=10_000)
    assert window.actions_.action("toggle_favourite").text() == "Remove from favourites"


def test_use_recipe_and_seed_of_an_item(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    make(qtbot, window, "a red apple", 2)
    wait_idle(qtbot, window, paths, 1)
    qtbot.waitUntil(lambda: window.session.item is not None, timeout=10_000)
    item = window.session.item
    assert item is not None and item.recipe is not None
    window.form.prompts.prompt.replace_text("other")
    window.form.parameters.seed.draw()
    window.actions_.action("use_seed").trigger()
    assert window.session.draft.recipe.seed == item.recipe.seed
    assert window.session.draft.recipe.prompt == "other"
    window.actions_.action("use_recipe").trigger()
    assert window.form.read().recipe == item.recipe.replace(model_hashes={})


def test_looking_at_another_item_ends_following(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    make(qtbot, window, "a red apple", 2)
    wait_idle(qtbot, window, paths, 1)
    qtbot.waitUntil(lambda: window.session.item is not None, timeout=10_000)
    first = window.session.item
    assert first is not None and window.gallery is not None
    make(qtbot, window, "slow apple", 50)
    qtbot.waitUntil(lambda: window.session.progress is not None and window.session.progress.step >= 1, timeout=10_000)
    assert window.feed.following
    window.gallery.select(first.id)
    qtbot.waitUntil(lambda: window.session.item == first)
    assert not window.feed.following
    window.actions_.cancel()
    qtbot.waitUntil(lambda: not window.session.jobs, timeout=10_000)
    assert window.session.item == first


def test_soft_keys_leave_focused_controls_their_keys(qtbot: QtBot, window: MainWindow) -> None:
    prompt = window.form.prompts.prompt
    prompt.replace_text("")
    prompt.setFocus()
    qtbot.keyClicks(prompt, "a b")
    assert prompt.text() == "a b"
    button = window.form.disclosure
    button.setFocus()
    was = button.isChecked()
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert button.isChecked() is not was


def test_the_button_of_a_message_takes_back_only_what_it_speaks_of(window: MainWindow) -> None:
    """After Ctrl+Z the message was still there, and its button took back whatever had come since."""
    back: list[str] = []
    window.actions_.offer_undo("One was done.", "one", lambda: back.append("one"))
    (message,) = [message for message in window.messages.messages() if message.text == "One was done."]
    window.actions_.undo()
    window.actions_.push_undo("two", lambda: back.append("two"))
    assert message.action is not None
    message.action()
    assert back == ["one"]
    window.actions_.undo()
    assert back == ["one", "two"]


def test_a_key_that_is_held_down_acts_once(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    """Ctrl+Enter held for a second once queued a row of jobs, and Delete threw away one picture after the other."""
    for name in ("generate", "vary", "undo", "quit"):
        assert not window.actions_.action(name).autoRepeat()
    assert window.actions_.action("next_item").autoRepeat()
    calls: list[str] = []
    cancel = window.actions_.action("cancel")
    cancel.setEnabled(True)
    cancel.triggered.connect(lambda: calls.append("cancel"))
    for is_repeat in (False, True, True):
        event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier, "", is_repeat)
        window.keyPressEvent(event)
    assert len(calls) == 1


def test_gui_thread_stays_free_while_generating(
    qtbot: QtBot, window: MainWindow, paths: Paths, record_property: pytest.RecordProperty
) -> None:
    """A report, since a busy machine says nothing about Laterna: the longest block while three jobs run."""
    monitor = StallMonitor()
    window.form.parameters.count.setValue(3)
    monitor.start()
    make(qtbot, window, "a red apple", 20)
    wait_idle(qtbot, window, paths, 3)
    longest = monitor.stop()
    record_property("longest_stall_seconds", round(longest, 4))
    print(f"longest stall {longest * 1000:.0f} ms; over 50 ms: {[round(stall.seconds, 3) for stall in monitor.stalls]}")
    assert monitor.beats > 0


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("weights", "int8", "Take the exact weights"), ("adapters", (Adapter("loud.safetensors"),), "Take the LoRAs off")],
)
def test_a_result_that_is_not_finite_offers_what_helps(
    qtbot: QtBot, window: MainWindow, field: str, value: object, words: str
) -> None:
    window.session.replace(window.session.draft.with_recipe(**{field: value}))
    window.feed.refused.emit(NotFinite("Step 1 of 4 gave numbers that are not finite.", "Try it.", field=field).info())
    (message,) = [message for message in window.messages.messages() if "not finite" in message.text]
    assert message.button == words and message.action is not None
    message.action()
    assert getattr(window.session.draft.recipe, field) == getattr(Recipe(family="", model=""), field)
