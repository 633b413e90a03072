"""What a file that is dragged over the form could become, and what it becomes."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.protocol.recipe import Recipe
from tests.fakes.loras import write_lora, write_tensors
from ui.generate.drop_targets import LORA, MODEL, RECIPE, START, uses_of
from ui.player.export import save_frame
from ui.window.main_window import MainWindow


def dragged(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def place(window: MainWindow, use: str) -> QPoint:
    """Over the form, where ``use`` is offered; "" for the form as it is."""
    form = window.form
    frame = form.drop_targets._frames.get(use)
    inside = frame.mapTo(form, frame.rect().center()) if frame is not None else form.rect().center()
    return form.mapTo(window, inside)


def enter(window: MainWindow, data: QMimeData) -> None:
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window, QDragEnterEvent(place(window, ""), copy, data, left, none))
    window.form.drop_targets.layout().activate()


def drop(window: MainWindow, data: QMimeData, use: str = "") -> None:
    enter(window, data)
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window, QDropEvent(QPointF(place(window, use)), copy, data, left, none))


@pytest.mark.parametrize(
    ("name", "takes", "uses"),
    [
        ("a.PNG", True, (RECIPE, START)),
        ("a.png", False, (RECIPE,)),
        ("a.safetensors", True, (LORA, MODEL)),
        ("a.gguf", True, (MODEL,)),
        ("a.mp4", True, ()),
        ("a.json", True, ()),
    ],
)
def test_what_a_file_could_become(name: str, takes: bool, uses: tuple[str, ...]) -> None:
    assert uses_of(Path(name), takes) == uses


def test_the_targets_come_with_the_drag_and_go_with_it(window: MainWindow, picture: Path) -> None:
    targets = window.form.drop_targets
    enter(window, dragged(picture))
    assert targets.isVisible() and targets.geometry() == window.form.rect()
    assert targets.use_at(window.mapToGlobal(place(window, START))) == START
    assert targets._frames[START].property("over") is True and targets._frames[RECIPE].property("over") is False
    QApplication.sendEvent(window, QDragLeaveEvent())
    assert targets.isHidden() and targets.use_at(QPoint(0, 0)) == ""
    enter(window, dragged(picture, picture))
    assert targets.isHidden()


def test_a_picture_is_started_from_though_advanced_is_closed(qtbot: QtBot, window: MainWindow, picture: Path) -> None:
    assert window.form.advanced.isHidden()
    drop(window, dragged(picture), START)
    qtbot.waitUntil(lambda: bool(window.session.draft.recipe.inputs), timeout=5000)
    assert window.session.draft.recipe.inputs[0].path == str(picture)  # type: ignore[union-attr]
    assert not window.form.advanced.isHidden() and window.form.drop_targets.isHidden()


def test_a_picture_with_a_recipe_gives_either(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    recipe = Recipe("sd35", "laterna-mini-image", prompt="an owl", width=64, height=64)
    path = save_frame(QImage(64, 64, QImage.Format.Format_RGB32), tmp_path / "owl.png", recipe)
    drop(window, dragged(path), RECIPE)
    qtbot.waitUntil(lambda: window.form.prompts.prompt.text() == "an owl", timeout=5000)
    drop(window, dragged(path), START)
    qtbot.waitUntil(lambda: bool(window.session.draft.recipe.inputs), timeout=5000)


def test_a_lora_goes_into_the_form(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    drop(window, dragged(write_lora(tmp_path / "ink.safetensors")), LORA)
    qtbot.waitUntil(lambda: [one.name for one in window.session.draft.recipe.adapters] == ["ink.safetensors"])
    assert not window.form.advanced.isHidden()


def test_elsewhere_on_the_window_its_content_decides(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    window.drops._use(write_lora(tmp_path / "ink.safetensors"), "")
    qtbot.waitUntil(lambda: bool(window.session.draft.recipe.adapters), timeout=5000)
    model = write_tensors(tmp_path / "nothing known.safetensors", {"weight": (1,)})
    window.drops._use(model, "")
    qtbot.waitUntil(lambda: window.pages.models is not None, timeout=5000)
    page = window.pages.models
    assert page is not None
    qtbot.waitUntil(lambda: "nothing known" in page.error.text(), timeout=5000)


def test_what_is_dragged_from_the_gallery_to_the_form_is_followed_on_its_way(
    window: MainWindow, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Qt tells a window that refuses a drag as it enters of no move."""
    monkeypatch.setattr(QDropEvent, "source", lambda _event: window.gallery)
    data, copy = dragged(picture), Qt.DropAction.CopyAction
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    gallery = window.gallery.mapTo(window, window.gallery.rect().center())
    enters = QDragEnterEvent(gallery, copy, data, left, none)
    QApplication.sendEvent(window, enters)
    assert enters.isAccepted() and not window.form.drop_targets.isVisible()
    for place_now, here in ((gallery, False), (place(window, ""), True), (gallery, False)):
        moves = QDragMoveEvent(place_now, copy, data, left, none)
        QApplication.sendEvent(window, moves)
        assert moves.isAccepted() is here and window.form.drop_targets.isVisible() is here
