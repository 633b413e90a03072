"""Training checkpoints: one safetensors file, everything that an exact resume needs, no pickle.

Tensors are named `model.*`, `ema.*` and `optimizer.<n>.<parameter>.<state>`; step and run are JSON in the header.
Random numbers need no state: every step seeds its own from (seed, step).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from engine.media import atomic
from engine.protocol.errors import BadFile, from_os_error

Tensors = dict[str, torch.Tensor]


def optimizer_tensors(optimizer: torch.optim.Optimizer, names: dict[torch.nn.Parameter, str], prefix: str) -> Tensors:
    tensors = {}
    for parameter, state in optimizer.state.items():
        for key, value in state.items():
            tensors[f"{prefix}{names[parameter]}|{key}"] = torch.as_tensor(value)
    return tensors


def load_optimizer(optimizer: torch.optim.Optimizer, names: dict[torch.nn.Parameter, str], prefix: str,
                   tensors: Tensors) -> None:  # fmt: skip
    by_name = {name: parameter for parameter, name in names.items()}
    for key, value in tensors.items():
        if key.startswith(prefix):
            name, state = key.removeprefix(prefix).rsplit("|", 1)
            place = "cpu" if state == "step" else by_name[name].device  # AdamW counts its steps on the CPU
            optimizer.state[by_name[name]][state] = value.clone().to(place)


def save(path: Path, tensors: Tensors, meta: dict[str, Any]) -> None:
    """Atomic: a kill leaves the old file or the new one. Raises `NoSpace` or `NotWritable`."""
    copies = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}  # tied weights may not share memory
    try:
        with atomic.replacing(path) as temporary:
            _write(copies, temporary, {"laterna": json.dumps(meta)})
    except OSError as error:
        raise from_os_error(error, "saving the training", path) from error


def _write(tensors: Tensors, path: Path, metadata: dict[str, str]) -> None:
    try:
        save_file(tensors, path, metadata)
    except SafetensorError as error:  # what the system said is only in its text
        told = re.search(r"\(os error (\d+)\)", str(error))
        raise OSError(int(told[1]) if told else 0, str(error)) from error


def load(path: Path) -> tuple[Tensors, dict[str, Any]]:
    """Tensors and what the header tells. Raises `BadFile` for anything that is no checkpoint."""
    try:
        with safe_open(path, "pt") as file:
            return {k: file.get_tensor(k) for k in file.keys()}, json.loads(file.metadata()["laterna"])  # noqa: SIM118
    except FileNotFoundError as error:
        raise BadFile(f"There is no checkpoint {path}.", "Check the name, or start the training anew.") from error
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise BadFile(
            f"{path} is no checkpoint of a training, or damaged: {error}.", "Go on from an earlier one, or start anew."
        ) from error


def read_meta(path: Path) -> dict[str, Any]:
    """What the header tells, without reading a tensor; empty where it cannot be read."""
    try:
        with safe_open(path, "pt") as file:
            found = json.loads(file.metadata()["laterna"])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@contextmanager
def fitting(path: Path) -> Iterator[None]:
    """Says in a sentence that a checkpoint is of another training."""
    try:
        yield
    except (RuntimeError, KeyError) as error:
        raise BadFile(
            f"{path} belongs to a training of another shape.",
            "Take another name for the new training, or start it with the old one's settings.",
            detail=str(error),
        ) from error


def part(tensors: Tensors, prefix: str) -> Tensors:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
