"""Guidance over the steps: points dragged, added, taken away, and the same by keyboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.models.catalog import FAMILIES
from engine.protocol.conditioning import GuidancePoint
from engine.protocol.recipe import Recipe
from ui.generate.guidance_curve import GuidanceCurve
from ui.generate.guidance_rows import GuidanceRows

POINTS = (GuidancePoint(0.5, 5.0), GuidancePoint(1.0, 1.0))


@pytest.fixture
def curve(qtbot: QtBot) -> GuidanceCurve:
    made = GuidanceCurve("Guidance over the steps")
    qtbot.addWidget(made)
    made.resize(240, 112)
    made.set_curve(5.0, POINTS, 20, 30.0)
    made.show()
    made.setFocus()
    return made


def spot(curve: GuidanceCurve, at: float, scale: float) -> QPoint:
    return curve._spot(at, scale).toPoint()


def drag(curve: GuidanceCurve, start: tuple[float, float], end: tuple[float, float]) -> None:
    QTest.mousePress(curve, Qt.MouseButton.LeftButton, pos=spot(curve, *start))
    QTest.mouseMove(curve, spot(curve, *end))
    QTest.mouseRelease(curve, Qt.MouseButton.LeftButton, pos=spot(curve, *end))


def test_a_point_is_dragged(curve: GuidanceCurve, qtbot: QtBot) -> None:
    with qtbot.waitSignal(curve.edited):
        drag(curve, (0.5, 5.0), (0.3, 8.0))
    moved, last = curve.points()
    assert (moved.at, moved.scale) == pytest.approx((0.3, 8.0), abs=0.15)
    assert last == POINTS[1]


def test_a_point_stays_between_its_neighbours(curve: GuidanceCurve) -> None:
    curve.add(0.2, 3.0)
    drag(curve, (0.2, 3.0), (0.9, 3.0))
    assert [point.at for point in curve.points()] == [0.5, 0.5, 1.0]
    drag(curve, (1.0, 1.0), (0.0, 1.0))
    assert curve.points()[-1].at == 0.5


def test_the_start_is_the_guidance_scale(curve: GuidanceCurve, qtbot: QtBot) -> None:
    with qtbot.waitSignal(curve.start_dragged) as dragged, qtbot.assertNotEmitted(curve.edited):
        drag(curve, (0.0, 5.0), (0.4, 7.0))  # it moves up and down only
    assert dragged.args[0] == pytest.approx(7.0, abs=0.15)
    assert curve.points() == POINTS


def test_points_are_added_and_taken_away_with_the_mouse(curve: GuidanceCurve) -> None:
    QTest.mouseDClick(curve, Qt.MouseButton.LeftButton, pos=spot(curve, 0.25, 9.0))
    QTest.mouseRelease(curve, Qt.MouseButton.LeftButton, pos=spot(curve, 0.25, 9.0))
    added = curve.points()[0]
    assert (added.at, added.scale) == pytest.approx((0.25, 9.0), abs=0.15)
    QTest.mousePress(curve, Qt.MouseButton.RightButton, pos=spot(curve, added.at, added.scale))
    assert curve.points() == POINTS
    QTest.mousePress(curve, Qt.MouseButton.RightButton, pos=spot(curve, 0.0, 5.0))
    assert curve.points() == POINTS  # the start stays


def test_everything_by_keyboard(curve: GuidanceCurve) -> None:
    QTest.keyClick(curve, Qt.Key.Key_PageDown)
    assert "Point 2 of 3" in curve.accessibleDescription()
    QTest.keyClick(curve, Qt.Key.Key_Up)
    QTest.keyClick(curve, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert curve.points()[0] == GuidancePoint(0.4, 5.1)
    QTest.keyClick(curve, Qt.Key.Key_Insert)
    assert [point.at for point in curve.points()] == [0.4, 0.7, 1.0]
    assert "Point 3 of 4" in curve.accessibleDescription()
    QTest.keyClick(curve, Qt.Key.Key_Delete)
    assert [point.at for point in curve.points()] == [0.4, 1.0]


def test_scales_end_at_the_familys_largest(curve: GuidanceCurve) -> None:
    curve.set_curve(29.9, POINTS, 20, 30.0)
    QTest.keyClick(curve, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert curve.start() == 30.0
    QTest.keyClick(curve, Qt.Key.Key_PageDown)
    for _ in range(10):
        QTest.keyClick(curve, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert curve.points()[0].scale == 0.0


def test_a_point_that_is_not_moved_keeps_its_digits(curve: GuidanceCurve) -> None:
    exact = (GuidancePoint(1 / 3, 4.123456), GuidancePoint(0.77777, 2.0))
    curve.set_curve(5.0, exact, 20, 30.0)
    QTest.keyClick(curve, Qt.Key.Key_PageDown)
    QTest.keyClick(curve, Qt.Key.Key_PageDown)
    QTest.keyClick(curve, Qt.Key.Key_Up)
    assert curve.points()[0] == exact[0]


def test_a_new_curve_changes_nothing_yet(qtbot: QtBot) -> None:
    rows = GuidanceRows()
    qtbot.addWidget(rows)
    rows.set_rules(FAMILIES["sd35"])
    recipe = Recipe("sd35", "m", guidance=4.5)
    rows.show_recipe(recipe)
    with qtbot.waitSignal(rows.edited):
        rows.changes_over_steps.setChecked(True)
    made = recipe.replace(**rows.changes(recipe))
    assert made.guidance_schedule
    assert [made.guidance_at_step(step) for step in range(made.steps)] == [4.5] * made.steps
    rows.changes_over_steps.setChecked(False)
    assert recipe.replace(**rows.changes(recipe)) == recipe


def test_the_window_of_skip_layer_guidance(qtbot: QtBot) -> None:
    rows = GuidanceRows()
    qtbot.addWidget(rows)
    rows.set_rules(FAMILIES["sd35"])
    recipe = Recipe("sd35", "m")
    rows.show_recipe(recipe)
    rows.skip.setChecked(True)
    rows.skip_window.setCurrentIndex(1)
    rows.skip_window.activated.emit(1)
    skip = recipe.replace(**rows.changes(recipe)).skip_layer_guidance
    assert skip is not None and skip.window == "sigma"
