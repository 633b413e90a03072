"""A model as planner and engine open it, looked at before anything is loaded; no weight is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.families.registry import FAMILIES
from engine.models.reading.component import (
    Component,
    ModelFolder,
    configured,
    existing,
    has_pickles,
    read_json,
    weighted,
)
from engine.models.reading.shared import shared_folders
from engine.models.reading.single_files import read_reference_parts
from engine.models.reference import read_reference


def read_model(path: Path, family: str) -> ModelFolder:
    """The model of ``family`` in ``path``: a folder in diffusers layout, or an import of one or in single files.

    Raises ``ModelMissing``, ``ModelDamaged`` or ``UnsafeModel``.
    """
    reference = read_reference(path)
    if reference is not None:
        if reference.folder:
            return read_model(Path(reference.folder), family)
        return read_reference_parts(path, reference)
    index = read_json(path / "model_index.json")
    shared = shared_folders(path)
    parts: dict[str, Component] = {"scheduler": configured("scheduler", existing(path, "scheduler"))}
    for spec in FAMILIES[family].told():
        name, has_weights = spec.name, spec.has_weights
        if spec.optional:
            place = shared.get(name, path / name)
            if not place.is_dir() or not _index_has(index, name):
                continue
            has_weights = any(place.glob("*.safetensors")) or has_pickles(place)
        place = shared.get(name) or existing(path, name)
        parts[name] = (weighted if has_weights else configured)(name, place)
    return ModelFolder(path, index, parts, family)


def optional_labels(folder: ModelFolder, family: str) -> tuple[str, ...]:
    """What the model in ``folder`` could have and runs without, in words; nothing where it was published so."""
    if (folder.path / "model_index.json").is_file():
        return ()
    own = FAMILIES[family]
    reference = read_reference(folder.path)
    here = {part.name for part in reference.parts} if reference is not None else set()
    absent = [name for name in own.optional if name not in folder.parts]
    return tuple(own.file_label(name) for name in absent if name not in here)


def _index_has(index: dict[str, Any], name: str) -> bool:
    entry = index.get(name)
    return not (isinstance(entry, list) and entry and entry[0] is None)
