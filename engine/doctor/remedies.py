"""What mends an environment, as a person would do it here: in a clone, or with an installed wheel."""

from __future__ import annotations

import sys

from resources import CALLED, IN_A_CLONE

_PIP = f"{sys.executable} -m pip install"
_CUDA = "--index-url https://download.pytorch.org/whl/cu130"

MAKE_ANEW = (
    f"Delete the folder .venv, then run: {CALLED}."
    if IN_A_CLONE
    else f"Install Laterna anew: {_PIP} --force-reinstall laterna."
)
WITH_CUDA = (
    f"Take the build for NVIDIA cards: LATERNA_TORCH=cuda {CALLED}."
    if IN_A_CLONE
    else f"Take the build for NVIDIA cards: {_PIP} torch {_CUDA}."
)
EVERYWHERE = (
    f"Take the build that runs everywhere: delete the folder .venv, then run: LATERNA_TORCH=cpu {CALLED}."
    if IN_A_CLONE
    else f"Take the build that runs everywhere: {_PIP} torch --index-url https://download.pytorch.org/whl/cpu."
)
