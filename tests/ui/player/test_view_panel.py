from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QDrag, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from engine.jobs.job import Job
from engine.jobs.notices import JobEnded, JobProgressed, PreviewShown, QueueChanged
from engine.library.item import Item
from engine.media import metadata, mp4
from engine.media.export import ClipExport, Format
from engine.media.frames import ClipReader, to_rgb
from engine.protocol.recipe import Recipe
from tests.fakes.clips import number_of
from tests.fakes.pictures import jpeg
from ui.player.export import named_as
from ui.player.export_dialog import ExportDialog
from ui.player.view_panel import ViewPanel
from ui.theme import Theme

RECIPE = Recipe(family="sd35", model="mini", prompt="A red boat, at dawn", width=400, height=200, seed=1884203772)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "saved" / "chosen.png"


@pytest.fixture
def view(qtbot: QtBot, theme: Theme, tmp_path: Path, target: Path) -> Iterator[ViewPanel]:
    def ask(parent: QWidget, title: str, suggestion: Path, then: Callable[[Path], None]) -> None:
        then(target.with_suffix(suggestion.suffix))

    panel = ViewPanel(theme=theme, frames_folder=tmp_path / "frames", ask_target=ask)
    qtbot.addWidget(panel)
    panel.resize(754, 700)
    panel.show()
    qtbot.waitExposed(panel)
    yield panel
    panel.close_down()


@pytest.fixture
def picture(tmp_path: Path) -> Item:
    return make_picture(tmp_path / "boat.png", "red")


def make_picture(path: Path, color: str, item_id: int = 5) -> Item:
    image = QImage(400, 200, QImage.Format.Format_RGB32)
    image.fill(QColor(color))
    assert image.save(str(path))
    return Item(item_id, path, "image", 400, 200, 1, 0.0, 1.0, path.stat().st_size, RECIPE)


def middle(view: ViewPanel) -> QColor:
    return view.canvas.image.pixelColor(view.canvas.image.width() // 2, view.canvas.image.height() // 2)


def show(qtbot: QtBot, view: ViewPanel, item: Item) -> None:
    view.show_item(item)
    qtbot.waitUntil(lambda: view.canvas.isVisible() and view.canvas.image.size().width() == item.width)


def test_begins_with_a_hint(view: ViewPanel) -> None:
    assert view.notice.isVisible()
    assert "Generate" in view.notice.text()
    assert not view.transport.isVisible()
    assert not view.header.star.isEnabled()


def test_a_picture_with_title_seed_and_chip(qtbot: QtBot, view: ViewPanel, picture: Item) -> None:
    show(qtbot, view, picture)
    assert middle(view) == QColor("red")
    assert view.header.title.text_whole() == "A red boat"
    assert view.header.details.text().replace("\u202f", " ") == "seed 1 884 203 772"
    assert view.canvas.accessibleDescription() == "400 × 200"
    assert not view.transport.isVisible()
    assert not view.header.camera.isVisible() and not view.header.export.isVisible()


def test_a_clip_plays_by_itself_and_steps_by_key(qtbot: QtBot, view: ViewPanel, clip: Item) -> None:
    show(qtbot, view, clip)
    assert view.transport.isVisible()
    assert view.playback.playing
    view.toggle_play()
    assert not view.playback.playing
    view.playback.seek(10)
    qtbot.waitUntil(lambda: number_of(view.canvas.image) == 10)
    QTest.keyClick(view.canvas, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: number_of(view.canvas.image) == 11)
    assert " ".join(view.canvas.accessibleDescription().split()) == "128 × 64 · 8 fps · frame 12 / 40"
    assert view.transport.now.text() == "00:01.50"
    QTest.keyClick(view.canvas, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: number_of(view.canvas.image) == 39)
    QTest.keyClick(view.canvas, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: number_of(view.canvas.image) == 0)


def test_scrubbing_pauses_and_goes_on(qtbot: QtBot, view: ViewPanel, clip: Item) -> None:
    show(qtbot, view, clip)
    slider = view.transport.slider
    point = QPoint(slider.width() // 2, slider.height() // 2)
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, point)
    assert not view.playback.playing
    wanted = slider.sliderPosition()
    qtbot.waitUntil(lambda: number_of(view.canvas.image) == wanted)
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, point)
    assert view.playback.playing


