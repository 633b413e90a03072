from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from engine.library.item import Item
from engine.media.frames import ClipReader, to_rgb
from tests.fakes.clips import number_of, write_clip
from ui.player.decoder import ClipDecoder, ClipInfo

FRAME_BYTES = 128 * 64 * 4
Open = Callable[..., ClipDecoder]


@pytest.fixture
def opened(qtbot: QtBot) -> Iterator[Open]:
    decoders: list[ClipDecoder] = []

    def open_it(path: Path, **options: int) -> ClipDecoder:
        decoder = ClipDecoder(path, **options)
        decoders.append(decoder)
        return decoder

    yield open_it
    for decoder in decoders:
        decoder.close()
        decoder.wait()
        assert decoder.finished


def shown(qtbot: QtBot, decoder: ClipDecoder, index: int) -> QImage:
    decoder.want(index)
    qtbot.waitUntil(lambda: decoder.frame(index) is not None)
    image = decoder.frame(index)
    assert image is not None
    return image


def pixels(image: QImage) -> np.ndarray:
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    return lines[:, : rgb.width() * 3].reshape(rgb.height(), rgb.width(), 3).copy()


def start(qtbot: QtBot, decoder: ClipDecoder) -> ClipInfo:
    with qtbot.waitSignal(decoder.opened) as told:
        decoder.start()
    return told.args[0]


@pytest.mark.parametrize("bound", [10**9, FRAME_BYTES * 10, FRAME_BYTES * 2], ids=["whole", "part", "tiny"])
def test_all_40_frames_forward_backward_and_in_any_order(qtbot: QtBot, opened: Open, clip: Item, bound: int) -> None:
    decoder = opened(clip.path, bound=bound)
    info = start(qtbot, decoder)
    assert (info.count, info.width, info.height, info.fps) == (40, 128, 64, 8.0)
    assert info.seconds == pytest.approx(5.0)
    anyhow = list(range(40))
    random.Random(1).shuffle(anyhow)
    for order in (range(40), range(39, -1, -1), anyhow):
        assert [number_of(shown(qtbot, decoder, index)) for index in order] == list(order)


@pytest.mark.parametrize("bound", [10**9, FRAME_BYTES * 10], ids=["rgb", "yuv"])
def test_what_is_shown_equals_the_reference_decoder(qtbot: QtBot, opened: Open, clip: Item, bound: int) -> None:
    decoder = opened(clip.path, bound=bound)
    start(qtbot, decoder)
    with ClipReader(clip.path) as reader:
        for index, frame in enumerate(reader):
            assert np.array_equal(pixels(shown(qtbot, decoder, index)), to_rgb(frame))


def test_memory_stays_within_the_bound(qtbot: QtBot, opened: Open, tmp_path: Path) -> None:
    item = write_clip(tmp_path / "long.mp4", count=120, width=192, height=128)
    bound = 192 * 128 * 2 * 24
    decoder = opened(item.path, bound=bound)
    start(qtbot, decoder)
    for index in (0, 5, 60, 59, 58, 119, 3):
        assert number_of(shown(qtbot, decoder, index)) == index
        assert decoder.bytes_held <= bound


def test_an_odd_rate_is_exact(qtbot: QtBot, opened: Open, tmp_path: Path) -> None:
    item = write_clip(tmp_path / "ntsc.mp4", count=50, fps=30000 / 1001)
    decoder = opened(item.path)
    info = start(qtbot, decoder)
    assert info.times[30] == pytest.approx(30 * 1001 / 30000, abs=1e-4)
    assert [number_of(shown(qtbot, decoder, index)) for index in (49, 0, 31)] == [49, 0, 31]


def test_one_frame_is_a_clip_too(qtbot: QtBot, opened: Open, tmp_path: Path) -> None:
    item = write_clip(tmp_path / "one.mp4", count=1)
    decoder = opened(item.path)
    assert start(qtbot, decoder).count == 1
    assert number_of(shown(qtbot, decoder, 0)) == 0


@pytest.mark.parametrize("content", [b"", b"no clip at all", b"\0\0\0\x20ftypisom" + bytes(500)])
def test_no_clip_gives_a_sentence(qtbot: QtBot, opened: Open, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.mp4"
    path.write_bytes(content)
    decoder = opened(path)
    with qtbot.waitSignal(decoder.failed) as told:
        decoder.start()
    assert told.args[0].endswith(".")
    assert "Traceback" not in told.args[0]


def test_a_missing_file_gives_a_sentence(qtbot: QtBot, opened: Open, tmp_path: Path) -> None:
    decoder = opened(tmp_path / "gone.mp4")
    with qtbot.waitSignal(decoder.failed) as told:
        decoder.start()
    assert told.args[0].endswith(".")


def test_a_clip_cut_short_plays_as_far_as_it_goes(qtbot: QtBot, opened: Open, clip: Item, tmp_path: Path) -> None:
    data = clip.path.read_bytes()
    path = tmp_path / "short.mp4"
    path.write_bytes(data[: len(data) * 3 // 5])
    decoder = opened(path)
    infos: list[ClipInfo] = []
    decoder.opened.connect(infos.append)
    with qtbot.waitSignals([decoder.failed, decoder.opened]):
        decoder.start()
    qtbot.waitUntil(lambda: infos[-1].count < 40)
    count = infos[-1].count
    assert 5 < count < 40
    assert number_of(shown(qtbot, decoder, 0)) == 0
    assert number_of(shown(qtbot, decoder, count - 2)) == count - 2


def test_noise_in_the_middle_is_no_crash(qtbot: QtBot, opened: Open, broken_clip: Path) -> None:
    decoder = opened(broken_clip)
    told: list[str] = []
    decoder.failed.connect(told.append)
    start(qtbot, decoder)
    assert number_of(shown(qtbot, decoder, 0)) == 0
    decoder.want(39)
    qtbot.waitUntil(lambda: decoder.frame(39) is not None or bool(told))


def test_closing_in_the_middle_ends_the_thread(qtbot: QtBot, opened: Open, clip: Item) -> None:
    decoder = opened(clip.path)
    told: list[object] = []
    decoder.opened.connect(told.append)
    decoder.start()
    decoder.close()
    decoder.wait()
    assert decoder.finished
    qtbot.wait(20)
    assert told == []
