"""Whether a window can be shown at all: without a screen, Qt ends the process with a message for engineers."""

from __future__ import annotations

import os
import sys

from engine.protocol.errors import BadArguments
from resources import CALLED


def has_screen() -> bool:
    """On Linux: whether there is an X11 or Wayland display, or another platform was chosen by hand."""
    if sys.platform != "linux":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def need_screen() -> None:
    if not has_screen():
        raise BadArguments(
            "There is no screen here to open the window on.",
            f"Start it in a desktop session, or use a command: `{CALLED} generate --help`.",
        )