def test_arrows_on_a_picture_ask_for_its_neighbour(qtbot: QtBot, view: ViewPanel, picture: Item) -> None:
    show(qtbot, view, picture)
    with qtbot.waitSignal(view.neighbour_wanted) as told:
        QTest.keyClick(view.canvas, Qt.Key.Key_Right)
    assert told.args == [1]


@pytest.mark.parametrize("name", ["bad.png", "bad.mp4"])
def test_a_damaged_file_gives_a_sentence(
    qtbot: QtBot, view: ViewPanel, picture: Item, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x89PNG\r\n\x1a\n nothing more")
    kind = "video" if name.endswith("mp4") else "image"
    view.show_item(msgspec.structs.replace(picture, path=path, kind=kind))
    qtbot.waitUntil(view.notice.isVisible)
    assert "cannot be" in view.notice.text()
    assert view.notice.text().endswith(".")
    assert not view.transport.isVisible()
    show(qtbot, view, picture)


def test_a_missing_file_is_named(view: ViewPanel, picture: Item) -> None:
    picture.path.unlink()
    view.show_item(picture)
    assert view.notice.isVisible()
    assert str(picture.path) in view.notice.text()


def test_the_same_item_again_only_refreshes_the_header(qtbot: QtBot, view: ViewPanel, clip: Item) -> None:
    show(qtbot, view, clip)
    view.playback.pause()
    view.playback.seek(7)
    view.show_item(msgspec.structs.replace(clip, favourite=True))
    assert view.playback.index == 7
    assert view.header.star.accessibleName() == "Remove from favourites"


def test_star_and_copy_tell_which_item(qtbot: QtBot, view: ViewPanel, picture: Item) -> None:
    show(qtbot, view, picture)
    with qtbot.waitSignal(view.favourite_toggled) as told:
        view.header.star.click()
    assert told.args == [5]
    with qtbot.waitSignal(view.copy_requested) as told:
        view.header.copy.click()
    assert told.args[0] == picture and told.args[1].isNull()


def test_copying_a_clip_takes_the_frame_along(qtbot: QtBot, view: ViewPanel, clip: Item) -> None:
    show(qtbot, view, clip)
    view.playback.pause()
    view.playback.seek(23)
    qtbot.waitUntil(lambda: number_of(view.canvas.image) == 23)
    with qtbot.waitSignal(view.copy_requested) as told:
        qtbot.keyClick(view.canvas, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert told.args[0] == clip and number_of(told.args[1]) == 23


def test_an_exported_frame_is_exactly_what_is_seen(qtbot: QtBot, view: ViewPanel, clip: Item, target: Path) -> None:
    show(qtbot, view, clip)
    view.playback.pause()
    view.playback.seek(23)
    qtbot.waitUntil(lambda: number_of(view.canvas.image) == 23)
    with qtbot.waitSignal(view.message) as told:
        view.export_frame()
    assert "chosen.png" in told.args[0]
    saved = QImage(str(target)).convertToFormat(QImage.Format.Format_RGB32)
    assert saved == view.canvas.image.convertToFormat(QImage.Format.Format_RGB32)
    assert metadata.read(target).recipe == clip.recipe


def test_a_frame_named_as_another_kind_replaces_nothing(
    qtbot: QtBot, view: ViewPanel, clip: Item, target: Path
) -> None:
    target.parent.mkdir()
    target.write_bytes(b"somebody else's")
    view.exports._ask_target = lambda parent, title, suggestion, then: then(target.with_suffix(".jpg"))
    show(qtbot, view, clip)
    with qtbot.waitSignal(view.message) as told:
        view.export_frame()
    assert told.args == ["Saved as chosen-2.png."]
    assert target.read_bytes() == b"somebody else's"
    assert metadata.read(target.with_name("chosen-2.png")).recipe == clip.recipe


@pytest.mark.parametrize(
    ("chosen", "named"),
    [("a.mp4", "a.mp4"), ("a.MP4", "a.MP4"), ("a.gif", "a-2.mp4"), ("b.gif", "b.mp4"), ("cut 1.5", "cut 1.5.mp4")],
)
def test_a_clip_named_as_another_kind_takes_a_free_name(tmp_path: Path, chosen: str, named: str) -> None:
    (tmp_path / "a.mp4").touch()
    assert named_as(tmp_path / chosen, ".mp4") == tmp_path / named


def test_a_saved_copy_has_the_same_bytes(qtbot: QtBot, view: ViewPanel, clip: Item, target: Path) -> None:
    show(qtbot, view, clip)
    with qtbot.waitSignal(view.message):
        view.save_copy()
    assert target.with_suffix(".mp4").read_bytes() == clip.path.read_bytes()


def test_a_copy_that_cannot_be_written_says_why(qtbot: QtBot, view: ViewPanel, picture: Item, target: Path) -> None:
    show(qtbot, view, picture)
    target.parent.write_text("a file where a folder should be")
    with qtbot.waitSignal(view.message) as told:
        view.save_copy()
    assert "failed" in told.args[0]


def test_previews_form_and_the_result_takes_over(qtbot: QtBot, view: ViewPanel, picture: Item, tmp_path: Path) -> None:
    show(qtbot, view, picture)
    view.queue_changed(QueueChanged((Job("job", RECIPE, "folder", "running"),)))
    view.job_progressed(JobProgressed("job", "denoising", 3, 20, 0.2))
    assert view.notice.isVisible()
    view.preview_shown(PreviewShown("job", 3, 40, 20, 1, jpeg("lime")))
    assert view.canvas.isVisible()
    assert middle(view).green() > 200
    assert "step 3 / 20" in view.canvas.accessibleDescription()
    assert view.canvas.picture_rect().width() == pytest.approx(706, abs=1)
    view.job_ended(JobEnded(Job("job", RECIPE, "folder", "done"), (9,)))
    assert middle(view).green() > 200
    result = make_picture(tmp_path / "result.png", "blue", 9)
    view.show_item(result)
    qtbot.waitUntil(lambda: middle(view) == QColor("blue"))
    assert view.header.star.isEnabled()


def test_a_clips_preview_moves(qtbot: QtBot, view: ViewPanel) -> None:
    view.preview_shown(PreviewShown("job", 3, 40, 20, 3, jpeg("red", "lime", "blue")))
    seen = set()

    def look() -> bool:
        color = middle(view)
        seen.add(max(range(3), key=lambda channel: color.getRgb()[channel]))
        return seen == {0, 1, 2}

    qtbot.waitUntil(look)
    assert view.canvas.image.width() == 40


def test_a_cancelled_job_gives_the_last_item_back(qtbot: QtBot, view: ViewPanel, picture: Item) -> None:
    show(qtbot, view, picture)
    view.preview_shown(PreviewShown("job", 3, 40, 20, 1, jpeg("lime")))
    view.job_ended(JobEnded(Job("job", RECIPE, "folder", "cancelled")))
    qtbot.waitUntil(lambda: middle(view) == QColor("red"))
    view.clear()
    view.preview_shown(PreviewShown("other", 3, 40, 20, 1, jpeg("lime")))
    view.job_ended(JobEnded(Job("other", RECIPE, "folder", "failed")))
    assert view.notice.isVisible()


def test_pulling_out_gives_the_clip_and_with_shift_the_frame(
    qtbot: QtBot, view: ViewPanel, clip: Item, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dragged: list[tuple[tuple[Qt.DropAction, ...], Path]] = []

    def run(self: QDrag, *actions: Qt.DropAction) -> Qt.DropAction:
        dragged.append((actions, Path(self.mimeData().urls()[0].toLocalFile())))
        return Qt.DropAction.CopyAction

    monkeypatch.setattr(QDrag, "exec", run)
    show(qtbot, view, clip)
    view.playback.pause()
    view.playback.seek(12)
    qtbot.waitUntil(lambda: number_of(view.canvas.image) == 12)
    view.canvas.drag_wanted.emit()
    copy = Qt.DropAction.CopyAction
    assert dragged == [((copy, copy), clip.path)]
    monkeypatch.setattr(QApplication, "keyboardModifiers", lambda: Qt.KeyboardModifier.ShiftModifier)
    monkeypatch.setattr(QApplication, "mouseButtons", lambda: Qt.MouseButton.LeftButton)
    view.canvas.drag_wanted.emit()
    qtbot.waitUntil(lambda: len(dragged) == 2)
    frame = dragged[1][1]
    assert frame.parent == tmp_path / "frames"
    assert number_of(QImage(str(frame))) == 12
    assert clip.path.exists() and frame.exists()
    camera = view.header.camera
    QTest.mousePress(camera, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(10, 10))
    QTest.mouseMove(camera, QPoint(40, 60))
    qtbot.waitUntil(lambda: len(dragged) == 3)
    assert dragged[2][1] == frame


def test_every_control_has_a_name_and_is_reached_by_keyboard(view: ViewPanel) -> None:
    header = view.header
    for control in (header.star, header.copy, header.camera, header.download, view.canvas):
        assert control.accessibleName()
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_a_part_is_exported_as_it_was_chosen(qtbot: QtBot, view: ViewPanel, clip: Item, target: Path) -> None:
    show(qtbot, view, clip)
    view.playback.pause()
    for frame, which in ((4, "in"), (9, "out")):
        view.playback.seek(frame)
        view.mark(which)
    view.export_clip()
    dialog = next(child for child in view.window().findChildren(ExportDialog) if child.isVisible())
    dialog.format.setCurrentIndex(dialog.format.findData("webp"))
    with qtbot.waitSignal(view.message, timeout=20_000) as told:
        dialog.start.click()
    made = target.with_suffix(".webp")
    assert told.args == [f"Saved as {made.name}."] and made.stat().st_size > 100
    assert view.exports._last is not None and (view.exports._last.first, view.exports._last.last) == (4, 9)


@pytest.mark.parametrize(("format", "name"), [("gif", "{}.gif"), ("mp4", "{}-part.mp4")])
def test_the_whole_clip_is_called_as_it_is_where_that_name_is_free(
    qtbot: QtBot, theme: Theme, clip: Item, format: Format, name: str
) -> None:
    asked: list[Path] = []
    dialog = ExportDialog(clip.file, ClipExport(format=format), lambda *said: asked.append(said[2]))
    qtbot.addWidget(dialog)
    dialog.start.click()
    assert [path.name for path in asked] == [name.format(clip.file.stem)]


def test_clips_are_joined_backwards_in_the_export(qtbot: QtBot, tmp_path: Path) -> None:
    """Two of two frames that end and begin alike: three, the last first."""
    frames = np.zeros((2, 32, 48, 3), np.uint8)
    frames[1] = 200
    mp4.encode(frames, tmp_path / "a.mp4", 8, {})
    mp4.encode(frames[::-1], tmp_path / "b.mp4", 8, {})
    out = tmp_path / "c.mp4"
    dialog = ExportDialog(tmp_path / "a.mp4", ClipExport(first=1, last=1), lambda *said: said[3](out))
    qtbot.addWidget(dialog)
    assert "frames 2 to 2" in dialog.part.text()
    dialog.join([tmp_path / "b.mp4"])
    dialog.backwards.setChecked(True)
    dialog.times.setValue(2)
    assert dialog.part.text() == "all clips, whole" and dialog.joined.text() == "b.mp4"
    with qtbot.waitSignal(dialog.done_with, timeout=10_000):
        dialog.start.click()
    with ClipReader(out) as clip:
        shades = [round(float(to_rgb(frame).mean()) / 200) for frame in clip]
    assert shades == [0, 1, 0] * 2
