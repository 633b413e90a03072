"""Files of models under the names that other programs give them, and the models of Laterna's catalogue they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

import msgspec

from engine.interop.comfy_families import ModelFile, every
from engine.interop.file_stems import plain, stem_of
from engine.interop.report import file_name
from engine.models.catalog import MODELS
from engine.models.installed import InstalledModel

MIN_HASH = 8  # A1111 writes the first 10 digits of a SHA-256, Civitai 12; shorter ones say nothing

_STANDARD_ENCODERS = (
    (re.compile(r"t5.*xxl|t5xxl|umt5"), "T5"),
    (re.compile(r"clip-?g|bigg|open-?clip-?vit-?big|text-?encoder-?2\b"), "CLIP-G"),
    (re.compile(r"clip-?l|clip-?vit-?l|vit-?l-?14|text-?encoder\b"), "CLIP-L"),
)
_STANDARD_VAE = "^vae$"


class KnownModels(msgspec.Struct, frozen=True):
    """What file names and hashes are matched against.

    ``installed`` maps the models on this machine to their families, ``hashes`` SHA-256 digests of model files (lower
    case) to ids; ``loras`` are the LoRA files on this machine. ``lora_hashes`` gives their digests (lower case, several
    for each: of the file, of its tensors alone) with the file's name; it is asked only where a name is not enough,
    since it may have to read the files.
    """

    installed: Mapping[str, str] = {}
    hashes: Mapping[str, str] = {}
    loras: tuple[str, ...] = ()
    lora_hashes: Callable[[], Mapping[str, str]] = dict

    @classmethod
    def of(
        cls,
        installed: Iterable[InstalledModel],
        hashes: Mapping[str, str] | None = None,
        loras: tuple[str, ...] = (),
        lora_hashes: Callable[[], Mapping[str, str]] = dict,
    ) -> KnownModels:
        return cls({model.info.id: model.info.family for model in installed}, hashes or {}, loras, lora_hashes)

    def find(self, name: str, digest: str = "") -> str:
        """The id of the model in a file, by its hash if that is known, else by its name; empty if neither says."""
        by_hash = _by_hash(digest, self.hashes)
        if by_hash:
            return by_hash[1]
        stem = stem_of(name)
        for id in self.installed:
            if stem in (id, plain(id)) or plain(stem) == plain(id):
                return id
        return catalogue_id(name)

    def has_lora(self, name: str) -> bool:
        return any(stem_of(lora) == stem_of(name) for lora in self.loras)

    def lora(self, name: str, digest: str = "") -> str:
        """The file of a LoRA on this machine, by name or else by hash; empty where it is not here."""
        here = next((lora for lora in self.loras if stem_of(lora) == stem_of(name)), "")
        found = _by_hash(digest, self.lora_hashes()) if digest and not here else None
        return found[1] if found else here


def _by_hash(digest: str, owners: Mapping[str, str]) -> tuple[str, str] | None:
    """The whole digest that begins with ``digest``, and whose it is."""
    digest = digest.lower().strip().removeprefix("0x").removeprefix("sha256:")
    if len(digest) < MIN_HASH or not re.fullmatch("[0-9a-f]+", digest):
        return None
    return next(((whole, owner) for whole, owner in owners.items() if whole.startswith(digest)), None)


def catalogue_id(name: str) -> str:
    """The catalogue's id for a file or repository name; empty for a model that the catalogue does not have."""
    text = plain(stem_of(name))
    for one in _files():
        if re.search(rf"(^|-)({one.pattern})", text):
            return "" if one.unless and re.search(one.unless, text) else one.model
    return next((id for id in MODELS if plain(id) == text), "")


def comfyui_file(model: str) -> str:
    """The file that a ComfyUI user has for a model of the catalogue; a guess by its id for any other."""
    return next((one.file for one in _files() if one.model == model), f"{model}.safetensors")


def _files() -> list[ModelFile]:
    return [one for nodes in every().values() for one in nodes.files]


def standard_encoder(name: str) -> str:
    """CLIP-L, CLIP-G or T5 for the published text encoders; empty for another file."""
    text = plain(stem_of(name))
    return next((encoder for pattern, encoder in _STANDARD_ENCODERS if pattern.search(text)), "")


def is_standard_vae(name: str) -> bool:
    patterns = [_STANDARD_VAE, *(nodes.vae_files for nodes in every().values() if nodes.vae_files)]
    return any(re.search(pattern, plain(stem_of(name))) for pattern in patterns)


def is_reduced(name: str) -> bool:
    """Whether a file's name says that its weights were reduced (fp8, GGUF …)."""
    return bool(re.search(r"fp8|e4m3|e5m2|q[2-8](-|_|$)|int8|nf4|gguf", file_name(name).lower()))
