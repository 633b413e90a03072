"""``train``: the arguments go to ``engine.training``, in a process of its own, for it needs torch."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

from app.cli.parser import Namespace
from app.paths import Paths

PARENT_VARIABLE = "LATERNA_PARENT"
HOME_VARIABLE = "LATERNA_TRAINING"


def run(arguments: Namespace, paths: Paths) -> int:
    """Its exit code. Ctrl-C and SIGTERM let it save first; a second one ends it at once."""
    environment = os.environ | {PARENT_VARIABLE: str(os.getpid())}
    environment.setdefault(HOME_VARIABLE, str(paths.trainings))
    process = subprocess.Popen([sys.executable, "-m", "engine.training", *arguments.arguments], env=environment)
    try:
        return process.wait()
    except KeyboardInterrupt:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.kill()
            process.wait()
            raise
