"""A virtual screen with a window manager, and hands: xdotool for keyboard and mouse."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def wait_for(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Poll until ``condition`` gives something true; its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.05)


class Screen:
    """Xvfb and openbox. ``width`` × ``height`` in pixels."""

    def __init__(self, width: int = 1800, height: int = 900) -> None:
        for program in ("Xvfb", "openbox", "xdotool"):
            assert shutil.which(program), f"{program} is not installed"
        read, write = os.pipe()
        self._xvfb = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"],
            pass_fds=[write],
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with os.fdopen(read) as pipe:
            self.display = f":{pipe.readline().strip()}"
        self.environment = os.environ | {"DISPLAY": self.display, "QT_QPA_PLATFORM": "xcb"}
        self._openbox = self._start_openbox()
        wait_for(lambda: self.do("get_num_desktops"), 20, "the window manager")

    def _start_openbox(self) -> subprocess.Popen[bytes]:
        """A display that has just begun to listen may refuse its first client."""
        for _ in range(20):
            openbox = subprocess.Popen(["openbox"], env=self.environment, stderr=subprocess.DEVNULL)
            try:
                openbox.wait(0.5)
            except subprocess.TimeoutExpired:
                return openbox
        raise AssertionError("openbox does not start")

    def close(self) -> None:
        for process in (self._openbox, self._xvfb):
            process.terminate()
            process.wait(10)

    def do(self, *arguments: str | int) -> str:
        done = subprocess.run(
            ["xdotool", *map(str, arguments)], env=self.environment, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    def window(self, name: str, seconds: float = 30) -> str:
        """The id of the visible window whose title matches ``name``."""
        return wait_for(
            lambda: self.do("search", "--onlyvisible", "--name", name).split("\n")[0], seconds, f"the window {name}"
        )

    def place(self, window: str, x: int, y: int, width: int, height: int) -> None:
        self.do("windowsize", "--sync", window, width, height)
        self.do("windowmove", window, x, y)
        time.sleep(0.5)  # the window manager answers when it likes

    def key(self, *keys: str) -> None:
        self.do("key", "--clearmodifiers", "--delay", 30, *keys)

    def type(self, text: str) -> None:
        self.do("type", "--delay", 15, text)

    def click(self, x: int, y: int) -> None:
        self.do("mousemove", x, y)
        time.sleep(0.1)
        self.do("click", 1)

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """As a hand does it: small first moves, pauses between moves, a rest before letting go."""
        self.do("mousemove", *start)
        time.sleep(0.2)
        self.do("mousedown", 1)
        time.sleep(0.1)
        steps = [(start[0] + i * 4, start[1] + i * 2) for i in range(1, 6)]
        steps += [
            (start[0] + (end[0] - start[0]) * i // 12, start[1] + (end[1] - start[1]) * i // 12) for i in range(1, 13)
        ]
        for x, y in [*steps, (end[0] + 3, end[1] + 3), end]:
            self.do("mousemove", x, y)
            time.sleep(0.06)
        time.sleep(0.3)
        self.do("mouseup", 1)

    def shot(self, path: Path) -> None:
        """A screenshot as PNG, taken by a process of its own."""
        code = (
            "import sys; from PySide6.QtGui import QGuiApplication; app = QGuiApplication(sys.argv);"
            " sys.exit(not app.primaryScreen().grabWindow(0).save(sys.argv[1], 'PNG'))"
        )
        subprocess.run([sys.executable, "-c", code, str(path)], env=self.environment, check=True)
