"""Pictures of the real window with the real engine, dark and light: `.venv/bin/python docs/screenshots.py [FOLDER]`.

Needs Xvfb, openbox, xdotool and ffmpeg (the tests' own tools). Everything made for the pictures goes into a temporary
home; with `--home DIR` it is kept, and the next call finds its gallery filled.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "e2e")]

from screen import Screen, wait_for  # noqa: E402 - the path above leads to it

WIDTH, HEIGHT = 1440, 900


def laterna(home: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "app", "--home", str(home), *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def fill(home: Path) -> None:
    """A gallery of the models' own examples."""
    models = json.loads(laterna(home, "models", "list", "--json"))["installed"]
    for model in models:
        info = model["info"]
        for seed, prompt in enumerate(info.get("examples", [])[:8]):
            laterna(home, "generate", "--model", info["id"], "--prompt", prompt, "--seed", str(seed))


def files(home: Path) -> int:
    return sum(1 for file in (home / "output").glob("*.*") if not file.name.startswith("."))


def shoot(home: Path, folder: Path) -> None:
    screen = Screen(WIDTH, HEIGHT)
    window = subprocess.Popen([sys.executable, "-m", "app", "--home", str(home)], cwd=ROOT, env=screen.environment)
    try:
        found = screen.window("^Laterna$")
        screen.place(found, 0, 0, WIDTH, HEIGHT)
        screen.do("windowactivate", "--sync", found)
        before = files(home)
        screen.key("ctrl+1", "ctrl+l", "ctrl+a")
        screen.type("a red apple moving right, meadow background")
        screen.key("ctrl+Return")
        wait_for(lambda: files(home) > before, 180, "the clip")
        time.sleep(2)
        screen.key("alt+Right", "alt+Left")
        screen.do("mousemove", WIDTH // 2, HEIGHT - 5)
        time.sleep(1)
        screen.shot(folder / "main-window-dark.png")
        screen.key("ctrl+t")
        time.sleep(1)
        screen.shot(folder / "main-window-light.png")
        screen.key("ctrl+2", "ctrl+l", "ctrl+a")
        screen.type("a big owl at the top, night background")
        screen.key("ctrl+Return")
        time.sleep(1.2)
        screen.shot(folder / "generating-light.png")
        screen.key("ctrl+m")
        time.sleep(2)
        screen.shot(folder / "models-light.png")
        screen.key("Escape", "ctrl+t")
        time.sleep(0.5)
    finally:
        window.terminate()
        window.wait(20)
        screen.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--home", type=Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        home = arguments.home or Path(scratch)
        home.mkdir(parents=True, exist_ok=True)
        if not (home / "output").is_dir() or not files(home):
            fill(home)
        shoot(home, arguments.folder)


if __name__ == "__main__":
    main()
