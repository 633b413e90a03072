from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from engine.library.item import Item
from tests.fakes.clips import number_of
from ui.player.playback import Playback


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def playback(qtbot: QtBot, clip: Item, clock: Clock) -> Iterator[Playback]:
    """Opened, paused on frame 0, everything decoded; its clock stands."""
    made = Playback(clock=clock)
    with qtbot.waitSignal(made.frame_shown):
        made.open(clip.path, play=False)
    decoder = made._decoder
    assert decoder is not None
    qtbot.waitUntil(lambda: all(decoder.frame(n) is not None for n in range(40)))
    yield made
    made.wait()


def at(playback: Playback, clock: Clock, seconds: float) -> int:
    """The frame after so many seconds more."""
    clock.now += seconds
    playback._tick()
    return playback.index


def test_steps_wrap_round_where_the_clip_loops(playback: Playback) -> None:
    shown: list[tuple[int, int]] = []
    playback.frame_shown.connect(lambda index, image: shown.append((index, number_of(image))))
    for delta in (1, 1, -1, -1, -1, 1):
        playback.step(delta)
    assert shown == [(n, n) for n in (1, 2, 1, 0, 39, 0)]
    playback.mode = "once"
    playback.step(-1)
    assert playback.index == 0


def test_plays_by_the_clock_and_drops_what_is_late(playback: Playback, clock: Clock) -> None:
    playback.play()
    assert playback.playing
    assert at(playback, clock, 0.124) == 0
    assert at(playback, clock, 0.002) == 1
    assert at(playback, clock, 1.0) == 9
    assert at(playback, clock, 2.5) == 29


def test_loops_without_losing_time(playback: Playback, clock: Clock) -> None:
    playback.play()
    assert at(playback, clock, 4.99) == 39
    assert at(playback, clock, 0.14) == 1
    assert at(playback, clock, 5.0) == 1
    assert playback.playing


def test_without_loop_it_ends_on_the_last_frame_and_begins_anew(playback: Playback, clock: Clock) -> None:
    playback.mode = "once"
    playback.play()
    assert at(playback, clock, 60.0) == 39
    assert not playback.playing
    playback.toggle()
    assert playback.index == 0
    assert playback.playing


def test_to_and_fro_shows_neither_end_twice(playback: Playback, clock: Clock) -> None:
    playback.set_range(3, 6)
    playback.mode = "ping-pong"
    playback.play()
    assert playback.index == 3
    clock.now += 0.01
    shown = [at(playback, clock, 0.125) for _ in range(12)]
    assert shown == [4, 5, 6, 5, 4, 3, 4, 5, 6, 5, 4, 3]


def test_only_the_part_between_in_and_out_is_played(playback: Playback, clock: Clock) -> None:
    playback.set_range(12, 10)
    assert playback.range == (10, 12)
    playback.play()
    clock.now += 0.01
    assert [at(playback, clock, 0.125) for _ in range(5)] == [11, 12, 10, 11, 12]
    playback.step(1)
    assert playback.index == 10
    playback.step(-1)
    assert playback.index == 12
    playback.mode = "once"
    playback.seek(30)  # outside: playing begins at the in point
    playback.play()
    assert playback.index == 10
    assert at(playback, clock, 5.0) == 12 and not playback.playing


def test_speed_changes_keep_the_place(playback: Playback, clock: Clock) -> None:
    playback.play()
    assert at(playback, clock, 1.01) == 8
    playback.set_speed(2.0)
    assert playback.index == 8
    assert at(playback, clock, 1.0) == 24
    playback.set_speed(0.25)
    assert at(playback, clock, 1.0) == 26


def test_seeking_while_playing_goes_on_from_there(playback: Playback, clock: Clock) -> None:
    playback.play()
    playback.seek(20)
    assert playback.playing
    assert at(playback, clock, 0.26) == 22
    playback.seek(999)
    assert playback.index == 39


def test_pause_stands_still(playback: Playback, clock: Clock) -> None:
    playback.play()
    at(playback, clock, 1.01)
    playback.pause()
    assert at(playback, clock, 3.0) == 8
    image = playback.current_image()
    assert image is not None and number_of(image) == 8


def test_plays_in_real_time(qtbot: QtBot, clip: Item) -> None:
    playback = Playback()
    shown: list[int] = []
    playback.frame_shown.connect(lambda index, _image: shown.append(index))
    playback.open(clip.path)
    qtbot.waitUntil(lambda: len(shown) >= 6)
    assert shown == sorted(shown)
    playback.wait()


def test_another_clip_replaces_the_first_and_no_thread_stays(qtbot: QtBot, clip: Item) -> None:
    playback = Playback()
    for _ in range(5):
        playback.open(clip.path, play=False)
    with qtbot.waitSignal(playback.frame_shown) as told:
        pass
    assert told.args[0] == 0
    old = list(playback._retired)
    assert old
    playback.wait()
    assert all(decoder.finished for decoder in old)
    assert playback.info is None
    playback.step(1)
    playback.play()
    assert not playback.playing
