"""Training checkpoints: one safetensors file, everything that an exact resume needs, no pickle.

Tensors are named `model.*`, `ema.*` and `optimizer.<n>.<parameter>.<state>`; step and run are JSON in the header.
Random numbers need no state: every step seeds its own from (seed, step).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

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
            optimizer.state[by_name[name]][state] = value.clone()


def save(path: Path, tensors: Tensors, meta: dict[str, Any]) -> None:
    """Atomic: a kill leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    copies = {k: v.detach().contiguous().clone() for k, v in tensors.items()}  # tied weights may not share memory
    save_file(copies, temporary, {"laterna": json.dumps(meta)})
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)


def load(path: Path) -> tuple[Tensors, dict[str, Any]]:
    with safe_open(path, "pt") as file:
        return {k: file.get_tensor(k) for k in file.keys()}, json.loads(file.metadata()["laterna"])  # noqa: SIM118


def part(tensors: Tensors, prefix: str) -> Tensors:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
