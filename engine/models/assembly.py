"""What an import in parts runs with: its own files, and what they lack from the other models in the same folder.

Single files rarely hold everything: most have no T5, none has tokenizers. The text encoders and the VAE of all Stable
Diffusion 3.5 models are the same, and CogVideoX reads its prompts with the same T5, so another model's folder can give
what is missing. Nothing is copied.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from engine.families.registry import FAMILIES
from engine.files import TEXT_LIMIT, read_regular
from engine.models.recognise import Part
from engine.models.reference import Reference, read_reference
from engine.protocol.errors import LaternaError

LABELS = {
    "transformer": "transformer",
    "vae": "VAE",
    "text_encoder": "CLIP-L",
    "text_encoder_2": "CLIP-G",
    "text_encoder_3": "T5",
    "tokenizer": "CLIP-L tokenizer",
    "tokenizer_2": "CLIP-G tokenizer",
    "tokenizer_3": "T5 tokenizer",
}
OPTIONAL = ("text_encoder_3", "tokenizer_3")
_ENCODER_OF = {"tokenizer": "text_encoder", "tokenizer_2": "text_encoder_2", "tokenizer_3": "text_encoder_3"}
# The setting of a component's configuration that tells whether it fits Stable Diffusion 3.5.
_FITS = {
    "text_encoder": ("hidden_size", 768),
    "text_encoder_2": ("hidden_size", 1280),
    "text_encoder_3": ("d_model", 4096),
    "vae": ("latent_channels", 16),
}
# By pipeline: which of its components is which of ours.
_GIVES = {
    "StableDiffusion3Pipeline": {name: name for name in LABELS if name != "transformer"},
    "CogVideoXPipeline": {"text_encoder": "text_encoder_3", "tokenizer": "tokenizer_3"},
}


class Assembly(msgspec.Struct, frozen=True):
    """``parts`` by component; tokenizers, and what other models give, are folders (format ``diffusers``).

    ``missing`` are absent components without which it does not run, ``optional`` those that it can do without. Half a
    T5 is none: where one half is absent, the other is not among ``parts``.
    """

    parts: dict[str, Part]
    missing: tuple[str, ...]
    optional: tuple[str, ...]

    def to_get(self, with_t5: bool = False) -> tuple[str, ...]:
        """What a download should bring: what is missing, and what little the T5 lacks where its weights are here."""
        t5 = self.optional if with_t5 or self.optional == ("tokenizer_3",) else ()
        return self.missing + t5

    def labels(self) -> tuple[str, ...]:
        """``missing`` in words."""
        return tuple(LABELS.get(name, name) for name in self.missing)


def assemble(reference: Reference, beside: Path) -> Assembly:
    """The parts of ``reference``, completed from the models in ``beside``. Reads small files only."""
    parts = {part.name: part for part in reference.parts if Path(part.path).exists()}
    if not comes_in_single_files(reference):  # whole or not
        return Assembly(parts, reference.missing, ())
    if any(name not in parts for name in LABELS):
        for part in _offered(beside):
            parts.setdefault(part.name, part)
    absent = [name for name in LABELS if name not in parts]
    if any(name in absent for name in OPTIONAL):
        parts = {name: part for name, part in parts.items() if name not in OPTIONAL}
    return Assembly(
        parts,
        tuple(name for name in absent if name not in OPTIONAL),
        tuple(name for name in absent if name in OPTIONAL),
    )


def comes_in_single_files(reference: Reference) -> bool:
    family = FAMILIES.get(reference.family)
    return family is not None and family.comes_in_single_files


def _offered(beside: Path) -> Iterator[Part]:
    """Whole folders of other models first, then single files of other imports."""
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
        yield from (part for part in reference.parts if part.name != "transformer" and Path(part.path).exists())


def _from_folder(folder: Path) -> Iterator[Part]:
    gives = _GIVES.get(str(_read(folder / "model_index.json").get("_class_name")), {})
    for component, name in gives.items():
        place = folder / component
        if place.is_dir() and _fits(folder, component, name):
            files = list(place.glob("*.safetensors"))
            if name in _ENCODER_OF or files:
                yield Part(name, str(place), "diffusers", "", sum(file.stat().st_size for file in files))


def _fits(folder: Path, component: str, name: str) -> bool:
    """Whether the component is of the right width; a tokenizer, whether the encoder beside it is."""
    if name in _ENCODER_OF:
        vocabulary = ("tokenizer.json", "vocab.json", "spiece.model")
        if not any((folder / component / file).is_file() for file in vocabulary):
            return False
        encoder = folder / component.replace("tokenizer", "text_encoder")
        return not (encoder / "config.json").is_file() or _fits(folder, encoder.name, _ENCODER_OF[name])
    setting, value = _FITS[name]
    return bool(_read(folder / component / "config.json").get(setting) == value)


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(read_regular(path, TEXT_LIMIT))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
