"""The main paths, by hand: type a prompt, watch, find it in the gallery, drag the file out; and what a crash does.

The positions are those of a 1400 × 880 window: the gallery's first tile is at the top right.
"""

from __future__ import annotations

import hashlib
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from conftest import Window
from PIL import Image
from screen import Screen, wait_for

from engine.media import metadata
from tests.fakes.processes import still_running

pytestmark = pytest.mark.e2e

FIRST_TILE = (1140, 110)
DROP_HERE = (1600, 250)


class DropTarget:
    def __init__(self, screen: Screen) -> None:
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("drop_target.py")],
            env=screen.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        screen.place(screen.window("^drop target$"), 1450, 100, 300, 300)

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.put(line)

    def dropped(self) -> dict:
        return json.loads(self._lines.get(timeout=15))

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stdout
        self._process.stdout.close()


@pytest.fixture
def target(screen: Screen) -> Iterator[DropTarget]:
    target = DropTarget(screen)
    yield target
    target.close()


def one_file(window: Window, suffix: str, seconds: float = 120) -> Path:
    return wait_for(lambda: window.files(suffix), seconds, f"a {suffix} in {window.output}")[0]


def drag_first_tile(screen: Screen, window: Window, target: DropTarget) -> dict:
    screen.do("windowactivate", "--sync", window.id)
    time.sleep(1.0)  # the tile and its thumbnail
    screen.click(*FIRST_TILE)
    time.sleep(0.5)
    screen.drag(FIRST_TILE, DROP_HERE)
    return target.dropped()


def test_type_a_prompt_and_drag_the_picture_out(screen: Screen, window: Window, target: DropTarget) -> None:
    screen.do("windowactivate", "--sync", window.id)
    window.make("a red apple on the left, blue sky background")
    picture = one_file(window, ".png")
    info = metadata.read(picture)
    assert info.recipe is not None
    assert info.recipe.prompt == "a red apple on the left, blue sky background"
    pixels = np.asarray(Image.open(picture).convert("RGB"))
    assert pixels.std() > 10  # something is on it

    dropped = drag_first_tile(screen, window, target)
    assert dropped == {
        "files": [{"name": picture.name, "sha256": hashlib.sha256(picture.read_bytes()).hexdigest()}],
        "action": "CopyAction",
    }
    assert picture.exists()


def test_make_a_clip_and_drag_it_out(screen: Screen, window: Window, target: DropTarget) -> None:
    screen.do("windowactivate", "--sync", window.id)
    screen.key("ctrl+1")
    window.make("a rocket moving up, night background")
    clip = one_file(window, ".mp4", 180)
    info = metadata.read(clip)
    assert info.recipe is not None
    assert info.recipe.prompt == "a rocket moving up, night background"
    with av.open(str(clip)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == info.recipe.frames
    dropped = drag_first_tile(screen, window, target)
    assert dropped["files"] == [{"name": clip.name, "sha256": hashlib.sha256(clip.read_bytes()).hexdigest()}]


def test_engine_killed_in_the_middle(screen: Screen, window: Window) -> None:
    """The window lives on, starts another engine, and both this job and the next one end in files."""
    screen.do("windowactivate", "--sync", window.id)
    engine = window.engine()
    window.make("an owl, forest background")
    wait_for(lambda: engine.cpu_times().user > 3, 60, "the engine at work")
    engine.kill()
    replacement = wait_for(
        lambda: [other for other in window.engines() if other.pid != engine.pid], 20, "another engine"
    )
    assert replacement
    one_file(window, ".png")
    window.make("a house, night background")
    wait_for(lambda: len(window.files(".png")) == 2, 120, "the next job's picture")
    assert window.process.poll() is None
    assert "Traceback" not in window.log


def test_window_killed_leaves_no_engine(screen: Screen, window: Window) -> None:
    engine = window.engine()
    window.make("a cat, beach background")
    window.process.kill()
    window.process.wait()
    assert not still_running([engine], 2.0)


def test_queue_survives_the_window(screen: Screen, window: Window) -> None:
    """Killed right after Ctrl+Enter, the next window makes the picture."""
    screen.do("windowactivate", "--sync", window.id)
    window.engine()
    before = _queue_bytes(window)
    window.make("a star, night background")
    wait_for(lambda: _queue_bytes(window) > before, 20, "the job on the queue")
    window.process.kill()
    window.process.wait()
    made_before = len(window.files(".png"))
    again = Window(screen, window.home)
    try:
        wait_for(lambda: len(window.files(".png")) == 1, 120, "the picture of the job that waited")
    finally:
        again.close()
    assert made_before == 0


def _queue_bytes(window: Window) -> int:
    """The size of the queue and its log: it grows when a job is written. (The database itself is locked.)"""
    return sum(file.stat().st_size for file in (window.home / "data").glob("queue.sqlite3*"))
