"""Frames between those of a clip: how near the true ones, and which."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.derive.interpolate.flow import Pair
from engine.derive.interpolate.interpolate import interpolated
from engine.derive.interpolate.score import CLIPS, psnr, scores, ssim
from engine.derive.kind import Medium
from engine.derive.kinds import kind_of
from engine.media.pixels import Pixels
from engine.protocol.errors import BadFile, BadRecipe
from engine.protocol.upscaling import Upscaling


class Here:
    """Counts how often it is asked whether to stop."""

    asked = 0

    def check(self) -> None:
        self.asked += 1

    def enlarged(self, frame: Pixels, how: Upscaling) -> Pixels:
        raise AssertionError


def clip(frames: int) -> list[Pixels]:
    """A bright disc that moves by six pixels a frame."""
    made = []
    rows, columns = np.mgrid[0:96, 0:160]
    for number in range(frames):
        frame = np.full((96, 160, 3), 40, np.uint8)
        frame[np.hypot(columns - 40 - 6 * number, rows - 48) < 16] = 220
        made.append(frame)
    return made


def run(fps: float, frames: list[Pixels], rate: float, start: int = 0) -> list[Pixels]:
    derivation = interpolated("a.mp4", fps)
    medium = Medium("video", 160, 96, len(frames), rate)

    def read(begin: int) -> Iterator[Pixels]:
        yield from frames[begin:]

    return list(kind_of(derivation).frames(derivation, medium, read, start, Here()))


def test_the_middle_is_nearer_the_truth_than_repeating_and_blending() -> None:
    for name, by_way in scores():
        flow, blend, repeat = by_way["flow"], by_way["blend"], by_way["repeat"]
        assert flow[0] > blend[0] + 4 and flow[0] > repeat[0] + 4, name
        assert flow[1] > max(blend[1], repeat[1]) and flow[1] > 0.99, name


def test_the_measures_know_equal_from_different() -> None:
    one = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    assert psnr(one, one) == 99 and ssim(one, one) == pytest.approx(1)
    other = np.clip(one.astype(int) + 10, 0, 255).astype(np.uint8)
    assert 27 < psnr(one, other) < 30 and ssim(one, other) < 1


def test_the_frames_that_are_there_stay_and_the_clip_is_as_long() -> None:
    frames = clip(9)
    made = run(16, frames, 8)
    assert len(made) == 18
    assert all(np.array_equal(made[2 * number], frames[number]) for number in range(9))
    assert np.array_equal(made[17], frames[8]), "the last is shown as long as it was"
    row = made[5][48, :, 0].astype(int)  # the disc is between 52 and 58
    assert row[42:68].min() > 200 and row[:36].max() < 60 and row[75:].max() < 60, "moved, not doubled"


@pytest.mark.parametrize("fps", [12.0, 24.0, 29.97, 5.0])
def test_any_rate_gone_on_with_anywhere_gives_the_same(fps: float) -> None:
    frames = clip(9)
    whole = run(fps, frames, 8)
    assert len(whole) == round(9 * fps / 8)
    for start in range(len(whole)):
        rest = run(fps, frames, 8, start)
        assert len(rest) == len(whole) - start
        assert all(np.array_equal(one, two) for one, two in zip(rest, whole[start:], strict=True))


@pytest.mark.parametrize("other", ["noise", "another scene"])
def test_a_cut_is_not_mixed(other: str) -> None:
    one = CLIPS["the view pans"](0)
    two = np.random.default_rng(3).integers(0, 256, one.shape, np.uint8)
    if other == "another scene":
        two = np.ascontiguousarray(CLIPS["a plain thing moves on plain ground"](2)[::-1])
    pair = Pair.of(one, two)
    assert pair.is_cut
    assert np.array_equal(pair.between(0.4), one) and np.array_equal(pair.between(0.6), two)


@pytest.mark.parametrize("name", CLIPS)
def test_motion_is_no_cut(name: str) -> None:
    draw = CLIPS[name]
    assert not Pair.of(draw(0), draw(1)).is_cut


@pytest.mark.parametrize("shape", [(2, 2), (8, 300), (17, 33), (1100, 1700)])
def test_any_size_can_be_made(shape: tuple[int, int]) -> None:
    one = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    made = Pair.of(one, one).between(0.5)
    assert made.shape == one.shape and np.abs(made.astype(int) - one).max() <= 1


def test_what_makes_no_sense_is_a_sentence() -> None:
    kind = kind_of(interpolated("a", 24))
    with pytest.raises(BadFile, match="picture"):
        kind.result(interpolated("a", 24), Medium("image", 8, 8, 1, 0.0))
    for fps in (0, -3, 1000, float("nan"), "24", True):
        with pytest.raises(BadRecipe):
            kind.result(interpolated("a", fps), Medium("video", 8, 8, 9, 8.0))  # type: ignore[arg-type]
    with pytest.raises(BadFile, match="too many"):
        kind.result(interpolated("a", 240), Medium("video", 8, 8, 900_000, 8.0))
    made = kind.result(interpolated("a", 24), Medium("video", 9, 7, 8, 8.0))
    assert (made.width, made.height, made.frames, made.fps) == (8, 6, 24, 24)
    assert kind.stem(interpolated(str(Path("/x/a.b.mp4")), 29.97)) == "a.b_29.97fps"
