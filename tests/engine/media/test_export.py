from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.media import metadata
from engine.media.environment import Environment
from engine.media.export import SUFFIXES, ClipExport, Format, export_clip, export_clips
from engine.media.frames import ClipReader, to_rgb
from engine.media.save import save_video
from engine.protocol.errors import BadFile, Cancelled, NotWritable
from tests.fakes.recipes import clip_recipe

FRAMES, FPS = 9, 8


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Nine frames, each of one grey, brighter and brighter."""
    frames = np.repeat(np.arange(FRAMES, dtype=np.uint8)[:, None] * 25 + 20, 32 * 48 * 3, 1)
    path = tmp_path / "clip.mp4"
    save_video(frames.reshape(FRAMES, 32, 48, 3), path, FPS, clip_recipe(), Environment())
    return path


def greys(path: Path) -> list[int]:
    """The mean of each frame."""
    if path.suffix == ".mp4":
        with ClipReader(path) as reader:
            return [round(float(to_rgb(frame).mean())) for frame in reader]
    with Image.open(path) as image:
        found = []
        for number in range(image.n_frames):
            image.seek(number)
            found.append(round(float(np.asarray(image.convert("RGB")).mean())))
        return found


def numbers(path: Path) -> list[int]:
    """Which of the clip's frames those are."""
    return [round((grey - 20) / 25) for grey in greys(path)]


@pytest.mark.parametrize("format", list(SUFFIXES))
def test_a_range_to_and_fro(clip: Path, tmp_path: Path, format: Format) -> None:
    told: list[float] = []
    export = ClipExport(format, first=2, last=5, to_and_fro=True)
    made = export_clip(clip, tmp_path / f"part{SUFFIXES[format]}", export, told.append)
    assert numbers(made) == [2, 3, 4, 5, 4, 3]
    assert told == sorted(told) and told[-1] == 1.0 and len(told) == 7


@pytest.mark.parametrize(("format", "speed", "expected"), [("gif", 1.0, 1120), ("webp", 2.0, 562), ("gif", 0.5, 2250)])
def test_the_whole_stays_in_time(clip: Path, tmp_path: Path, format: Format, speed: float, expected: int) -> None:
    made = export_clip(clip, tmp_path / f"x{SUFFIXES[format]}", ClipExport(format, speed=speed))
    with Image.open(made) as image:
        total = 0
        for number in range(image.n_frames):
            image.seek(number)
            image.load()
            total += image.info["duration"]
    assert numbers(made) == list(range(FRAMES)) and abs(total - expected) <= 10


def test_size_and_recipe(clip: Path, tmp_path: Path) -> None:
    made = export_clip(clip, tmp_path / "small.mp4", ClipExport(scale=0.5, speed=2.0))
    found = metadata.read(made)
    assert (found.width, found.height, found.frames, found.fps) == (24, 16, FRAMES, 2 * FPS)
    assert found.recipe == clip_recipe()
    with Image.open(export_clip(clip, tmp_path / "small.gif", ClipExport("gif", scale=0.3))) as image:
        assert image.size == (14, 10)


def test_stopping_leaves_nothing(clip: Path, tmp_path: Path) -> None:
    told: list[float] = []
    target = tmp_path / "out" / "stopped.gif"
    with pytest.raises(Cancelled):
        export_clip(clip, target, ClipExport("gif"), told.append, lambda: len(told) > 2)
    assert list(target.parent.iterdir()) == []


def test_what_cannot_be_exported(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(BadFile):
        export_clip(clip, tmp_path / "x.gif", ClipExport("gif", first=99))
    (tmp_path / "file").write_text("")
    with pytest.raises(NotWritable):
        export_clip(clip, tmp_path / "file" / "x.gif", ClipExport("gif"))


@pytest.mark.parametrize(
    ("export", "expected"),
    [
        (ClipExport(first=2, last=5, backwards=True), [5, 4, 3, 2]),
        (ClipExport(first=2, last=4, times=3), [2, 3, 4] * 3),
        (ClipExport(first=2, last=4, backwards=True, to_and_fro=True, times=2), [4, 3, 2, 3] * 2),
    ],
)
def test_backwards_and_again(clip: Path, tmp_path: Path, export: ClipExport, expected: list[int]) -> None:
    told: list[float] = []
    made = export_clip(clip, tmp_path / "x.mp4", export, told.append)
    assert numbers(made) == expected and told == sorted(told) and told[-1] == 1.0


def test_clips_are_joined_and_what_both_show_comes_once(clip: Path, tmp_path: Path) -> None:
    later = export_clip(clip, tmp_path / "later.mp4", ClipExport(first=8))
    assert numbers(export_clips([clip, later], tmp_path / "same.mp4", ClipExport())) == [*range(9)]
    back = export_clip(clip, tmp_path / "back.mp4", ClipExport(last=3))
    joined = export_clips([clip, back], tmp_path / "both.mp4", ClipExport())
    assert numbers(joined) == [*range(9), *range(4)]
    assert metadata.read(joined).recipe == clip_recipe()
    part = export_clips([clip, back], tmp_path / "part.mp4", ClipExport(first=7, last=10))
    assert numbers(part) == [7, 8, 0, 1]


def test_a_clip_of_another_rate_and_size_is_as_long_as_before(clip: Path, tmp_path: Path) -> None:
    fast = export_clip(clip, tmp_path / "fast.mp4", ClipExport(speed=2.0, scale=0.5, backwards=True))
    joined = export_clips([clip, fast], tmp_path / "both.mp4", ClipExport())
    found = metadata.read(joined)
    assert (found.width, found.height, found.fps) == (48, 32, FPS)
    assert found.frames in (12, 13, 14)
    slow = export_clips([fast, clip], tmp_path / "slow.mp4", ClipExport())
    assert metadata.read(slow).frames in (26, 27)


def test_what_would_not_fit_into_memory_is_said_before(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.media.export.KEPT_BYTES", 10_000)
    for export in (ClipExport(backwards=True), ClipExport(to_and_fro=True), ClipExport(times=2)):
        with pytest.raises(BadFile, match="too many"):
            export_clip(clip, tmp_path / "x.mp4", export)
    assert numbers(export_clip(clip, tmp_path / "x.mp4", ClipExport())) == [*range(9)]
