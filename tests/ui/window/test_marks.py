"""Marking in the real window: by key and by dialog, and back again with Undo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from app.composition import open_files, raise_window
from app.logs import Logs
from app.paths import Paths
from engine.library.item import Item
from engine.library.marks import MarkChange
from engine.media.environment import Environment
from engine.media.save import save_image
from tests.fakes.recipes import picture_recipe
from ui.library.label_dialog import LabelDialog
from ui.window.main_window import MainWindow
from ui.window.reports import ReportDialog


@pytest.fixture
def filled(paths: Paths) -> Paths:
    """Three pictures that are there before the window opens."""
    for seed in (1, 2, 3):
        pixels = np.full((16, 16, 3), seed, np.uint8)
        recipe = picture_recipe(prompt=f"picture {seed}", seed=seed)
        save_image(pixels, paths.output / f"{seed}.png", recipe, Environment())
    return paths


@pytest.fixture
def shown(filled: Paths, open_window, qtbot: QtBot) -> MainWindow:
    window = open_window()
    qtbot.waitUntil(lambda: window.gallery.grid.model().rowCount() == 3, timeout=10_000)
    return window


def items(window: MainWindow) -> list[Item]:
    library = window.item_actions.library
    return library.items(library.ids())  # type: ignore[union-attr]


def ratings(window: MainWindow) -> list[int]:
    return [item.rating for item in items(window)]


def test_keys_rate_what_is_chosen_and_undo_takes_it_back(qtbot: QtBot, shown: MainWindow) -> None:
    grid = shown.gallery.grid
    grid.selectAll()
    grid.setFocus()
    with qtbot.waitSignal(shown.item_actions.library_changed):
        QTest.keyClick(grid, Qt.Key.Key_4)
    assert ratings(shown) == [4, 4, 4]
    shown.gallery.step(0)
    with qtbot.waitSignal(shown.item_actions.library_changed):
        QTest.keyClick(grid, Qt.Key.Key_0)
    assert sorted(ratings(shown)) == [0, 4, 4]
    assert "rating" in shown.actions_.action("undo").text()
    shown.actions_.undo()
    qtbot.waitUntil(lambda: ratings(shown) == [4, 4, 4])
    shown.actions_.undo()
    qtbot.waitUntil(lambda: ratings(shown) == [0, 0, 0])


def test_digits_in_the_prompt_stay_digits(qtbot: QtBot, shown: MainWindow) -> None:
    shown.gallery.step(0)
    prompt = shown.form.prompts.prompt
    prompt.setFocus()
    QTest.keyClicks(prompt, "3 owls")
    assert "3 owls" in prompt.toPlainText()
    assert ratings(shown) == [0, 0, 0]


@pytest.mark.parametrize(("action", "field"), [("edit_tags", "tags"), ("edit_albums", "albums")])
def test_the_dialog_marks_all_that_is_chosen(qtbot: QtBot, shown: MainWindow, action: str, field: str) -> None:
    shown.gallery.grid.selectAll()
    shown.actions_.action(action).trigger()
    dialog = shown.findChild(LabelDialog)
    QTest.keyClicks(dialog.field, "owls")
    QTest.keyClick(dialog.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [getattr(item, field) for item in items(shown)] == [("owls",)] * 3)
    dialog.close()
    qtbot.waitUntil(lambda: bool(getattr(shown.gallery.filters.facets, field)))
    shown.actions_.undo()
    qtbot.waitUntil(lambda: [getattr(item, field) for item in items(shown)] == [()] * 3)


def test_dragged_onto_an_album(qtbot: QtBot, shown: MainWindow) -> None:
    shown.gallery.album_wanted.emit([items(shown)[0].id], "Trip")
    qtbot.waitUntil(lambda: items(shown)[0].albums == ("Trip",))
    shown.gallery.album_wanted.emit([items(shown)[1].id], "")
    dialog = shown.findChild(LabelDialog)
    assert dialog is not None and dialog.windowTitle() == "Albums"
    dialog.close()


def managed(window: MainWindow, title: str) -> LabelDialog:
    """The dialog for all tags or albums, from the menu of filters, its first row chosen."""
    menu = window.gallery.filters.build_menu()
    entries = next(action.menu() for action in menu.actions() if action.text() == title)
    next(action for action in entries.actions() if action.text().startswith("Rename")).trigger()
    dialog = window.findChild(LabelDialog)
    assert dialog is not None and dialog.field.isHidden()
    dialog.list.setCurrentRow(0)
    return dialog


def renamed(dialog: LabelDialog, name: str) -> None:
    """F2, the name, Enter."""
    QTest.keyClick(dialog.list, Qt.Key.Key_F2)
    editor = dialog.list.findChild(QLineEdit)
    editor.setText(name)
    QTest.keyClick(editor, Qt.Key.Key_Return)


def test_a_tag_is_renamed_put_together_and_taken_back(qtbot: QtBot, shown: MainWindow) -> None:
    ids = [item.id for item in items(shown)]
    for n, tag in enumerate(("draft", "owl")):
        shown.item_actions.mark([ids[n]], MarkChange(add_tags=(tag,)), "tags")
    qtbot.waitUntil(lambda: len(shown.gallery.filters.facets.tags) == 2)
    shown.gallery.filters.choose(tag="draft")
    dialog = managed(shown, "Tag")
    renamed(dialog, "night")
    qtbot.waitUntil(lambda: shown.gallery.filters.facets.tags == (("night", 1), ("owl", 1)))
    assert shown.gallery.filters.filter.tag == "night"
    renamed(dialog, "OWL")
    qtbot.waitUntil(lambda: shown.gallery.filters.facets.tags == (("owl", 2),))
    assert [row.text() for row in dialog._rows()] == ["owl"]
    dialog.close()
    qtbot.waitUntil(lambda: any("is “owl” now" in message.text for message in shown.messages.messages()))
    shown.actions_.undo()
    qtbot.waitUntil(lambda: shown.gallery.filters.facets.tags == (("night", 1), ("owl", 1)))
    shown.actions_.undo()
    qtbot.waitUntil(lambda: shown.gallery.filters.facets.tags == (("draft", 1), ("owl", 1)))


def test_an_album_goes_and_comes_back(qtbot: QtBot, shown: MainWindow) -> None:
    shown.gallery.album_wanted.emit([items(shown)[0].id], "Trip")
    qtbot.waitUntil(lambda: bool(shown.gallery.filters.facets.albums))
    shown.gallery.filters.choose(album="Trip")
    qtbot.waitUntil(lambda: shown.gallery.grid.model().rowCount() == 1)
    dialog = managed(shown, "Album")
    QTest.keyClick(dialog.list, Qt.Key.Key_Delete)
    dialog.close()
    qtbot.waitUntil(lambda: items(shown)[0].albums == () and shown.gallery.filters.facets.albums == ())
    qtbot.waitUntil(lambda: any(message.button == "Undo" for message in shown.messages.messages()))
    shown.actions_.undo()
    qtbot.waitUntil(lambda: shown.gallery.filters.facets.albums == (("Trip", 1),))


def test_copy_in_the_gallery_takes_picture_and_file(qtbot: QtBot, shown: MainWindow, filled: Paths) -> None:
    shown.gallery.step(0)
    QTest.keyClick(shown.gallery.grid, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: any("Copied" in message.text for message in shown.messages.messages()))
    mime = QApplication.clipboard().mimeData()
    assert Path(mime.urls()[0].toLocalFile()).parent == filled.output
    assert mime.hasImage()


def test_copying_several_takes_the_files_that_are_there(qtbot: QtBot, shown: MainWindow, filled: Paths) -> None:
    (filled.output / "2.png").unlink()
    shown.gallery.grid.selectAll()
    shown.gallery.grid.setFocus()
    QTest.keyClick(shown.gallery.grid, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: any("2 files copied" in message.text for message in shown.messages.messages()))
    mime = QApplication.clipboard().mimeData()
    assert sorted(Path(url.toLocalFile()).name for url in mime.urls()) == ["1.png", "3.png"] and not mime.hasImage()
    shown.hand_over.copy_items([item for item in items(shown) if item.path.name == "2.png"])
    qtbot.waitUntil(lambda: any("not there any more" in message.text for message in shown.messages.messages()))


def test_a_second_start_raises_the_window_and_opens_its_file(qtbot: QtBot, shown: MainWindow, filled: Paths) -> None:
    shown.showMinimized()
    raise_window(shown, [str(filled.output / "2.png")])
    assert not shown.isMinimized()
    qtbot.waitUntil(lambda: shown.session.draft.recipe.seed == 2)
    open_files(shown, ["/nowhere.png"])
    qtbot.waitUntil(lambda: any("nowhere" in message.text for message in shown.messages.messages()))


def test_a_report_can_be_looked_at_and_saved(qtbot: QtBot, open_window, paths: Paths, tmp_path: Path) -> None:
    logs = Logs(paths.logs)
    logs.crashed = True
    window = open_window("--die-at-step", "2", until_ready=False, logs=logs)
    qtbot.waitUntil(lambda: any("unexpectedly" in message.text for message in window.messages.messages()))
    message = next(message for message in window.messages.messages() if "unexpectedly" in message.text)
    assert message.button == "Show report"
    window.form.prompts.prompt.setPlainText("a very private wish")
    window.actions_.action("save_report").trigger()
    dialog = window.findChild(ReportDialog)
    assert "ended unexpectedly" in dialog.text.toPlainText()
    assert "private wish" not in dialog.text.toPlainText()
    dialog.note.setText("it rained")
    dialog.save(tmp_path / "report.txt")
    assert (tmp_path / "report.txt").read_text() == dialog.text.toPlainText()
    assert "Note: it rained" in dialog.text.toPlainText()
    dialog.close()
    assert len(list(logs.reports.glob("*-window.txt"))) == 1
