"""The rest of the ten main paths of ``docs/main-paths.md``, by keyboard and mouse in a real window."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from conftest import Window
from PIL import Image
from screen import Screen, wait_for

from engine.media import metadata

pytestmark = pytest.mark.e2e

FIRST_TILE, SECOND_TILE = (1140, 110), (1290, 110)
VIEW = (360, 60, 1040, 700)  # left, top, right, bottom of the middle of the window


def look(screen: Screen, tmp_path: Path) -> np.ndarray:
    """The pixels of the view."""
    path = tmp_path / "look.png"
    screen.shot(path)
    with Image.open(path) as shot:
        return np.asarray(shot.convert("RGB").crop(VIEW)).astype(int)


def differs(a: np.ndarray, b: np.ndarray) -> bool:
    return float(np.abs(a - b).mean()) > 4.0


def ready(screen: Screen, window: Window) -> None:
    screen.do("windowactivate", "--sync", window.id)
    window.engine()


def made(window: Window, count: int, suffix: str = ".png") -> list[Path]:
    return wait_for(
        lambda: files if len(files := window.files(suffix)) >= count else None, 180, f"{count} {suffix} files"
    )


def prompts(files: list[Path]) -> list[str]:
    return [metadata.read(file).recipe.prompt for file in files]


def test_a_prompt_with_alternatives_makes_different_pictures(screen: Screen, window: Window) -> None:
    """The texts that were drawn are in the files; the form keeps the template."""
    ready(screen, window)
    window.make("a {red apple|small cat|big owl|banana} on the left, night background")
    screen.key("ctrl+Return", "ctrl+Return")
    files = made(window, 3)
    drawn = prompts(files)
    assert all("{" not in prompt and prompt.endswith("on the left, night background") for prompt in drawn)


def test_a_weight_by_key_reaches_the_recipe(screen: Screen, window: Window) -> None:
    ready(screen, window)
    screen.key("ctrl+l", "ctrl+a")
    screen.type("a red apple")
    screen.key("ctrl+a", "ctrl+Up", "ctrl+Up", "ctrl+Return")
    recipe = metadata.read(made(window, 1)[0]).recipe
    assert recipe.prompt == "(a red apple:1.1)" and recipe.text_encoding == "comfyui"


def test_a_deleted_picture_comes_back(screen: Screen, window: Window) -> None:
    ready(screen, window)
    window.make("a star, night background")
    made(window, 1)
    time.sleep(1.5)
    screen.click(*FIRST_TILE)
    time.sleep(0.5)
    screen.key("Delete")
    wait_for(lambda: not window.files(".png"), 20, "the file in the trash")
    screen.key("ctrl+z")
    wait_for(lambda: window.files(".png"), 20, "the file back in its place")


def test_two_results_are_compared(screen: Screen, window: Window, tmp_path: Path) -> None:
    ready(screen, window)
    window.make("a red apple on the left, night background")
    made(window, 1)
    window.make("a small cat at the top, pink background")
    made(window, 2)
    time.sleep(2.0)
    screen.click(*FIRST_TILE)
    time.sleep(0.8)
    screen.do("keydown", "ctrl")
    screen.click(*SECOND_TILE)
    screen.do("keyup", "ctrl")
    time.sleep(1.5)  # the view shows what was chosen last
    before = look(screen, tmp_path)
    screen.key("ctrl+k")
    wait_for(lambda: differs(before, look(screen, tmp_path)), 20, "the comparison")
    time.sleep(0.5)
    beside = look(screen, tmp_path)
    screen.key("s")
    wait_for(lambda: differs(beside, look(screen, tmp_path)), 20, "the slider")
    screen.key("Escape")
    wait_for(lambda: not differs(before, look(screen, tmp_path)), 20, "the view as it was")


def test_a_name_by_template_set_on_the_settings_page(screen: Screen, window: Window) -> None:
    ready(screen, window)
    screen.key("ctrl+comma")
    settings = screen.window("^Settings$")
    screen.do("windowactivate", "--sync", settings)
    screen.type("names of new files")
    time.sleep(0.6)
    screen.key("Tab")
    screen.type("mine-{seed}")
    screen.key("Escape")
    screen.do("windowactivate", "--sync", window.id)
    window.make("a house, night background")
    file = made(window, 1)[0]
    assert file.stem == f"mine-{metadata.read(file).recipe.seed}"


def test_a_style_chosen_by_keyboard_is_in_the_file(screen: Screen, window: Window) -> None:
    """Tab from the prompt to its style, open the menu, take the first one."""
    ready(screen, window)
    screen.key("ctrl+l", "ctrl+a")
    screen.type("a red apple")
    screen.key("Escape", "Tab", "space")
    time.sleep(0.5)
    screen.key("Down", "Down", "Return")
    time.sleep(0.5)
    screen.key("ctrl+Return")
    prompt = metadata.read(made(window, 1)[0]).recipe.prompt
    assert prompt.startswith("photo of a red apple")
