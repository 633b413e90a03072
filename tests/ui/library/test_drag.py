from __future__ import annotations

from array import array
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QDrag, QImage, QPixmap
from pytestqt.qtbot import QtBot

from engine.jobs.notices import LibraryChanged
from tests.fakes.fake_library import FakeLibrary, make_item
from ui.library import drag, gallery
from ui.library.gallery import GalleryPanel
from ui.theme import Theme


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = []
    for number, color in enumerate(("red", "lime", "blue")):
        image = QImage(40, 30, QImage.Format.Format_RGB32)
        image.fill(QColor(color))
        paths.append(tmp_path / f"{number} ü.png")
        assert image.save(str(paths[-1]))
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"clip" * 1000)
    return [*paths, clip]


def test_a_picture_is_handed_over_as_file_and_as_image(files: list[Path]) -> None:
    mime = drag.mime_for(files[:1])
    assert mime is not None
    assert [Path(url.toLocalFile()) for url in mime.urls()] == files[:1]
    assert Path(mime.urls()[0].toLocalFile()).read_bytes() == files[0].read_bytes()
    assert mime.hasUrls()
    assert mime.hasImage()
    assert QImage(mime.imageData()).pixelColor(5, 5) == QColor("red")
    assert bytes(mime.data("image/png").data()) == files[0].read_bytes()


def test_a_clip_is_its_file_only(files: list[Path]) -> None:
    mime = drag.mime_for(files[3:])
    assert mime is not None
    assert Path(mime.urls()[0].toLocalFile()).read_bytes() == files[3].read_bytes()
    assert not mime.hasImage()


def test_several_files_in_order_and_missing_ones_left_out(files: list[Path], tmp_path: Path) -> None:
    mime = drag.mime_for([files[2], tmp_path / "gone.png", files[0], files[3]])
    assert mime is not None
    assert [Path(url.toLocalFile()) for url in mime.urls()] == [files[2], files[0], files[3]]
    assert not mime.hasImage()
    assert drag.mime_for([tmp_path / "gone.png"]) is None


def test_copying_is_the_only_action_and_the_file_stays(
    files: list[Path], qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch, library: FakeLibrary
) -> None:
    asked: list[tuple[object, ...]] = []

    def run(self: QDrag, *actions: Qt.DropAction) -> Qt.DropAction:
        asked.append((*actions, [Path(url.toLocalFile()) for url in self.mimeData().urls()], self.pixmap().isNull()))
        return Qt.DropAction.MoveAction  # a target that claims to have moved it

    monkeypatch.setattr(QDrag, "exec", run)
    library.order = array("q", [3, 2, 1])
    library.special = {n: make_item(n, path=files[n - 1]) for n in (1, 2, 3)}
    panel = GalleryPanel(library, NoThumbnails(), theme=theme)
    qtbot.addWidget(panel)
    panel.show()
    qtbot.waitUntil(lambda: panel.grid.model().rowCount() == 3)
    panel.grid.selectAll()
    panel.grid.drag_wanted.emit()
    copy = Qt.DropAction.CopyAction
    assert asked == [(copy, copy, [files[2], files[1], files[0]], True)]
    assert all(path.exists() for path in files)
    assert panel.grid.model().rowCount() == 3
    library.special[1] = make_item(1, path=Path("/nowhere/gone.png"))
    panel.library_changed(LibraryChanged(changed=(1,)))
    panel.select(1)
    with qtbot.waitSignal(panel.message) as told:
        panel.grid.drag_wanted.emit()
    assert "gone.png" in told.args[0]
    assert len(asked) == 1
    panel.close_down()
    assert gallery.run_drag is drag.run_drag


class NoThumbnails:
    def get(self, item: object, side: int) -> None:
        return None


def test_the_picture_under_the_pointer(qapp: object, theme: Theme) -> None:
    thumb = QPixmap(150, 100)
    thumb.fill(QColor("red"))
    one = drag.drag_pixmap([thumb], 1, theme=theme, ratio=2.0)
    assert one.devicePixelRatio() == 2.0
    assert one.toImage().pixelColor(20, 20).red() > 200
    accent = QColor(theme.tokens.accent)
    many = drag.drag_pixmap([thumb] * 5, 12, theme=theme).toImage()
    found = {many.pixelColor(x, y).rgb() for x in range(0, many.width()) for y in range(0, 24)}
    assert accent.rgb() in found
