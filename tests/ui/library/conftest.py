from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from tests.fakes.fake_library import FakeLibrary, FakeThumbnails
from ui.library.gallery import GalleryPanel
from ui.theme import Theme


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary(40)


@pytest.fixture
def thumbnails() -> FakeThumbnails:
    return FakeThumbnails()


@pytest.fixture
def gallery(qtbot: QtBot, theme: Theme, library: FakeLibrary, thumbnails: FakeThumbnails) -> Iterator[GalleryPanel]:
    panel = GalleryPanel(library, thumbnails, theme=theme)
    qtbot.addWidget(panel)
    panel.resize(341, 700)
    panel.show()
    qtbot.waitUntil(lambda: panel.grid.model().rowCount() == len(library.order))
    yield panel
    library.gate.set()
    thumbnails.gate.set()
    panel.close_down()
