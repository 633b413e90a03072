"""A model as the engine opens it, looked at before anything is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.models.reference import read_reference
from engine.worker.component import (
    GET_AGAIN,
    ModelFolder,
    Part,
    configured,
    existing,
    has_pickles,
    read_json,
    weighted,
)
from engine.worker.single_file.inspect import inspect_reference

__all__ = ["GET_AGAIN", "ModelFolder", "Part", "inspect", "read_json"]


def inspect(path: Path, required: Iterable[str], optional: Iterable[str], configs_only: Iterable[str]) -> ModelFolder:
    """Look at ``path``: a folder in diffusers layout, or an import in single files. ``configs_only`` are required parts
    without weights (tokenizers, the scheduler).

    Raises ``ModelMissing``, ``ModelDamaged`` or ``UnsafeModel``.
    """
    reference = read_reference(path)
    if reference is not None:
        return inspect_reference(path, reference)
    index = read_json(path / "model_index.json")
    parts: dict[str, Part] = {}
    for name in configs_only:
        parts[name] = configured(name, existing(path, name))
    for name in required:
        parts[name] = weighted(name, existing(path, name))
    for name in optional:
        if (path / name).is_dir() and _index_has(index, name):
            has_weights = any((path / name).glob("*.safetensors")) or has_pickles(path / name)
            parts[name] = (weighted if has_weights else configured)(name, path / name)
    return ModelFolder(path, index, parts)


def _index_has(index: dict[str, Any], name: str) -> bool:
    entry = index.get(name)
    return not (isinstance(entry, list) and entry and entry[0] is None)
