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

from engine.files import TEXT_LIMIT, read_regular
from engine.models.reading.kinds import CLIP_VOCABULARY, CLIP_WORDS, FAMILY_FILES, KINDS, FamilyFiles, kinds_given
from engine.models.recognise import Part
from engine.models.reference import Reference, read_reference
from engine.protocol.errors import LaternaError

_VOCABULARIES = ("tokenizer.json", "vocab.json", "spiece.model")


class Assembly(msgspec.Struct, frozen=True):
    """``parts`` by component; tokenizers, and what other models give, are folders (format ``diffusers``).

    ``missing`` are absent components without which it does not run, ``optional`` those that it can do without. Half a
    T5 is none: where one half is absent, the other is not among ``parts``.
    """

    family: str
    parts: dict[str, Part]
    missing: tuple[str, ...]
    optional: tuple[str, ...]

    def to_get(self, with_t5: bool = False) -> tuple[str, ...]:
        """What a download should bring: what is missing, and what little the T5 lacks where its weights are here."""
        t5 = self.optional if with_t5 or self.optional == ("tokenizer_3",) else ()
        return self.missing + t5

    def labels(self) -> tuple[str, ...]:
        """``missing`` in words."""
        files = FAMILY_FILES.get(self.family)
        return tuple(files.label(name) if files else name for name in self.missing)


def assemble(reference: Reference, beside: Path) -> Assembly:
    """The parts of ``reference``, completed from what ships and from the models in ``beside``. Reads small files
    only."""
    parts = {part.name: part for part in reference.parts if Path(part.path).exists()}
    files = FAMILY_FILES.get(reference.family)
    if files is None:
        return Assembly(reference.family, parts, reference.missing, ())
    offered: dict[str, Part] = {}
    if any(name not in parts for name in files.components):
        for kind, part in _offered(beside):
            name = files.name_of(kind)
            if name:
                offered.setdefault(name, msgspec.structs.replace(part, name=name))
    parts |= {name: part for name, part in offered.items() if name not in parts and name.startswith(("text", "vae"))}
    _take_what_ships(files, parts)
    parts |= {name: part for name, part in offered.items() if name not in parts}
    absent = [name for name in files.components if name not in parts]
    if any(name in absent for name in files.optional):
        parts = {name: part for name, part in parts.items() if name not in files.optional}
    return Assembly(
        reference.family,
        parts,
        tuple(name for name in absent if name not in files.optional),
        tuple(name for name in absent if name in files.optional),
    )


def tokenizers_of(folder: Path) -> dict[str, Path]:
    """By component, the folder of each tokenizer of the model in ``folder``, or the GGUF file that has it."""
    reference = read_reference(folder)
    if reference is None:
        return {place.name: place for place in sorted(folder.glob("tokenizer*")) if place.is_dir()}
    if reference.folder:
        return tokenizers_of(Path(reference.folder))
    parts = assemble(reference, Path(reference.beside or folder.parent)).parts
    return {name: Path(part.path) for name, part in parts.items() if name.startswith("tokenizer")}


def comes_in_single_files(reference: Reference) -> bool:
    return reference.family in FAMILY_FILES


def kind_of(part: Part, family: str) -> str:
    """Imports of earlier versions do not say it."""
    return part.kind or FAMILY_FILES[family].components.get(part.name, "")


def _take_what_ships(files: FamilyFiles, parts: dict[str, Part]) -> None:
    """CLIP's tokenizers, where the encoder has CLIP's vocabulary."""
    for name, kind in files.components.items():
        encoder = parts.get(files.name_of(KINDS[kind].tokenizer_of))
        is_clip = KINDS[kind].tokenizer_of.startswith("clip")
        # 0: its configuration says none, which means CLIP's own
        if name not in parts and is_clip and (encoder is None or encoder.words in (0, CLIP_WORDS)):
            parts[name] = Part(name, str(CLIP_VOCABULARY), "diffusers", "", 0, kind=kind)


def _offered(beside: Path) -> Iterator[tuple[str, Part]]:
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
            if part.name != "transformer" and Path(part.path).exists():
                yield kind_of(part, reference.family), part


def _from_folder(folder: Path) -> Iterator[tuple[str, Part]]:
    gives = kinds_given(str(_read(folder / "model_index.json").get("_class_name")))
    for component, kind in gives.items():
        place = folder / component
        if place.is_dir() and _fits(folder, component, kind):
            weights = list(place.glob("*.safetensors"))
            if KINDS[kind].tokenizer_of or weights:
                size = sum(file.stat().st_size for file in weights)
                words = _read(place / "config.json").get("vocab_size", 0)
                words = words if type(words) is int else 0
                yield kind, Part(component, str(place), "diffusers", "", size, kind=kind, words=words)


def _fits(folder: Path, component: str, kind: str) -> bool:
    """Whether the component is of the right width; a tokenizer, whether the encoder beside it is."""
    encoder_kind = KINDS[kind].tokenizer_of
    if encoder_kind:
        if not any((folder / component / file).is_file() for file in _VOCABULARIES):
            return False
        encoder = component.replace("tokenizer", "text_encoder")
        return not (folder / encoder / "config.json").is_file() or _fits(folder, encoder, encoder_kind)
    setting, value = KINDS[kind].fits
    return bool(_read(folder / component / "config.json").get(setting) == value)


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(read_regular(path, TEXT_LIMIT))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
