from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from ui.player.canvas import Canvas
from ui.player.viewport import MARGIN
from ui.theme import Theme

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def canvas(qtbot: QtBot, theme: Theme) -> Iterator[Canvas]:
    made = Canvas(theme=theme)
    qtbot.addWidget(made)
    made.resize(600, 400)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close_down()


def checkered(width: int, height: int) -> QImage:
    """Black where x + y is even, white where it is odd."""
    line = (bytes((0, 255)) * (width // 2 + 1))[: width + 1]
    data = b"".join(line[y % 2 :][:width] for y in range(height))
    return QImage(data, width, height, width, QImage.Format.Format_Grayscale8).convertToFormat(
        QImage.Format.Format_RGB32
    )


def plain(width: int, height: int, color: str = "red") -> QImage:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor(color))
    return image


def test_fits_with_a_margin_and_in_the_middle(canvas: Canvas) -> None:
    canvas.set_image(plain(1200, 400))
    rect = canvas.picture_rect()
    assert rect.width() == pytest.approx(600 - 2 * MARGIN, abs=1)
    assert rect.height() == pytest.approx(rect.width() / 3, abs=1)
    assert abs(rect.center().y() - 200) <= 1
    canvas.set_image(plain(40, 40))
    assert canvas.picture_rect().height() == pytest.approx(400 - 2 * MARGIN, abs=1)


def test_100_percent_is_pixel_exact(canvas: Canvas) -> None:
    image = checkered(101, 77)
    canvas.set_image(image)
    canvas.set_zoom(1.0)
    canvas.fit()
    canvas.set_image(checkered(901, 677))
    canvas.set_zoom(1.0)
    shot = canvas.grab().toImage()
    rect = canvas.picture_rect().toRect()
    for x, y in ((3, 3), (300, 200), (301, 200), (598, 397)):
        expected = canvas.image.pixelColor(x - rect.x(), y - rect.y())
        assert shot.pixelColor(x, y) == expected


def test_zoomed_in_pixels_are_squares(canvas: Canvas) -> None:
    canvas.set_image(checkered(101, 77))
    canvas.set_zoom(4.0)
    shot = canvas.grab().toImage()
    assert {shot.pixelColor(x, 200).name() for x in range(100, 400)} == {"#000000", "#ffffff"}


def test_zoomed_in_far_lines_part_the_pixels(canvas: Canvas) -> None:
    image = QImage(101, 77, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    canvas.set_image(image)
    canvas.set_zoom(16.0)
    shot = canvas.grab().toImage()
    left = canvas.picture_rect().left()
    lines = [x for x in range(100, 500) if shot.pixelColor(x, 203).lightness() < 250]
    assert len(lines) in range(24, 28) and {round(x - left) % 16 for x in lines} == {0}


def test_another_picture_looks_at_the_same_part(canvas: Canvas, theme: Theme, qtbot: QtBot) -> None:
    other = Canvas(theme=theme)
    qtbot.addWidget(other)
    other.resize(canvas.size())
    canvas.set_image(checkered(400, 400))
    other.set_image(checkered(800, 800))
    looks: list[object] = []
    canvas.looked.connect(looks.append)
    canvas.set_zoom(6.0)
    qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    other.look_at(looks[-1])
    assert other.picture_rect().width() == pytest.approx(canvas.picture_rect().width(), abs=1)
    assert other.picture_rect().left() == pytest.approx(canvas.picture_rect().left(), abs=1)
    canvas.fit()
    other.look_at(canvas.look())
    assert other.fitted
    other.close_down()


def test_scaled_down_is_smooth(qtbot: QtBot, canvas: Canvas) -> None:
    canvas.set_image(checkered(2000, 1200))
    canvas.grab()
    qtbot.waitUntil(lambda: not canvas._scaled.isNull())
    colors = {canvas.grab().toImage().pixelColor(x, 200).lightness() for x in range(200, 400)}
    assert all(90 < lightness < 165 for lightness in colors)


def test_the_wheel_zooms_about_the_pointer_and_stops_at_100(canvas: Canvas) -> None:
    canvas.set_image(plain(1200, 900))
    point = QPointF(300, 120)
    before = (point - canvas.picture_rect().topLeft()) / canvas.zoom

    def wheel(delta: int) -> None:
        canvas.wheelEvent(
            QWheelEvent(
                point,
                point,
                QPoint(),
                QPoint(0, delta),
                Qt.MouseButton.NoButton,
                NONE,
                Qt.ScrollPhase.NoScrollPhase,
                False,
            )
        )

    zooms = []
    for _ in range(7):
        wheel(120)
        zooms.append(canvas.zoom)
    assert 1.0 in zooms
    after = (point - canvas.picture_rect().topLeft()) / canvas.zoom
    assert abs(after.x() - before.x()) < 3 and abs(after.y() - before.y()) < 3
    for _ in range(20):
        wheel(-120)
    assert canvas.fitted


def test_panning_stops_at_the_edges(canvas: Canvas) -> None:
    canvas.set_image(plain(2000, 2000))
    canvas.set_zoom(1.0)
    QTest.mousePress(canvas, LEFT, NONE, QPoint(300, 200))
    QTest.mouseMove(canvas, QPoint(310, 190))
    assert abs(canvas.picture_rect().center().x() - 310) <= 1
    QTest.mouseMove(canvas, QPoint(5000, 200))
    QTest.mouseRelease(canvas, LEFT, NONE, QPoint(5000, 200))
    assert canvas.picture_rect().left() <= MARGIN + 1


def test_pulling_a_fitted_picture_drags_it_out(qtbot: QtBot, canvas: Canvas) -> None:
    canvas.set_image(plain(300, 200))
    with qtbot.waitSignal(canvas.drag_wanted):
        QTest.mousePress(canvas, LEFT, NONE, QPoint(300, 200))
        QTest.mouseMove(canvas, QPoint(302, 200))
        QTest.mouseMove(canvas, QPoint(330, 210))
    told: list[int] = []
    canvas.drag_wanted.connect(lambda: told.append(1))
    QTest.mousePress(canvas, LEFT, NONE, QPoint(5, 5))
    QTest.mouseMove(canvas, QPoint(60, 60))
    assert told == []


def test_keys(qtbot: QtBot, canvas: Canvas) -> None:
    canvas.set_image(plain(1200, 900))
    QTest.keyClick(canvas, Qt.Key.Key_1)
    assert canvas.zoom == 1.0
    QTest.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.zoom == pytest.approx(1.25)
    QTest.keyClick(canvas, Qt.Key.Key_0)
    assert canvas.fitted
    with qtbot.waitSignal(canvas.stepped) as told:
        QTest.keyClick(canvas, Qt.Key.Key_Left)
    assert told.args == [-1]


def test_a_preview_stands_for_the_final_size(canvas: Canvas) -> None:
    canvas.set_image(plain(600, 400))
    whole = canvas.picture_rect()
    canvas.set_image(plain(60, 40), QSize(600, 400), moving=True)
    assert canvas.picture_rect() == whole


def test_crossfade_goes_from_one_picture_to_the_other(qtbot: QtBot, canvas: Canvas) -> None:
    canvas.set_image(plain(300, 200, "red"))
    canvas.set_image(plain(300, 200, "blue"), crossfade=True)
    canvas._animation.setCurrentTime(canvas._animation.duration() // 2)
    between = canvas.grab().toImage().pixelColor(300, 200)
    assert 30 < between.red() < 225 and 30 < between.blue() < 225
    qtbot.waitUntil(lambda: canvas.grab().toImage().pixelColor(300, 200) == QColor("blue"))


def test_the_chip_is_read_out_and_stands_in_the_picture(canvas: Canvas) -> None:
    canvas.set_image(plain(600, 400, "white"))
    bare = canvas.grab().toImage()
    canvas.set_chip("720 × 480")
    assert canvas.accessibleDescription() == "720 × 480"
    rect = canvas.picture_rect()
    corner = QPoint(round(rect.left()) + 16, round(rect.bottom()) - 20)
    shot = canvas.grab().toImage()
    assert bare.pixelColor(corner).lightness() > 250
    assert shot.pixelColor(corner).lightness() < 120
