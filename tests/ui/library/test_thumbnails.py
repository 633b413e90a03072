from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from engine.library.item import Item
from engine.protocol.errors import BadFile
from tests.fakes.fake_library import FakeThumbnails, make_item
from ui.library import thumbnails as module
from ui.library.thumbnails import ThumbnailLoader, cut

SIZE = QSize(60, 40)


@pytest.fixture
def loader(qtbot: QtBot, thumbnails: FakeThumbnails) -> Iterator[ThumbnailLoader]:
    made = ThumbnailLoader(thumbnails.get)
    yield made
    thumbnails.gate.set()
    made.close()


def test_a_wish_is_answered_once(qtbot: QtBot, loader: ThumbnailLoader, thumbnails: FakeThumbnails) -> None:
    item = make_item(1)
    with qtbot.waitSignal(loader.loaded) as told:
        loader.want([item], SIZE, 2.0)
    assert told.args == [1]
    pixmap = loader.pixmap(1)
    assert pixmap is not None and pixmap.size() == QSize(120, 80)
    assert pixmap.devicePixelRatio() == 2.0
    loader.want([item], SIZE, 2.0)
    loader.close()
    assert thumbnails.asked == [1]


def test_what_was_scrolled_past_is_dropped(qtbot: QtBot, loader: ThumbnailLoader, thumbnails: FakeThumbnails) -> None:
    thumbnails.gate.clear()
    loader.want([make_item(n) for n in range(1, 60)], SIZE, 1.0)
    loader.want([make_item(n) for n in range(100, 104)], SIZE, 1.0)
    thumbnails.gate.set()
    qtbot.waitUntil(lambda: all(loader.pixmap(n) is not None for n in range(100, 104)))
    assert len(set(thumbnails.asked) - {100, 101, 102, 103}) <= module.THREADS


def test_a_damaged_file_is_asked_for_once_until_it_changes(qtbot: QtBot) -> None:
    asked = []

    def fail(item: Item, side: int) -> bytes:
        asked.append(item.id)
        raise BadFile("It is damaged.")

    loader = ThumbnailLoader(fail)
    with qtbot.waitSignal(loader.loaded):
        loader.want([make_item(1)], SIZE, 1.0)
    assert loader.failed(1)
    loader.want([make_item(1)], SIZE, 1.0)
    loader.forget([1])
    with qtbot.waitSignal(loader.loaded):
        loader.want([make_item(1)], SIZE, 1.0)
    loader.close()
    assert asked == [1, 1]


def test_what_changed_is_loaded_again_and_stays_until_then(
    qtbot: QtBot, loader: ThumbnailLoader, thumbnails: FakeThumbnails
) -> None:
    with qtbot.waitSignal(loader.loaded):
        loader.want([make_item(1)], SIZE, 1.0)
    loader.refresh([1])
    assert loader.pixmap(1) is not None
    with qtbot.waitSignal(loader.loaded):
        loader.want([make_item(1)], SIZE, 1.0)
    loader.close()
    assert thumbnails.asked == [1, 1]


def test_memory_is_bounded(qtbot: QtBot, loader: ThumbnailLoader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHE_BYTES", 60 * 40 * 4 * 5)
    for n in range(1, 21):
        with qtbot.waitSignal(loader.loaded):
            loader.want([make_item(n)], SIZE, 1.0)
    kept = [n for n in range(1, 21) if loader.pixmap(n) is not None]
    assert kept == [16, 17, 18, 19, 20]


@pytest.mark.parametrize("source", [QSize(300, 100), QSize(100, 300), QSize(10, 10)])
def test_the_middle_is_cut_out_with_round_corners(source: QSize) -> None:
    image = QImage(source, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    image.setPixelColor(source.width() // 2, source.height() // 2, QColor("blue"))
    result = cut(image, QSize(120, 80), 1.0, 12.0)
    assert result.size() == QSize(120, 80)
    assert result.pixelColor(0, 0).alpha() == 0
    assert result.pixelColor(60, 1).alpha() == 255
    assert result.pixelColor(119, 79).alpha() == 0
