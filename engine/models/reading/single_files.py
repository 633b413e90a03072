"""An import in parts as a model's folder: configurations from the shapes, the rest from where ``assemble`` found it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from engine.families.registry import FAMILIES, FILE_KINDS
from engine.files import TEXT_LIMIT, read_regular
from engine.models.assembly import Assembly, assemble, kind_of
from engine.models.component_location import ComponentLocation
from engine.models.reading.component import (
    GET_AGAIN,
    Component,
    ModelFolder,
    configured,
    read_json,
    weighted,
)
from engine.models.reading.tensor_files import PLAIN, TensorFile, open_tensors
from engine.models.reference import Reference
from engine.protocol.errors import ModelDamaged, ModelMissing


def read_reference_parts(path: Path, reference: Reference) -> ModelFolder:
    """The model that the import in ``path`` stands for. Raises ``ModelMissing``, ``ModelDamaged``, ``UnsafeModel``."""
    assembly = assemble(reference, Path(reference.beside or path.parent))
    if assembly.missing:
        raise ModelMissing(
            f"“{path.name}” lacks its {', '.join(assembly.labels())}.",
            f"“models complete {path.name}” downloads just that.",
        )
    family = FAMILIES[reference.family]
    parts = {"scheduler": configured("scheduler", family.scheduler)} if family.scheduler else {}
    for name, part in assembly.parts.items():
        parts[name] = _part(name, part, kind_of(part, reference.family))
    for name, own in parts.items():
        own.config.update(family.variant(reference.model, name))
    return ModelFolder(path, _index(reference.family, assembly), parts, reference.family)


def _part(name: str, part: ComponentLocation, kind: str) -> Component:
    place = Path(part.path)
    if part.format == "diffusers":
        found = configured(name, place) if FILE_KINDS[kind].tokenizer_of else weighted(name, place)
        if place == FILE_KINDS[kind].ships:
            found.config.update(FILE_KINDS[kind].filling)
        return found
    if FILE_KINDS[kind].tokenizer_of:  # the pieces in a T5's GGUF
        return Component(name, place.parent, {}, format=part.format, kind=kind, pieces=place)
    tensors = open_tensors(place, part.format, part.prefix)
    return Component(
        name,
        FILE_KINDS[kind].config,
        read_json(FILE_KINDS[kind].config / "config.json") | _changes(kind, place, tensors),
        weights=(place,),
        dtype=tensors.dtype,
        parameters=sum(math.prod(shape) for shape in tensors.shapes.values()),
        format=part.format,
        prefix=part.prefix,
        quantised_bytes=0 if tensors.dtype in PLAIN else tensors.bytes,
        kind=kind,
    )


def _changes(kind: str, place: Path, tensors: TensorFile) -> dict[str, Any]:
    shapes = {take.target: take.shape(tensors.shapes[take.source]) for take in FILE_KINDS[kind].naming(tensors.shapes)}
    try:
        return FILE_KINDS[kind].changes(shapes, place.stem)
    except (KeyError, IndexError, ValueError, ZeroDivisionError, TypeError) as error:
        what = FILE_KINDS[kind].label
        raise ModelDamaged(f"{place.name} holds no whole {what}: {error} is missing or odd.", GET_AGAIN) from error


def _index(family: str, assembly: Assembly) -> dict[str, Any]:
    """As ``model_index.json``: the classes of what comes from other models' folders, and of what lies in files."""
    index: dict[str, Any] = {"_class_name": FAMILIES[family].pipelines[0]}
    for name, part in assembly.parts.items():
        place = Path(part.path)
        cls = FILE_KINDS[kind_of(part, family)].cls
        if cls:
            index[name] = ["", cls]
        elif part.format == "diffusers" and (place.parent / "model_index.json").is_file():
            index[name] = json.loads(read_regular(place.parent / "model_index.json", TEXT_LIMIT)).get(place.name)
    return index
