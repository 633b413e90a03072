from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from engine.library.item import Item
from engine.protocol.recipe import Recipe
from tests.fakes.fake_library import make_item
from ui.compare.compare_view import CompareView
from ui.compare.relative import nearest_relative
from ui.theme import Theme

COLORS = ("#ff0000", "#00ff00", "#0000ff")


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    """Three pictures that differ in guidance and seed."""
    found = []
    for number, color in enumerate(COLORS):
        image = QImage(64, 48, QImage.Format.Format_RGB32)
        image.fill(QColor(color))
        path = tmp_path / f"{number}.png"
        image.save(str(path))
        recipe = Recipe(family="sd35", model="mini", prompt="an owl", guidance=3.0 + number, seed=number)
        found.append(make_item(number + 1, path=path, recipe=recipe))
    return found


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> Iterator[CompareView]:
    view = CompareView(theme=theme)
    qtbot.addWidget(view)
    view.resize(800, 600)
    view.show()
    yield view
    view.close_down()


def test_says_what_is_different(qtbot: QtBot, view: CompareView, items: list[Item]) -> None:
    view.show_items(items)
    assert view.title.text_whole() == "Different: Guidance, Seed"
    assert [cell.caption.text_whole() for cell in view.cells] == [f"Guidance {3 + n}  ·  Seed {n}" for n in range(3)]
    qtbot.waitUntil(lambda: all(not cell.image.isNull() for cell in view.cells))
    assert not view.mode.button("slider").isEnabled()


def test_one_zoom_for_all(qtbot: QtBot, view: CompareView, items: list[Item]) -> None:
    view.show_items(items)
    qtbot.waitUntil(lambda: all(not cell.image.isNull() for cell in view.cells))
    for _ in range(4):
        qtbot.keyClick(view.cells[1].canvas, Qt.Key.Key_Plus)
    zooms = {round(cell.canvas.zoom, 3) for cell in view.cells}
    assert len(zooms) == 1 and not view.cells[0].canvas.fitted
    qtbot.keyClick(view, Qt.Key.Key_0)
    assert all(cell.canvas.fitted for cell in view.cells)


def test_slider_shows_the_second_right_of_the_line(qtbot: QtBot, view: CompareView, items: list[Item]) -> None:
    view.show_items(items[:2])
    qtbot.waitUntil(lambda: all(not cell.image.isNull() for cell in view.cells))
    qtbot.keyClick(view, Qt.Key.Key_S)
    slider = view.slider
    qtbot.waitUntil(slider.isVisible)
    rect = slider.picture_rect()

    def color(fraction: float) -> str:
        place = rect.left() + fraction * rect.width()
        return slider.grab().toImage().pixelColor(round(place), round(rect.top() + 0.2 * rect.height())).name()

    assert (color(0.25), color(0.75)) == (COLORS[0], COLORS[1])
    for _ in range(8):
        qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert slider.at == pytest.approx(0.9) and color(0.75) == COLORS[0]


def test_escape_ends_it(qtbot: QtBot, view: CompareView, items: list[Item]) -> None:
    view.show_items(items[:2])
    with qtbot.waitSignal(view.closed):
        qtbot.keyClick(view, Qt.Key.Key_Escape)


def test_a_missing_file_is_said(qtbot: QtBot, view: CompareView, items: list[Item]) -> None:
    items[0].path.unlink()
    with qtbot.waitSignal(view.message):
        view.show_items(items[:2])


def related(number: int, created: float = 0.0, **changes: object) -> Item:
    recipe = Recipe(family="sd35", model="mini", prompt="an owl", seed=1, guidance=3.0)
    return make_item(number, created=created, recipe=recipe.replace(**changes))


def test_one_alone_is_compared_with_what_differs_least() -> None:
    item = related(1, 100.0)
    same, seed = related(2, 99.0), related(3, 99.0, seed=2)
    near, far, two = related(4, 90.0, steps=9), related(5, 10.0, guidance=7.0), related(6, 99.0, steps=9, guidance=7.0)
    assert nearest_relative(item, [item, same, seed, far, two, near]) is near
    assert nearest_relative(item, [item, same, seed, two]) is two
    assert nearest_relative(item, [item, same, seed]) is seed
    assert nearest_relative(item, [item, same, make_item(7, recipe=None)]) is None


def test_under_the_slider_each_side_says_what_it_is(qtbot: QtBot, view: CompareView, items: list[Item]) -> None:
    view.show_items(items[:2])
    qtbot.waitUntil(lambda: all(not cell.image.isNull() for cell in view.cells))
    view._set_mode("slider")
    before = view.slider.grab().toImage()
    assert "Guidance 3" in view.slider.accessibleDescription()
    view.slider.set_captions("", "")
    assert view.slider.grab().toImage() != before
