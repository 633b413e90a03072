"""Files from outside in the window: other programs' workflows with their report, pictures to start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from app.paths import Paths
from engine.media import metadata, pictures
from engine.media.environment import Environment
from engine.media.save import save_image
from tests.fakes.clips import write_clip
from tests.fakes.recipes import picture_recipe
from ui.messages import Message
from ui.window.main_window import MainWindow

from .test_main_window import drop, drop_file, make, results, said, wait_idle

CORPUS = Path(__file__).parents[2] / "engine" / "interop" / "corpus"


def message(window: MainWindow, words: str) -> Message:
    return next(one for one in window.messages.messages() if words in one.text)


def start(window: MainWindow) -> str:
    media = window.form.read().recipe.input_of("start")
    return media.path if media is not None else ""


def test_a_workflow_comes_with_its_report(qtbot: QtBot, window: MainWindow) -> None:
    assert drop_file(window, CORPUS / "published-large-ui.json")
    qtbot.waitUntil(lambda: window.form.prompts.prompt.text() == "a red boat", timeout=5000)
    report = window.form.report
    assert not report.isHidden() and report.title.text_whole().startswith("published-large-ui.json")
    assert "sd3.5_large.safetensors" in report.text()
    assert window.form.read().recipe == window.session.draft.recipe


def test_undo_takes_the_report_and_the_message_away(qtbot: QtBot, window: MainWindow) -> None:
    assert drop_file(window, CORPUS / "published-large-ui.json")
    qtbot.waitUntil(lambda: "published-large-ui.json" in said(window), timeout=5000)
    window.actions_.offer_undo("Something else was done.", "something", lambda: None)
    window.actions_.undo()
    assert "Something" not in said(window) and not window.form.report.isHidden()
    window.actions_.undo()
    assert window.form.report.isHidden()
    assert drop_file(window, CORPUS / "published-large-ui.json")
    qtbot.waitUntil(lambda: "published-large-ui.json" in said(window), timeout=5000)
    assert not window.form.report.isHidden()
    window.actions_.undo()
    assert "published-large-ui.json" not in said(window) and window.form.report.isHidden()


def test_several_prompts_of_a_workflow_are_in_the_form(qtbot: QtBot, window: MainWindow) -> None:
    assert drop_file(window, CORPUS / "prompt-switch-api.json")
    qtbot.waitUntil(lambda: window.session.draft.recipe.conditioning is not None, timeout=5000)
    said_ = window.session.draft.recipe.conditioning
    assert said_ is not None
    editor = window.form.advanced.conditioning
    assert (editor.positive.entries(), editor.negative.entries()) == (said_.positive, said_.negative)


def drop_files(window: MainWindow, *paths: Path) -> bool:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return drop(window, data)


def test_several_files_fill_the_form_and_can_all_be_made_again(
    qtbot: QtBot, window: MainWindow, paths: Paths, picture: Path, tmp_path: Path
) -> None:
    made = []
    for seed in (5, 6, 7):
        recipe = picture_recipe(model="laterna-mini-image" if seed < 7 else "gone", prompt=f"owl {seed}", seed=seed)
        made.append(tmp_path / f"{seed}.png")
        save_image(np.full((16, 16, 3), seed, np.uint8), made[-1], recipe, Environment())
    assert drop_files(window, picture, *made)
    qtbot.waitUntil(lambda: "3 of 4 files" in said(window), timeout=5000)
    assert window.session.draft.recipe.seed == 5
    message(window, "3 of 4 files").action()  # type: ignore[misc]
    qtbot.waitUntil(lambda: "1 of 3 cannot be made" in said(window), timeout=5000)
    wait_idle(qtbot, window, paths, 2)
    assert sorted(metadata.read(path).recipe.seed for path in results(paths)) == [5, 6]


def test_several_files_without_a_recipe(qtbot: QtBot, window: MainWindow, picture: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    assert drop_files(window, picture, tmp_path / "a.txt")
    qtbot.waitUntil(lambda: "None of these 2 files" in said(window), timeout=5000)


def test_a_picture_without_a_recipe_is_offered_to_start_from(qtbot: QtBot, window: MainWindow, picture: Path) -> None:
    window.session.set_kind("image")
    assert drop_file(window, picture)
    qtbot.waitUntil(lambda: "start" in said(window), timeout=5000)
    offer = message(window, "start")
    assert offer.button and not start(window)
    offer.action()  # type: ignore[misc]
    qtbot.waitUntil(lambda: start(window) == str(picture), timeout=5000)
    assert not window.form.advanced.isHidden()  # where it and its strength stand
    window.actions_.undo()
    assert not start(window)


@pytest.mark.parametrize("ending", [".heic", ".avif", ".tif", ".bmp", ".gif"])
def test_every_kind_of_picture_is_offered_to_start_from(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"photo{ending}"
    pictures.pillow().new("RGB", (64, 48), (60, 200, 60)).save(path)
    window.session.set_kind("image")
    assert drop_file(window, path)
    qtbot.waitUntil(lambda: "start" in said(window), timeout=5000)
    message(window, "start").action()  # type: ignore[misc]
    qtbot.waitUntil(lambda: start(window) == str(path), timeout=5000)


def test_from_clips_it_goes_over_to_pictures(qtbot: QtBot, window: MainWindow, picture: Path) -> None:
    window.session.set_kind("video")
    window.files.start_from(picture)
    qtbot.waitUntil(lambda: start(window) == str(picture), timeout=5000)
    assert window.session.kind == "image"
    window.actions_.undo()
    assert window.session.kind == "video"


def test_what_is_no_picture_is_not_started_from(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"nothing")
    window.files.start_from(broken)
    qtbot.waitUntil(lambda: "broken.png" in said(window), timeout=5000)
    assert not start(window)


def test_the_item_shown_becomes_the_start(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    window.session.set_kind("image")
    make(qtbot, window, "a red apple")
    wait_idle(qtbot, window, paths, 1)
    qtbot.waitUntil(lambda: window.session.item is not None, timeout=5000)
    window.actions_.action("start_from_item").trigger()
    qtbot.waitUntil(lambda: start(window) == str(results(paths)[0]), timeout=5000)


def test_the_frame_of_a_clip_becomes_the_start(qtbot: QtBot, window: MainWindow, paths: Paths, tmp_path: Path) -> None:
    item = write_clip(tmp_path / "clip.mp4", 5)
    assert window.view is not None
    window.view.show_item(item)
    window.session.set_item(item)
    qtbot.waitUntil(lambda: window.view is not None and window.view.exports.frame_shown() is not None, timeout=10_000)
    window.actions_.action("start_from_item").trigger()
    qtbot.waitUntil(lambda: bool(start(window)), timeout=5000)
    kept = Path(start(window))
    assert kept.parent == paths.inputs and QImage(str(kept)).width() > 0
