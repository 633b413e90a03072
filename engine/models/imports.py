"""Use what a person already has, where it is: nothing is copied, and removing an import deletes nothing of theirs.

An import is a folder among the models with one file, ``laterna-reference.json``: which folder in diffusers layout to
open, or which files hold which components.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from engine.families.registry import FAMILIES, FILE_KINDS
from engine.files import TEXT_LIMIT, read_regular
from engine.models import catalog, installed
from engine.models.manifest import check_name
from engine.models.reading.shared import component_folder
from engine.models.recognise import PICKLES, Part, RecognisedFile, precision_name, precision_of, recognise_file
from engine.models.reference import REFERENCE_NAME, Reference, write_reference
from engine.models.safetensors_header import read_header
from engine.models.store import Store
from engine.models.trees import LeftOut, look_through
from engine.protocol.errors import BadFile, LaternaError, ModelMissing, UnsafeModel, from_os_error
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
    parts: tuple[Part, ...]
    missing: tuple[str, ...] = ()
    folder: str = ""

    def reference(self, beside: str = "") -> Reference:
        return Reference(self.model, self.family, self.folder, self.parts, self.missing, beside)


class Survey(msgspec.Struct, frozen=True):
    """What is at a path: models, and what does not come in, with the reason. ``controlnets`` and ``loras`` are among
    those, too."""

    found: tuple[Recognised, ...]
    left_out: tuple[LeftOut, ...] = ()
    controlnets: tuple[str, ...] = ()
    loras: tuple[str, ...] = ()


def recognise(path: Path) -> list[Recognised]:
    """The models at ``path``: a file, a diffusers folder, another program's tree, or a Hugging Face cache.

    Raises ``BadFile``, ``ModelDamaged`` or ``UnsafeModel`` with what is wrong; the list is never empty.
    """
    return list(survey(path).found)


def survey(path: Path) -> Survey:
    """As ``recognise``, with what does not come in. Raises as it does."""
    path = path.expanduser().absolute()
    if path.is_file():
        return Survey((_from_file(path),))
    if not path.is_dir():
        raise BadFile(f"There is nothing at {path} that can be read.", "Check the path.")
    if (path / "model_index.json").is_file():
        return Survey((_from_folder(path, "folder"),))
    cached = tuple(_from_cache(path))
    tree = look_through(path)
    inside = {Path(one.folder) for one in cached if one.folder}
    found = [*cached]
    for folder in tree.folders:
        if folder not in inside and not any(part.name == "snapshots" for part in folder.parents):
            try:
                found.append(_from_folder(folder, "tree"))
            except LaternaError as error:
                tree.left_out.append(LeftOut(str(folder), error.message))
    found += [_from_parts("tree", file, one, tree.others) for file, one in tree.models]
    if not found:
        why = f" {tree.left_out[0].why}" if tree.left_out else ""
        raise BadFile(
            f"{path} holds no model that Laterna knows.{why}",
            "Choose a folder in diffusers layout, a .safetensors or .gguf file, the models folder of another program,"
            " or a Hugging Face cache.",
        )
    controlnets, loras = map(str, tree.controlnets), map(str, tree.loras)
    return Survey(tuple(found), tuple(tree.left_out), tuple(controlnets), tuple(loras))


def register(store: Store, found: Recognised, name: str = "") -> Path:
    """Make ``found`` one of the models in ``store``; returns the folder of the import."""
    return restore_import(store, name or _free_name(store, found.name), found.reference())


def restore_import(store: Store, name: str, reference: Reference) -> Path:
    """Keep ``reference`` under ``name``; returns the folder. Raises ``BadFile`` where there is a model of that name."""
    folder = store.model_folder(check_name(name))
    if folder.exists():
        raise BadFile(f"There is a model “{name}” already.", "Give the import another name.")
    try:
        store.create()
        folder.mkdir()
        write_reference(folder, reference)
    except OSError as error:
        raise from_os_error(error, "keeping the import", folder) from error
    return folder


def unregister(store: Store, name: str) -> None:
    """Forget an import; the person's own files stay."""
    folder = store.model_folder(name)
    if not (folder / REFERENCE_NAME).is_file():
        raise ModelMissing(f"“{name}” is no import.", "“models list” shows what there is.")
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise from_os_error(error, "removing the import", folder) from error


