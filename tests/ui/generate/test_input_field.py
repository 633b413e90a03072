"""The field for the picture to start from, and the bar of a range."""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.models.upscalers import Upscalers
from engine.protocol.inputs import ROLES, Input
from ui.generate.inpainting_row import InpaintingRow
from ui.generate.input_field import USUAL_STRENGTH, InputField
from ui.generate.range_field import RangeField
from ui.generate.upscaling_field import UpscalingField
from ui.models.upscaler_row import UpscalerRow


@pytest.fixture
def field(qtbot: QtBot) -> InputField:
    made = InputField("start")
    qtbot.addWidget(made)
    made.resize(260, 30)
    made.show()
    return made


def dragged(*paths: str) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(path) for path in paths])
    return data


def drop(field: InputField, data: QMimeData) -> bool:
    """Whether the field took it."""
    where, copy = QPointF(20, 10), Qt.DropAction.CopyAction
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(where.toPoint(), copy, data, buttons, keys)
    enter.ignore()
    field.dragEnterEvent(enter)
    if not enter.isAccepted():
        return False
    field.dropEvent(QDropEvent(where, copy, data, buttons, keys))
    return True


def test_a_dropped_picture_is_what_the_generation_starts_from(field: InputField, qtbot: QtBot) -> None:
    with qtbot.waitSignal(field.edited):
        assert drop(field, dragged("/pictures/My & cat.JPG"))
    assert field.input() == Input("start", "/pictures/My & cat.JPG", strength=USUAL_STRENGTH)
    assert "&&" in field.choose.text() and "My & cat.JPG" in field.choose.accessibleName()
    assert field.strength.isVisible()


@pytest.mark.parametrize("paths", [("/clip.mp4",), ("/a.png", "/b.png"), ("/graph.json",)])
def test_what_is_no_single_picture_is_left_to_the_window(field: InputField, paths: tuple[str, ...]) -> None:
    assert not drop(field, dragged(*paths))
    assert field.input() is None


def test_strength_is_changed_and_the_picture_removed(field: InputField, qtbot: QtBot) -> None:
    field.set_input(Input("start", "/a.png", "ab", 0.333))
    assert field.input() == Input("start", "/a.png", "ab", 0.333)
    with qtbot.waitSignal(field.edited):
        field.strength.setValue(0.8)
    assert field.input() == Input("start", "/a.png", "ab", 0.8)
    with qtbot.waitSignal(field.edited):
        QTest.mouseClick(field.remove, Qt.MouseButton.LeftButton)
    assert field.input() is None
    assert not field.strength.isVisible()


def test_a_long_name_does_not_widen_the_form(field: InputField) -> None:
    before = field.minimumSizeHint().width()
    field.set_input(Input("start", f"/{'long ' * 50}.png"))
    assert field.minimumSizeHint().width() <= max(before, 200)
    assert field.choose.fontMetrics().horizontalAdvance(field.choose.text()) <= field.choose.width()


def test_a_picture_that_is_shown_is_no_edit(field: InputField, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(field.edited):
        field.set_input(Input("start", "/a.png", strength=0.5))
        field.set_input(None)


def test_the_ends_of_a_range_are_dragged(qtbot: QtBot) -> None:
    field = RangeField("from", "to")
    qtbot.addWidget(field)
    field.resize(260, 50)
    field.show()
    field.set_range(0.0, 1.0)
    bar = field.timeline
    with qtbot.waitSignal(field.edited):
        QTest.mousePress(bar, Qt.MouseButton.LeftButton, pos=QPoint(bar.width() - 2, 8))
    QTest.mouseMove(bar, QPoint(bar.width() // 10, 8))
    QTest.mouseRelease(bar, Qt.MouseButton.LeftButton, pos=QPoint(bar.width() // 10, 8))
    start, end = field.values()
    assert start == 0.0 and end == pytest.approx(0.1, abs=0.02)
    QTest.mousePress(bar, Qt.MouseButton.LeftButton, pos=QPoint(1, 8))
    QTest.mouseMove(bar, QPoint(bar.width(), 8))
    assert field.values() == pytest.approx((end, end))  # the start stops at the end


def test_typed_numbers_move_the_bar_and_keep_their_digits(qtbot: QtBot) -> None:
    field = RangeField("from", "to")
    qtbot.addWidget(field)
    with qtbot.assertNotEmitted(field.edited):
        field.set_range(0.125, 0.735)
    assert field.values() == (0.125, 0.735)
    with qtbot.waitSignal(field.edited):
        field.start.setValue(0.3)
    assert field.values() == (0.3, 0.735)


def test_no_part_of_it_is_a_window_of_its_own(qtbot: QtBot) -> None:
    """One that was shown before it had its place would take the keys from the window."""
    for role in ROLES:
        qtbot.addWidget(InputField(role))
    for one in Upscalers().all():
        for ships in (True, False):
            qtbot.addWidget(UpscalerRow(msgspec.structs.replace(one, ships=ships)))
    qtbot.addWidget(UpscalingField())
    qtbot.addWidget(InpaintingRow())
    assert [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()] == []
