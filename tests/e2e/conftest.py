"""The real window and the real engine on a virtual screen."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from screen import Screen, wait_for

ROOT = Path(__file__).resolve().parents[2]


class Window:
    """Laterna as a person has it: a process with a window, and a folder of its own."""

    def __init__(self, screen: Screen, home: Path) -> None:
        self.screen = screen
        self.home = home
        self.output = home / "output"
        home.mkdir(exist_ok=True)
        self._log = (home / "window.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app", "--home", str(home)],
            cwd=ROOT,
            env=screen.environment,
            stderr=self._log,
        )
        self.id = screen.window("^Laterna$")
        screen.place(self.id, 0, 0, 1400, 880)

    @property
    def log(self) -> str:
        return (self.home / "window.log").read_text("utf-8", "replace")

    def engines(self) -> list[psutil.Process]:
        """The engine processes of this window."""
        found = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if "engine.worker" in child.cmdline():
                    found.append(child)
            except psutil.NoSuchProcess:
                continue
        return found

    def engine(self) -> psutil.Process:
        engines = wait_for(self.engines, 20, "the engine process")
        return engines[0]

    def make(self, prompt: str) -> None:
        self.screen.key("ctrl+l", "ctrl+a")
        self.screen.type(prompt)
        self.screen.key("ctrl+Return")

    def files(self, suffix: str) -> list[Path]:
        found = self.output.glob(f"*{suffix}") if self.output.is_dir() else ()
        return sorted(file for file in found if not file.name.startswith("."))

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._log.close()


@pytest.fixture(scope="session")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    screen = Screen()
    yield screen
    screen.close()


@pytest.fixture
def window(screen: Screen, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Window]:
    window = Window(screen, tmp_path / "home")
    yield window
    shots = os.environ.get("LATERNA_E2E_SHOTS")
    if shots:
        screen.shot(Path(shots) / f"{request.node.name}.png")
    window.close()