def _free_name(store: Store, wanted: str) -> str:
    names = [wanted, *(f"{wanted}-{i}" for i in range(2, 100))]
    return next((name for name in names if not store.model_folder(name).exists()), wanted)


def _from_file(path: Path) -> Recognised:
    found = recognise_file(path)
    if not found.model:
        label = FILE_KINDS[found.parts[0].kind].label
        raise BadFile(
            f"{path.name} is a {label} alone, not a model.",
            "Choose the model's file, or the ComfyUI models folder that holds both.",
        )
    return _from_parts("gguf" if found.parts[0].format == "gguf" else "file", path, found, {})


def _from_parts(kind: Kind, path: Path, found: RecognisedFile, others: dict[str, Part]) -> Recognised:
    family = FAMILIES[found.family]
    beside = {name: one for kind, one in others.items() if (name := family.name_of(kind))}
    parts = {name: msgspec.structs.replace(one, name=name) for name, one in beside.items()}
    parts |= {part.name: part for part in found.parts}
    return Recognised(
        kind=kind,
        name=_clean(path.stem),
        family=found.family,
        model=found.model,
        precision=precision_of(family, parts.values()),
        parts=tuple(parts.values()),
        missing=tuple(spec.name for spec in family.told() if spec.name not in parts),
    )


def _from_folder(folder: Path, kind: Kind, name: str = "") -> Recognised:
    """A folder in diffusers layout: every component's weights are there, whole, and no pickle."""
    opened = installed.open_folder(folder)
    index = json.loads(read_regular(folder / "model_index.json", TEXT_LIMIT))
    parts: list[Part] = []
    missing: list[str] = []
    for component, entry in index.items():
        if component.startswith("_") or not isinstance(entry, list) or len(entry) != 2 or not entry[1]:
            continue
        place = component_folder(folder, component)
        if not place.is_dir():
            missing.append(component)
        elif component.startswith("tokenizer"):
            parts.append(Part(component, str(place), "diffusers", "", 0))
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
        name=_clean(base),
        family=opened.info.family,
        model=_catalogued(opened.info),
        precision=precision_of(family, parts),
        parts=tuple(parts),
        missing=tuple(missing),
        folder=str(folder) if whole else "",
    )


def _folder_part(place: Path) -> Part | None:
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
            names = set(json.loads(read_regular(index, TEXT_LIMIT)).get("weight_map", {}).values())
            if any(not (place / name).is_file() for name in names):
                return None
            plain = [path for path in weights if path.name in names] or plain
    headers = [read_header(path) for path in plain]
    size = sum(path.stat().st_size for path in plain)
    largest = max(headers, key=lambda header: len(header.tensors))
    return Part(place.name, str(place), "diffusers", precision_name(largest.dtype()), size)


def _variant(path: Path) -> str:
    return next((name for name in ("fp16", "bf16", "fp32") if f".{name}" in path.name), "")


def _catalogued(info: ModelInfo) -> str:
    return next((known.id for known in catalog.MODELS.values() if known.repository == info.repository), "")


def _from_cache(path: Path) -> Iterator[Recognised]:
    """Snapshots in a hub cache; ``path`` may be the cache, its ``hub`` folder, or one repository in it."""
    repositories: list[Path] = []
    for place in (path, path / "hub"):
        if place.name.startswith("models--") and (place / "snapshots").is_dir():
            repositories.append(place)
        elif place.is_dir():
            repositories += [entry for entry in sorted(place.glob("models--*")) if (entry / "snapshots").is_dir()]
    for repository in repositories:
        for snapshot in _snapshots(repository):
            if (snapshot / "model_index.json").is_file():
                try:
                    yield _from_folder(snapshot, "cache", repository.name.split("--")[-1].lower())
                except LaternaError:
                    if len(repositories) == 1:
                        raise
                break


def _snapshots(repository: Path) -> list[Path]:
    """The snapshot of ``main`` first, then the newest."""
    folders = [path for path in (repository / "snapshots").iterdir() if path.is_dir()]
    try:
        current = read_regular(repository / "refs" / "main", 1024).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        current = ""
    return sorted(folders, key=lambda path: (path.name != current, -path.stat().st_mtime))


def _clean(name: str) -> str:
    cleaned = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in name).strip(".-_")
    return cleaned[:80] or "imported"
