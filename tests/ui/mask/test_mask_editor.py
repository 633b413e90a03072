"""The mask editor: every tool by mouse and by keys, and the mask in the form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.media.masks import PaintedMask
from ui.mask.mask_editor import MaskEditor
from ui.theme import Theme

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


@pytest.fixture
def editor(qtbot: QtBot, theme: Theme, tmp_path: Path) -> MaskEditor:
    pixels = np.zeros((300, 400, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[:, 100:200] = (200, 40, 40, 255)
    pixels[:100, :, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    made = MaskEditor(theme=theme)
    qtbot.addWidget(made)
    made.resize(900, 700)
    made.show()
    picture = QImage(400, 300, QImage.Format.Format_RGB32)
    picture.fill(QColor("navy"))
    made.show_picture(tmp_path / "picture.png", picture, PaintedMask(400, 300))
    qtbot.waitExposed(made)
    return made


def at(editor: MaskEditor, x: float, y: float) -> QPoint:
    return editor.canvas._to_widget(QPointF(x, y)).toPoint()


def drag(editor: MaskEditor, *places: tuple[float, float], button: Qt.MouseButton = LEFT) -> None:
    canvas = editor.canvas
    QTest.mousePress(canvas, button, pos=at(editor, *places[0]))
    for place in places[1:]:
        QTest.mouseMove(canvas, at(editor, *place))
    QTest.mouseRelease(canvas, button, pos=at(editor, *places[-1]))


def painted(editor: MaskEditor, x: int, y: int) -> int:
    assert editor.mask is not None
    return int(editor.mask.pixels[y, x])


def test_brush_eraser_and_the_right_button(editor: MaskEditor) -> None:
    assert not editor.use.isEnabled() and not editor.undo.isEnabled()
    drag(editor, (50, 50), (150, 50))
    assert painted(editor, 100, 50) == 255 and editor.use.isEnabled() and editor.undo.isEnabled()
    drag(editor, (100, 50), (101, 50), button=RIGHT)
    assert painted(editor, 100, 50) == 0
    editor.undo.click()
    assert painted(editor, 100, 50) == 255
    editor.undo.click()
    assert painted(editor, 100, 50) == 0 and not editor.undo.isEnabled()
    editor.redo.click()
    assert painted(editor, 100, 50) == 255
    QTest.keyClick(editor.canvas, Qt.Key.Key_E)
    drag(editor, (100, 50), (101, 50))
    assert painted(editor, 100, 50) == 0


def test_lasso_rectangle_fill_and_colour(editor: MaskEditor) -> None:
    QTest.keyClick(editor.canvas, Qt.Key.Key_L)
    drag(editor, (20, 20), (120, 20), (120, 120), (20, 120))
    assert painted(editor, 60, 60) == 255 and painted(editor, 200, 200) == 0
    QTest.keyClick(editor.canvas, Qt.Key.Key_R)
    drag(editor, (200, 150), (300, 250))
    assert painted(editor, 250, 200) == 255
    drag(editor, (230, 180), (260, 220), button=RIGHT)
    assert painted(editor, 245, 200) == 0
    QTest.keyClick(editor.canvas, Qt.Key.Key_F)
    drag(editor, (245, 200))
    assert painted(editor, 245, 200) == 255 and painted(editor, 390, 290) == 0
    editor.change("clear")
    QTest.keyClick(editor.canvas, Qt.Key.Key_C)
    drag(editor, (150, 200))
    assert painted(editor, 150, 280) == 255 and painted(editor, 50, 280) == 0


def test_the_wheel_and_brackets_change_the_brush(editor: MaskEditor) -> None:
    before = editor.canvas.size_of_brush
    middle = QPointF(editor.canvas.rect().center())
    nothing = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False
    wheel = QWheelEvent(middle, middle, QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton, *nothing)
    QApplication.sendEvent(editor.canvas, wheel)
    assert editor.canvas.size_of_brush > before and editor.brush.value() == round(editor.canvas.size_of_brush)
    QTest.keyClicks(editor.canvas, "[[[")
    assert editor.canvas.size_of_brush < before * 1.01
    QTest.keyClicks(editor.canvas, "{")
    assert editor.hardness.value() == 70
    editor.brush.setValue(10)
    assert editor.canvas.size_of_brush == 10


def test_everything_by_keys(editor: MaskEditor, qtbot: QtBot) -> None:
    for _ in range(3):
        QTest.keyClick(editor.canvas, Qt.Key.Key_Left)
    QTest.keyClick(editor.canvas, Qt.Key.Key_Space)
    x = round(editor.canvas._at.x())
    assert x < 200 and painted(editor, x, 150) == 255
    QTest.keyClick(editor.canvas, Qt.Key.Key_I)
    assert painted(editor, x, 150) == 0 and painted(editor, 399, 0) == 255
    QTest.keyClick(editor.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert painted(editor, x, 150) == 255
    QTest.keyClick(editor.canvas, Qt.Key.Key_Delete)
    assert painted(editor, x, 150) == 0
    QTest.keyClick(editor.canvas, Qt.Key.Key_R)
    QTest.keyClick(editor.canvas, Qt.Key.Key_Space)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down):
        QTest.keyClick(editor.canvas, key)
    QTest.keyClick(editor.canvas, Qt.Key.Key_Space)
    assert painted(editor, x + 5, 155) == 255
    with qtbot.waitSignal(editor.used):
        QTest.keyClick(editor.canvas, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    with qtbot.waitSignal(editor.given_up):
        QTest.keyClick(editor.canvas, Qt.Key.Key_Escape)


def test_from_transparency_from_files_and_what_is_none(editor: MaskEditor, qtbot: QtBot, tmp_path: Path) -> None:
    editor.change("alpha")
    assert painted(editor, 10, 50) == 255 and painted(editor, 10, 150) == 0
    stripes = np.zeros((150, 200), np.uint8)
    stripes[:, 100:] = 255
    Image.fromarray(stripes).save(tmp_path / "mask.png")
    editor.load(tmp_path / "mask.png")
    assert painted(editor, 300, 20) == 255 and painted(editor, 20, 20) == 0
    for wrong in (tmp_path / "gone.png", tmp_path / "tall.png"):
        Image.new("L", (20, 200)).save(tmp_path / "tall.png")
        with qtbot.waitSignal(editor.failed):
            editor.load(wrong)
    assert painted(editor, 300, 20) == 255
    editor.change("grow")
    assert painted(editor, 195, 20) == 255
    editor.change("shrink")
    editor.change("soften")
    assert 0 < painted(editor, 200, 20) < 255
    editor.change("everything")
    assert painted(editor, 20, 20) == 255


def test_the_tint_is_seen_and_every_control_has_a_name(editor: MaskEditor) -> None:
    drag(editor, (200, 150), (210, 150))
    shot = editor.canvas.grab().toImage()
    ratio = shot.devicePixelRatio()
    inside, outside = (shot.pixelColor(at(editor, *place) * ratio) for place in ((205, 150), (380, 280)))
    assert outside == QColor("navy") and inside != outside and inside.red() > 100
    for control in (*editor.buttons.values(), editor.undo, editor.redo, editor.use, editor.cancel):
        assert control.accessibleName() or control.text()
    for control in (editor.brush, editor.hardness, editor.by, editor.tools, editor.canvas):
        assert control.accessibleName()
