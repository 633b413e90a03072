"""“Change a part” in the window: from a result, by the editor in the place of the view, into the form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.protocol.inputs import Input
from ui.window.main_window import MainWindow


def shown_result(qtbot: QtBot, window: MainWindow) -> Path:
    window.actions_.action("generate").trigger()
    qtbot.waitUntil(lambda: window.session.item is not None, timeout=20_000)
    item = window.session.item
    assert item is not None
    return item.file


def test_the_mask_goes_into_the_form_and_comes_back_out(qtbot: QtBot, window: MainWindow) -> None:
    path = shown_result(qtbot, window)
    before = window.session.draft.recipe
    window.actions_.action("change_part").trigger()
    qtbot.waitUntil(lambda: window.masking.shown is not None, timeout=10_000)
    editor = window.masking.shown
    assert editor is not None and editor.mask is not None
    view = window.centre.view
    assert view is not None and view.isHidden()
    with Image.open(path) as picture:
        size = picture.size
    assert (editor.mask.width, editor.mask.height) == size
    editor.canvas.set_brush(size=size[0] / 4, hardness=1.0)
    editor.canvas.begin(QPointF(size[0] / 2, size[1] / 2))
    editor.canvas.end()
    QTest.keyClick(editor.canvas, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.session.draft.recipe.input_of("mask") is not None, timeout=10_000)
    assert window.masking.shown is None and view.isVisible()
    recipe = window.session.draft.recipe
    start, mask = recipe.input_of("start"), recipe.input_of("mask")
    assert start is not None and Path(start.path) == path and start.strength == 1.0
    assert mask is not None and recipe.inpainting is not None and recipe.upscaling is None
    pixels = np.asarray(Image.open(mask.path))
    assert pixels.shape == size[::-1] and pixels[size[1] // 2, size[0] // 2] == 255 and pixels[0, 0] == 0
    assert window.form.advanced.inpainting.isVisible() or not window.form.advanced.isVisible()

    window.form.advanced.inputs.paint_wanted.emit()
    qtbot.waitUntil(lambda: window.masking.shown is not None, timeout=10_000)
    assert editor.mask is not None and editor.mask.pixels[size[1] // 2, size[0] // 2] == 255, "painted on"
    QTest.keyClick(editor.canvas, Qt.Key.Key_Escape)
    assert window.masking.shown is None
    window.actions_.undo()
    assert window.session.draft.recipe == before


def test_a_recipe_keeps_how_its_part_is_made_anew(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    draft = window.session.draft
    given = Input("start", str(tmp_path / "a.png")), Input("mask", str(tmp_path / "m.png"))
    window.session.replace(draft.with_recipe(inputs=given))
    row = window.form.advanced.inpainting
    row.close_up.setChecked(True)
    row.feather.setValue(20)
    how = window.session.draft.recipe.inpainting
    assert how is not None and how.only_masked and how.feather == 20
    window.form.advanced.inputs.field("mask").remove.click()  # type: ignore[union-attr]
    assert window.session.draft.recipe.inpainting is None


def test_a_mask_that_cannot_be_read_is_told(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    path = shown_result(qtbot, window)
    (tmp_path / "m.png").write_bytes(b"no mask")
    draft = window.session.draft
    window.session.replace(
        draft.with_recipe(inputs=(Input("start", str(path)), Input("mask", str(tmp_path / "m.png"))))
    )
    window.form.advanced.inputs.paint_wanted.emit()
    qtbot.waitUntil(lambda: window.masking.shown is not None, timeout=10_000)
    editor = window.masking.shown
    assert editor is not None and editor.mask is not None and not editor.mask.pixels.any()
    assert any("cannot be read" in message.text for message in window.messages.messages())
