"""A model's components with their sizes: from a folder's headers, or from the catalogue before it is downloaded."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from engine.families.registry import NETWORK_CLASSES, NETWORKS, PUBLISHED
from engine.files import TEXT_LIMIT, read_regular
from engine.memory.components import Component, Components
from engine.memory.footprints import Footprints
from engine.models.catalog import MODELS as CATALOGUED
from engine.models.installed import open_folder
from engine.models.safetensors_header import DTYPE_BITS, read_header
from engine.protocol.errors import LaternaError, ModelDamaged, ModelMissing

GET_AGAIN = "Download the model again."


def published(model: str, footprints: Footprints | None = None) -> Components:
    """The components of a catalogued model as it is published. Raises ``ModelMissing`` for any other."""
    if model not in PUBLISHED:
        raise ModelMissing(f"There is no model “{model}” in the catalogue.", f"It has: {', '.join(PUBLISHED)}.")
    known = footprints or Footprints()
    parts = []
    configs: dict[str, dict[str, Any]] = {}
    for part in PUBLISHED[model]:
        cls, config = NETWORKS[part.network]
        found = known.find(cls, config)
        if found is None:
            raise ModelDamaged(f"The table of memory has no {part.network}.", "Install Laterna again.")
        parts.append(Component(part.name, found, found.parameters * DTYPE_BITS[part.precision] // 8, part.precision))
        configs[part.name] = config
    return Components(model, CATALOGUED[model].family, tuple(parts), configs["transformer"], configs["vae"])


def from_folder(folder: Path, footprints: Footprints | None = None) -> Components:
    """The components of the model in ``folder``, from its configurations and its weights' headers.

    Raises ``ModelMissing``, ``ModelDamaged`` or ``BadFile``.
    """
    known = footprints or Footprints()
    model = open_folder(folder)
    index = _read_json(folder / "model_index.json")
    parts = []
    configs: dict[str, dict[str, Any]] = {}
    for name, entry in index.items():
        if not (isinstance(entry, list) and len(entry) == 2 and entry[1] in NETWORK_CLASSES):
            continue
        configs[name] = _read_json(folder / name / "config.json")
        parameters, stored, precision = _weights(folder / name)
        found = known.find_or_scale(str(entry[1]), configs[name], parameters)
        if found is not None and parameters:
            parts.append(Component(name, found, stored, precision))
    for needed in ("transformer", "vae"):
        if needed not in {part.name for part in parts}:
            raise ModelMissing(f"The model in {folder} has no {needed}.", GET_AGAIN)
    return Components(model.info.id, model.info.family, tuple(parts), configs["transformer"], configs["vae"])


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(read_regular(path, TEXT_LIMIT))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelDamaged(f"{path} cannot be read: {error}.", GET_AGAIN) from error
    if not isinstance(value, dict):
        raise ModelDamaged(f"{path} is no JSON object.", GET_AGAIN)
    return value


def _weights(folder: Path) -> tuple[int, int, str]:
    """Parameters, bytes and the main dtype of one component; of several variants the one that is loaded."""
    files = sorted(folder.glob("*.safetensors"))
    plain = [file for file in files if ".fp16." not in file.name] or files
    parameters = stored = 0
    bytes_by_dtype: dict[str, int] = {}
    for file in plain:
        for tensor in read_header(file).tensors.values():
            parameters += math.prod(tensor.shape)
            stored += tensor.bytes
            bytes_by_dtype[tensor.dtype] = bytes_by_dtype.get(tensor.dtype, 0) + tensor.bytes
    main = max(bytes_by_dtype, key=lambda dtype: bytes_by_dtype[dtype], default="F32")
    return parameters, stored, main


def of_model(model: str, folder: Path | None, footprints: Footprints | None = None) -> Components:
    """The folder's components where it can be read, else those that the catalogue knows."""
    if folder is None:
        return published(model, footprints)
    try:
        return from_folder(folder, footprints)
    except LaternaError:
        if model in PUBLISHED:
            return published(model, footprints)
        raise
