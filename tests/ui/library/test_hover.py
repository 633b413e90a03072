from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.media.environment import Environment
from engine.media.save import save_video
from tests.fakes.fake_library import FakeLibrary, make_item
from tests.fakes.recipes import clip_recipe
from ui.library import hover
from ui.library.gallery import GalleryPanel
from ui.library.grid import GridView
from ui.library.hover import HoverPlayer

SIZE = QSize(60, 40)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    frames = np.zeros((12, 32, 48, 3), np.uint8)
    frames[:, :, :, 0] = np.linspace(0, 250, 12).astype(np.uint8)[:, None, None]
    save_video(frames, tmp_path / "clip.mp4", 24, clip_recipe(), Environment())
    return tmp_path / "clip.mp4"


@pytest.fixture
def player(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[HoverPlayer]:
    monkeypatch.setattr(hover, "REST_MS", 1)
    made = HoverPlayer()
    made._rest.setInterval(1)
    yield made
    made.close()


def clip_item(path: Path, number: int = 1) -> object:
    return make_item(number, path=path, kind="video", frames=12, fps=24.0, width=48, height=32)


def test_a_clip_plays_while_the_pointer_rests_on_it(qtbot: QtBot, player: HoverPlayer, clip: Path) -> None:
    told: list[int] = []
    player.advanced.connect(told.append)
    player.hover(clip_item(clip), SIZE, 2.0)
    qtbot.waitUntil(lambda: player.frame(1) is not None)
    assert player.frame(1).size() == SIZE * 2
    assert player.frame(2) is None
    reds = set()

    def seen() -> bool:
        reds.add(player.frame(1).pixelColor(60, 40).red() // 20)
        return len(reds) >= 8

    qtbot.waitUntil(seen)
    assert set(told) == {1}
    player.hover(None, SIZE, 2.0)
    assert player.frame(1) is None


def test_pictures_missing_and_damaged_files_do_not_play(qtbot: QtBot, player: HoverPlayer, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"nonsense")
    for item in (
        make_item(1),
        make_item(2, kind="video", missing=True),
        make_item(3, kind="video", fps=8.0, path=tmp_path / "bad.mp4"),
    ):
        player.hover(item, SIZE, 1.0)
        QTest.qWait(20)
        assert player.frame(item.id) is None


def test_memory_is_bounded(qtbot: QtBot, player: HoverPlayer, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hover, "CACHE_BYTES", 60 * 40 * 4 * 12 * 2)
    monkeypatch.setattr(hover, "MAX_FRAMES", 6)
    for number in range(1, 8):
        player.hover(clip_item(clip, number), SIZE, 1.0)
        qtbot.waitUntil(lambda number=number: player.frame(number) is not None)
        assert len(player._clips[player._key()]) == 6
    assert len(player._clips) == 4


def test_the_gallery_plays_what_is_under_the_pointer(
    qtbot: QtBot, gallery: GalleryPanel, library: FakeLibrary, clip: Path
) -> None:
    library.special = {40: clip_item(clip, 40)}
    gallery.library_changed(_everything())
    qtbot.waitUntil(lambda: gallery._model.item(0) is not None and gallery._model.item(0).kind == "video")
    gallery._hover._rest.setInterval(1)
    grid = gallery.grid
    move_pointer(grid, grid.tile_rect(0).center())
    qtbot.waitUntil(lambda: gallery._hover.frame(40) is not None)
    grid.grab()
    move_pointer(grid, grid.tile_rect(1).center())
    assert gallery._hover.frame(40) is None


def test_the_tile_that_comes_under_a_resting_pointer_plays(
    qtbot: QtBot, gallery: GalleryPanel, library: FakeLibrary, clip: Path
) -> None:
    gallery._hover._rest.setInterval(1)
    grid = gallery.grid
    move_pointer(grid, grid.tile_rect(0).center())
    library.special = {40: clip_item(clip, 40)}
    gallery.library_changed(_everything())
    qtbot.waitUntil(lambda: gallery._hover.frame(40) is not None)
    grid.verticalScrollBar().setValue(grid.grid.pitch)
    assert gallery._hover.frame(40) is None
    grid.verticalScrollBar().setValue(0)
    qtbot.waitUntil(lambda: gallery._hover.frame(40) is not None)


def move_pointer(grid: GridView, place: QPoint) -> None:
    """Without the real pointer: other windows of the test process may lie under it."""
    no, none = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    everywhere = grid.viewport().mapToGlobal(place)
    event = QMouseEvent(QEvent.Type.MouseMove, QPointF(place), QPointF(everywhere), no, no, none)
    QApplication.sendEvent(grid.viewport(), event)


def _everything() -> object:
    from engine.jobs.notices import LibraryChanged

    return LibraryChanged(everything=True)
