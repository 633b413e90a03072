"""A model that was found, wherever it lies: a folder in diffusers layout, or files that hold its components."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from engine.families.registry import FAMILIES
from engine.models import catalog, installed
from engine.models.component_location import PICKLES, ComponentLocation
from engine.models.reading.component import read_json
from engine.models.reading.shared import component_folder
from engine.models.recognise import RecognisedFile, precision_name, precision_of
from engine.models.reference import Reference
from engine.models.safetensors_header import read_header
from engine.protocol.errors import UnsafeModel
from engine.protocol.family_info import ModelInfo

Kind = Literal["folder", "file", "gguf", "tree", "cache"]


class Recognised(msgspec.Struct, frozen=True):
    """A model that was found. ``missing`` are the components that a run needs and that are not in its files.

    ``folder`` is set where it is a whole folder in diffusers layout, which can run as it is.
    """

    kind: Kind
    name: str
    family: str
    model: str
    precision: str
    parts: tuple[ComponentLocation, ...]
    missing: tuple[str, ...] = ()
    folder: str = ""

    def reference(self, beside: str = "") -> Reference:
        return Reference(self.model, self.family, self.folder, self.parts, self.missing, beside)


def from_parts(kind: Kind, path: Path, found: RecognisedFile, others: dict[str, ComponentLocation]) -> Recognised:
    """The model in the file ``path``, with what it lacks from ``others`` (by kind)."""
    family = FAMILIES[found.family]
    beside = {name: one for kind, one in others.items() if (name := family.name_of(kind))}
    parts = {name: msgspec.structs.replace(one, name=name) for name, one in beside.items()}
    parts |= {part.name: part for part in found.parts}
    return Recognised(
        kind=kind,
        name=clean(path.stem),
        family=found.family,
        model=found.model,
        precision=precision_of(family, parts.values()),
        parts=tuple(parts.values()),
        missing=tuple(spec.name for spec in family.told() if spec.name not in parts),
    )


def from_folder(folder: Path, kind: Kind, name: str = "") -> Recognised:
    """A folder in diffusers layout: every component's weights are there, whole, and no pickle."""
    opened = installed.open_folder(folder)
    index = read_json(folder / "model_index.json")
    parts: list[ComponentLocation] = []
    missing: list[str] = []
    for component, entry in index.items():
        if component.startswith("_") or not isinstance(entry, list) or len(entry) != 2 or not entry[1]:
            continue
        place = component_folder(folder, component)
        if not place.is_dir():
            missing.append(component)
        elif component.startswith("tokenizer"):
            parts.append(ComponentLocation(component, str(place), "diffusers", "", 0))
        elif component.startswith(("scheduler", "feature_extractor")):
            continue
        else:
            part = _folder_part(place)
            if part is None:
                missing.append(component)
            else:
                parts.append(part)
    family = FAMILIES[opened.info.family]
    base = name or opened.info.id
    whole = set(missing) <= set(family.optional)
    return Recognised(
        kind=kind,
        name=clean(base),
        family=opened.info.family,
        model=_catalogued(opened.info),
        precision=precision_of(family, parts),
        parts=tuple(parts),
        missing=tuple(missing),
        folder=str(folder) if whole else "",
    )


def _folder_part(place: Path) -> ComponentLocation | None:
    """The component in ``place``; None where its weights are not all there. Raises for pickles and broken headers."""
    weights = sorted(place.glob("*.safetensors"))
    if not weights:
        if any(path.suffix.lower() in PICKLES for path in place.iterdir()):
            raise UnsafeModel(
                f"{place} holds its weights as a pickle: opening it can run any program.",
                "Get the same model as .safetensors.",
            )
        return None
    plain = [path for path in weights if not _variant(path)] or weights
    for index in place.glob("*.index.json"):
        if _variant(index) == _variant(plain[0]):
            listed = read_json(index).get("weight_map")
            names = {str(name) for name in listed.values()} if isinstance(listed, dict) else set()
            if any(not (place / name).is_file() for name in names):
                return None
            plain = [path for path in weights if path.name in names] or plain
    headers = [read_header(path) for path in plain]
    size = sum(path.stat().st_size for path in plain)
    largest = max(headers, key=lambda header: len(header.tensors))
    return ComponentLocation(place.name, str(place), "diffusers", precision_name(largest.dtype()), size)


def _variant(path: Path) -> str:
    return next((name for name in ("fp16", "bf16", "fp32") if f".{name}" in path.name), "")


def _catalogued(info: ModelInfo) -> str:
    return next((known.id for known in catalog.MODELS.values() if known.repository == info.repository), "")


def completed(found: Recognised, others: dict[str, ComponentLocation]) -> Recognised:
    """A folder that lacks components, with those that ``others`` (by kind) have."""
    family = FAMILIES[found.family]
    here = {name: part for kind, part in others.items() if (name := family.name_of(kind)) in found.missing}
    if found.folder or not here:
        return found
    added = tuple(msgspec.structs.replace(part, name=name) for name, part in here.items())
    missing = tuple(name for name in found.missing if name not in here)
    return msgspec.structs.replace(found, parts=(*found.parts, *added), missing=missing)


def clean(name: str) -> str:
    cleaned = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in name).strip(".-_")
    return cleaned[:80] or "imported"
