"""A second start on the same library: the first window comes to the front, with the file that was given."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, Window
from screen import Screen, wait_for

from engine.media.environment import Environment
from engine.media.save import save_image
from engine.protocol.recipe import Recipe

pytestmark = pytest.mark.e2e


def start_again(window: Window, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", "--home", str(window.home), *arguments],
        cwd=ROOT,
        env=window.screen.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_window_that_is_open_comes_to_the_front(screen: Screen, window: Window, tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, Path(__file__).with_name("drop_target.py")], env=screen.environment)
    try:
        in_front = screen.window("^drop target$")
        screen.do("windowactivate", "--sync", in_front)
        wait_for(lambda: screen.do("getactivewindow") == in_front, 10, "the other window in front")
        recipe = Recipe(family="sd35", model="laterna-mini-image", prompt="a boat", seed=41)
        save_image(np.zeros((16, 16, 3), np.uint8), tmp_path / "boat.png", recipe, Environment())
        done = start_again(window, "--open", str(tmp_path / "boat.png"))
        assert done.returncode == 0
        assert "brought to the front" in done.stderr
        wait_for(lambda: screen.do("getactivewindow") == window.id, 10, "Laterna in front")
        assert window.process.poll() is None
        screen.do("windowminimize", window.id)
        time.sleep(0.5)  # the window manager answers when it likes
        assert start_again(window).returncode == 0
        wait_for(lambda: screen.do("getactivewindow") == window.id, 10, "Laterna back from the task bar")
    finally:
        other.terminate()
        other.wait(10)


def test_a_killed_window_is_no_obstacle(screen: Screen, window: Window) -> None:
    window.process.kill()
    window.process.wait()
    again = Window(screen, window.home)
    try:
        assert again.process.poll() is None
        report = wait_for(lambda: list((again.home / "logs" / "reports").glob("*-window.txt")), 20, "the report")
        assert "ended unexpectedly" in report[0].read_text()
    finally:
        again.close()
    assert not (window.home / "logs" / "running.json").exists(), "closed as it should"
