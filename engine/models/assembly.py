"""What an import in parts runs with: its own files, what ships, and what they lack from the other models in the folder.

Single files rarely hold everything: most have no T5, none but T5's GGUF has tokenizers. CLIP's vocabulary ships. The
text encoders and the VAE of all Stable Diffusion 3.5 models are the same, and CogVideoX reads its prompts with the same
T5, so another model's folder can give what is missing. Nothing is copied.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from engine.families.base import Family
from engine.families.registry import FAMILIES, FILE_KINDS, PIPELINES
from engine.files import TEXT_LIMIT, read_regular
from engine.models.component_location import ComponentLocation
from engine.models.reading.find import network_kind
from engine.models.reading.shared import component_folder, shared_folders
from engine.models.reference import Reference, read_reference
from engine.protocol.errors import LaternaError

_VOCABULARIES = ("tokenizer.json", "vocab.json", "spiece.model")


class Assembly(msgspec.Struct, frozen=True):
    """``parts`` by component; tokenizers, and what other models give, are folders (format ``diffusers``).

    ``missing`` are absent components without which it does not run, ``optional`` those that it can do without. Half a
    T5 is none: where one half is absent, the other is not among ``parts``.
    """

    family: str
    parts: dict[str, ComponentLocation]
    missing: tuple[str, ...]
    optional: tuple[str, ...]

    def to_get(self, with_t5: bool = False) -> tuple[str, ...]:
        """What a download should bring: what is missing, and what little the T5 lacks where its weights are here."""
        family = FAMILIES[self.family]
        kinds = [spec.kind for name in self.optional if (spec := family.spec(name)) is not None]
        is_little = all(network_kind(kind) is None for kind in kinds)
        return self.missing + (self.optional if with_t5 or is_little else ())

    def labels(self) -> tuple[str, ...]:
        """``missing`` in words."""
        return self._labels(self.missing)

    def optional_labels(self) -> tuple[str, ...]:
        """``optional`` in words."""
        return self._labels(self.optional)

    def _labels(self, names: tuple[str, ...]) -> tuple[str, ...]:
        family = FAMILIES.get(self.family)
        return tuple(family.file_label(name) if family else name for name in names)


def assemble(reference: Reference, beside: Path) -> Assembly:
    """The parts of ``reference``, completed from what ships and from the models in ``beside``. Reads small files
    only."""
    parts = {part.name: part for part in reference.parts if Path(part.path).exists()}
    family = FAMILIES.get(reference.family)
    if family is None or not family.file_kinds:
        return Assembly(reference.family, parts, reference.missing, ())
    offered: dict[str, ComponentLocation] = {}
    names = [spec.name for spec in family.told()]
    if any(name not in parts for name in names):
        for kind, part in _offered(beside):
            name = family.name_of(kind)
            if name:
                offered.setdefault(name, msgspec.structs.replace(part, name=name))
    parts |= {name: part for name, part in offered.items() if name not in parts and network_kind(part.kind)}
    _take_what_ships(family, parts)
    parts |= {name: part for name, part in offered.items() if name not in parts}
    absent, optional = [name for name in names if name not in parts], family.optional
    if any(name in absent for name in optional):
        parts = {name: part for name, part in parts.items() if name not in optional}
    return Assembly(
        reference.family,
        parts,
        tuple(name for name in absent if name not in optional),
        tuple(name for name in absent if name in optional),
    )


def tokenizers_of(folder: Path) -> dict[str, Path]:
    """By component, the folder of each tokenizer of the model in ``folder``, or the GGUF file that has it."""
    reference = read_reference(folder)
    if reference is None:
        found = {place.name: place for place in folder.glob("tokenizer*") if place.is_dir()}
        found |= {name: place for name, place in shared_folders(folder).items() if name.startswith("tokenizer")}
        return dict(sorted(found.items()))
    if reference.folder:
        return tokenizers_of(Path(reference.folder))
    parts = assemble(reference, Path(reference.beside or folder.parent)).parts
    return {name: Path(part.path) for name, part in parts.items() if name.startswith("tokenizer")}


def comes_in_single_files(reference: Reference) -> bool:
    return reference.family in FAMILIES and bool(FAMILIES[reference.family].file_kinds)


def kind_of(part: ComponentLocation, family: str) -> str:
    """Imports of earlier versions do not say it."""
    spec = FAMILIES[family].spec(part.name)
    return part.kind or (spec.kind if spec is not None else "")


def is_shipped(part: ComponentLocation) -> bool:
    """Whether it is a tokenizer that ships."""
    return part.kind in FILE_KINDS and part.path == str(FILE_KINDS[part.kind].ships)


def _take_what_ships(family: Family, parts: dict[str, ComponentLocation]) -> None:
    """Tokenizers that ship, where the encoder has their vocabulary."""
    for spec in family.components:
        kind = FILE_KINDS.get(spec.kind)
        if kind is not None and kind.ships is not None and spec.name not in parts:
            encoder = parts.get(family.name_of(kind.tokenizer_of))
            if encoder is None or encoder.words in (0, kind.words):  # 0: its configuration says none: the usual one
                parts[spec.name] = ComponentLocation(spec.name, str(kind.ships), "diffusers", "", 0, kind=kind.name)


def _offered(beside: Path) -> Iterator[tuple[str, ComponentLocation]]:
    """Kinds and parts: whole folders of other models first, then single files of other imports."""
    references: list[Reference] = []
    if not beside.is_dir():
        return
    for folder in sorted(beside.iterdir()):
        with suppress(LaternaError, OSError):
            reference = read_reference(folder)
            if reference is None:
                yield from _from_folder(folder)
            elif reference.folder:
                yield from _from_folder(Path(reference.folder))
            elif comes_in_single_files(reference):
                references.append(reference)
    for reference in references:
        for part in reference.parts:
            kind = kind_of(part, reference.family)
            if kind in FILE_KINDS and network_kind(kind) != "denoiser" and Path(part.path).exists():
                yield kind, msgspec.structs.replace(part, kind=kind)


def _from_folder(folder: Path) -> Iterator[tuple[str, ComponentLocation]]:
    family = PIPELINES.get(str(_read(folder / "model_index.json").get("_class_name")))
    gives = [(spec.name, spec.kind) for spec in family.told() if spec.kind] if family is not None else []
    for component, kind in gives:
        if network_kind(kind) == "denoiser":
            continue
        place = component_folder(folder, component)
        if place.is_dir() and _fits(folder, component, kind):
            weights = list(place.glob("*.safetensors"))
            if FILE_KINDS[kind].tokenizer_of or weights:
                size = sum(file.stat().st_size for file in weights)
                words = _read(place / "config.json").get("vocab_size", 0)
                words = words if type(words) is int else 0
                yield kind, ComponentLocation(component, str(place), "diffusers", "", size, kind=kind, words=words)


def _fits(folder: Path, component: str, kind: str) -> bool:
    """Whether the component is of the right width; a tokenizer, whether the encoder beside it is."""
    encoder_kind = FILE_KINDS[kind].tokenizer_of
    if encoder_kind:
        if not any((component_folder(folder, component) / file).is_file() for file in _VOCABULARIES):
            return False
        encoder = component.replace("tokenizer", "text_encoder")
        told = component_folder(folder, encoder) / "config.json"
        return not told.is_file() or _fits(folder, encoder, encoder_kind)
    setting, value = FILE_KINDS[kind].fits
    return bool(_read(component_folder(folder, component) / "config.json").get(setting) == value)


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(read_regular(path, TEXT_LIMIT))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
