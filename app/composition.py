"""The one file that builds the program: paths, settings, window and services, each handed what it needs."""

from __future__ import annotations

import sys

from app.cli.parser import Namespace
from app.paths import Paths


def open_window(paths: Paths, arguments: Namespace) -> int:
    from ui.app import run

    return run(paths, sys.argv[:1])
