"""An import in parts as a model's folder: configurations from the shapes, the rest from where ``assemble`` found it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from engine.models.assembly import Assembly, assemble
from engine.models.recognise import Part as FilePart
from engine.models.reference import Reference
from engine.protocol.errors import ModelDamaged, ModelMissing
from engine.worker.component import GET_AGAIN, ModelFolder, Part, configured, read_json, weighted
from engine.worker.single_file.configs import CONFIGS, config_changes
from engine.worker.single_file.names import LAYOUTS
from engine.worker.single_file.tensors import DTYPES, TensorFile, open_tensors


def inspect_reference(path: Path, reference: Reference) -> ModelFolder:
    """The model that the import in ``path`` stands for. Raises ``ModelMissing``, ``ModelDamaged``, ``UnsafeModel``."""
    assembly = assemble(reference, Path(reference.beside or path.parent))
    if assembly.missing:
        raise ModelMissing(
            f"“{path.name}” lacks its {', '.join(assembly.labels())}.",
            f"“models complete {path.name}” downloads just that.",
        )
    parts = {"scheduler": configured("scheduler", CONFIGS / "scheduler")}
    for name, part in assembly.parts.items():
        parts[name] = _part(name, part)
    return ModelFolder(path, _index(assembly), parts)


def _part(name: str, part: FilePart) -> Part:
    place = Path(part.path)
    if part.format == "diffusers":
        return (configured if name.startswith("tokenizer") else weighted)(name, place)
    tensors = open_tensors(place, part.format, part.prefix)
    return Part(
        name,
        CONFIGS / name,
        read_json(CONFIGS / name / "config.json") | _changes(name, place, tensors),
        weights=(place,),
        dtype=tensors.dtype,
        parameters=sum(math.prod(shape) for shape in tensors.shapes.values()),
        format=part.format,
        prefix=part.prefix,
        quantised_bytes=0 if tensors.dtype in DTYPES else part.bytes,
    )


def _changes(name: str, place: Path, tensors: TensorFile) -> dict[str, Any]:
    shapes = {take.target: take.shape(tensors.shapes[take.source]) for take in LAYOUTS[name](tensors.shapes)}
    try:
        return config_changes(name, shapes)
    except (KeyError, IndexError, ValueError, ZeroDivisionError) as error:
        what = name.replace("_", " ")
        raise ModelDamaged(f"{place.name} holds no whole {what}: {error} is missing or odd.", GET_AGAIN) from error


def _index(assembly: Assembly) -> dict[str, Any]:
    """As ``model_index.json``: the classes of what comes from other models' folders."""
    index: dict[str, Any] = {"_class_name": "StableDiffusion3Pipeline"}
    for name, part in assembly.parts.items():
        place = Path(part.path)
        if part.format == "diffusers":
            index[name] = read_json(place.parent / "model_index.json").get(place.name)
    return index
