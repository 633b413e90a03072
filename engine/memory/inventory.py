"""A model's components with their sizes: from what lies on the disk, or from the catalogue before it is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.families.registry import FAMILIES, NETWORKS, PUBLISHED
from engine.memory.footprints import Footprints
from engine.memory.planned_model import PlannedComponent, PlannedModel
from engine.models.catalog import MODELS as CATALOGUED
from engine.models.installed import open_folder
from engine.models.reading.component import ModelFolder
from engine.models.reading.model_folder import read_model
from engine.models.safetensors_header import DTYPE_BITS
from engine.protocol.errors import LaternaError, ModelDamaged, ModelMissing

GET_AGAIN = "Download the model again."


def published(model: str, footprints: Footprints | None = None) -> PlannedModel:
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
        parts.append(
            PlannedComponent(part.name, found, found.parameters * DTYPE_BITS[part.precision] // 8, part.precision)
        )
        configs[part.name] = config
    family = FAMILIES[CATALOGUED[model].family]
    return PlannedModel(model, family.info.id, tuple(parts), configs[family.denoisers()[0]], configs[family.vae()])


def from_folder(folder: Path, footprints: Footprints | None = None) -> PlannedModel:
    """The components of the model in ``folder`` (or of the import that it is), from its configurations and its weights'
    headers.

    Raises ``ModelMissing``, ``ModelDamaged``, ``UnsafeModel`` or ``BadFile``.
    """
    model = open_folder(folder)
    read = read_model(model.folder, model.info.family)
    found = components_of(read, model.info.id, model.info.family, footprints)
    if found is None:
        raise ModelDamaged(f"{folder} has a network of no known kind.", GET_AGAIN)
    return found


def components_of(
    folder: ModelFolder, model: str, family: str, footprints: Footprints | None = None
) -> PlannedModel | None:
    """What was read of a model as the planner sees it; None where a network is of no known kind."""
    known, parts = footprints or Footprints(), []
    for name, part in folder.parts.items():
        if not part.weights:
            continue
        cls = folder.class_of(name)
        footprint = known.find_or_scale(cls, part.config, part.parameters)
        if footprint is None:
            return None
        parts.append(PlannedComponent(name, footprint, part.stored_bytes, part.dtype))
    own = FAMILIES[family]
    denoiser, vae = folder.parts[own.denoisers()[0]].config, folder.parts[own.vae()].config
    return PlannedModel(model, family, tuple(parts), denoiser, vae)


def networks_of(folder: Path) -> list[tuple[str, str, dict[str, Any]]]:
    """Component, class and configuration of each network of the model in ``folder``. Raises as ``from_folder``."""
    model = open_folder(folder)
    read = read_model(model.folder, model.info.family)
    return [(name, read.class_of(name), part.config) for name, part in read.parts.items() if part.weights]


def has_unknown(folder: Path, footprints: Footprints) -> bool:
    """Whether the model in ``folder`` has a network that was never simulated; False where it cannot be read."""
    try:
        return any(footprints.find(cls, config) is None for _, cls, config in networks_of(folder))
    except LaternaError:
        return False


def of_model(model: str, folder: Path | None, footprints: Footprints | None = None) -> PlannedModel:
    """The folder's components where it can be read, else those that the catalogue knows."""
    if folder is None:
        return published(model, footprints)
    try:
        return from_folder(folder, footprints)
    except LaternaError:
        if model in PUBLISHED:
            return published(model, footprints)
        raise
