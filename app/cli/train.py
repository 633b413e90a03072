"""``train``: the arguments go to ``engine.training``, in a process of its own, for it needs torch."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

from app.cli.parser import Namespace
from app.paths import Paths
from engine.protocol.errors import BadArguments
from engine.training.arguments import parser

PARENT_VARIABLE = "LATERNA_PARENT"
HOME_VARIABLE = "LATERNA_TRAINING"


def _check(given: list[str]) -> None:
    """What is wrong with a fine-tuning's folders, at once: opening torch takes many seconds.

    Raises ``BadArguments``; a wrong command line ends the process as in the training itself.
    """
    if "lora" not in given:
        return
    found = parser().parse_args(given)
    if found.command != "lora":
        return
    if not found.data.is_dir():
        raise BadArguments(f"There is no folder {found.data}.", "Name the folder with the pictures: --data FOLDER.")
    if not found.model.is_dir():
        raise BadArguments(f"There is no folder {found.model}.", "Name the folder of a model: --model FOLDER.")
    if found.out.suffix != ".safetensors":
        raise BadArguments(f"--out is {found.out.name}; a LoRA is a .safetensors file.", "Name a .safetensors file.")


def run(arguments: Namespace, paths: Paths) -> int:
    """Its exit code. Ctrl-C and SIGTERM let it save first; a second one ends it at once. Raises ``BadArguments``."""
    _check(arguments.arguments)
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
