"""What was deleted, in the real window: seen, put back, and cleared away where the trash was emptied."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.paths import Paths
from engine.library.filters import Filter
from engine.media.environment import Environment
from engine.media.save import save_image
from tests.fakes.recipes import picture_recipe
from ui.library.captions import spoken
from ui.library.head import DELETED
from ui.window.main_window import MainWindow


@pytest.fixture
def shown(paths: Paths, open_window, qtbot: QtBot) -> MainWindow:
    """Three pictures, the second and the third deleted, and what was deleted on the screen."""
    for seed in (1, 2, 3):
        recipe = picture_recipe(prompt=f"picture {seed}", seed=seed)
        save_image(np.full((16, 16, 3), seed, np.uint8), paths.output / f"{seed}.png", recipe, Environment())
    window = open_window()
    rows = window.gallery.grid.model().rowCount
    qtbot.waitUntil(lambda: rows() == 3, timeout=10_000)
    ids = sorted(window.item_actions.library.ids(), key=lambda id: window.item_actions.library.item(id).path)
    window.item_actions.delete(ids[1:])
    qtbot.waitUntil(lambda: rows() == 1)
    window.gallery.filter.setCurrentIndex(DELETED)
    qtbot.waitUntil(lambda: rows() == 2)
    return window


def deleted(window: MainWindow) -> list[str]:
    library = window.item_actions.library
    return sorted(item.path.name for item in library.items(library.ids(filter=Filter(deleted=True))))


def test_all_that_is_chosen_is_put_back_and_undone(qtbot: QtBot, shown: MainWindow, paths: Paths) -> None:
    bar, grid = shown.gallery.deleted_bar, shown.gallery.grid
    assert bar.isVisible() and not bar.put_back.isEnabled()
    grid.setFocus()
    grid.selectAll()
    assert bar.put_back.text() == "Put back 2"
    qtbot.mouseClick(bar.put_back, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: grid.model().rowCount() == 0)
    assert sorted(path.name for path in paths.output.glob("*.png")) == ["1.png", "2.png", "3.png"]
    qtbot.waitUntil(lambda: "putting back" in shown.actions_.action("undo").text())
    shown.actions_.undo()
    qtbot.waitUntil(lambda: deleted(shown) == ["2.png", "3.png"])
    qtbot.waitUntil(lambda: grid.model().rowCount() == 2)
    shown.gallery.filter.setCurrentIndex(0)
    assert not bar.isVisible()


def test_the_key_puts_back_and_delete_does_nothing_here(qtbot: QtBot, shown: MainWindow, paths: Paths) -> None:
    shown.gallery.step(0)
    item = shown.gallery.current_item()
    assert item.trashed is not None and "in the trash" in spoken(item)
    qtbot.waitUntil(lambda: not shown.view.canvas.image.isNull())
    assert shown.actions_.action("put_back").isEnabled() and not shown.actions_.action("delete").isEnabled()
    QTest.keyClick(shown.gallery.grid, Qt.Key.Key_Delete)
    shown.actions_.action("put_back").trigger()
    qtbot.waitUntil(lambda: item.path.exists() and item.path.name not in deleted(shown))


def test_what_was_put_back_while_it_is_looked_at_is_read_anew(qtbot: QtBot, shown: MainWindow) -> None:
    gallery, library = shown.gallery, shown.item_actions.library
    gallery.step(0)
    id = gallery.selected_ids()[0]
    change = library.restore([id])
    with qtbot.waitSignal(gallery.item_selected) as told:
        gallery.library_changed(change)
    assert told.args[0].id == id and told.args[0].trashed is None


def test_the_menu_offers_it(qtbot: QtBot, shown: MainWindow) -> None:
    shown.gallery.step(0)
    shown.gallery._show_menu(shown.gallery.grid.tile_rect(0).center())
    (menu,) = (child for child in shown.gallery.findChildren(QMenu) if child.isVisible())
    names = [action.text() for action in menu.actions()]
    assert "Put back from the trash" in names and "Delete" not in names
    assert names.count("Use this recipe") == 1
    next(action for action in menu.actions() if action.text() == "Put back from the trash").trigger()
    menu.close()
    qtbot.waitUntil(lambda: len(deleted(shown)) == 1)


def test_an_emptied_trash_is_said_and_the_recipe_stays(qtbot: QtBot, shown: MainWindow, tmp_path: Path) -> None:
    gallery, library = shown.gallery, shown.item_actions.library
    shown.item_actions.forget_deleted()
    qtbot.waitUntil(lambda: any("still in the trash" in message.text for message in shown.messages.messages()))
    for id in library.ids(filter=Filter(deleted=True)):
        library.item(id).file.unlink()
    gallery.filter.setCurrentIndex(0)
    gallery.filter.setCurrentIndex(DELETED)
    gallery.library_changed(type(library.reconcile())(everything=True))
    gallery.step(0)
    qtbot.waitUntil(lambda: "emptied" in shown.view.notice.text())
    assert "not in the trash any more" in spoken(gallery.current_item())
    gallery.grid.grab()
    seed = gallery.current_item().recipe.seed
    shown.actions_.action("use_recipe").trigger()
    assert shown.session.draft.recipe.seed == seed
    shown.item_actions.put_back(gallery.selected_ids())
    qtbot.waitUntil(lambda: any("not in the trash any more" in one.text for one in shown.messages.messages()))
    qtbot.mouseClick(gallery.deleted_bar.forget, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: deleted(shown) == [] and gallery.grid.model().rowCount() == 0)


def test_a_trash_that_is_emptied_while_it_is_looked_at_is_said(qtbot: QtBot, shown: MainWindow) -> None:
    library = shown.item_actions.library
    for id in library.ids(filter=Filter(deleted=True)):
        library.item(id).file.unlink()
    shown.gallery.step(0)
    qtbot.waitUntil(lambda: "emptied" in shown.view.notice.text())
    assert not shown.gallery.current_item().missing  # as it was read
