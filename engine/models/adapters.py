"""LoRA files: a file becomes an entry of the recipe, and an entry is found again by its name and its SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from engine.protocol.errors import BadFile, ModelMissing, UnsafeModel, from_os_error
from engine.protocol.recipe import Adapter


def adapter_from(path: Path, strength: float = 1.0) -> Adapter:
    """The recipe's entry for the LoRA in ``path``. Only its name and hash go into the recipe, never the folder."""
    if path.suffix.lower() != ".safetensors":
        raise UnsafeModel(f"{path.name} is no .safetensors file.", "Choose a LoRA in safetensors format.")
    return Adapter(path.name, _sha256(path), strength)


def locate(adapters: Iterable[Adapter], store: Path, beside: Iterable[Path] = ()) -> tuple[Path, ...]:
    """The file of each adapter: one of those in ``beside``, or one anywhere in ``store``.

    Raises ``ModelMissing`` where there is none of the name, ``BadFile`` where one of the name has other content.
    """
    named = tuple(beside)
    return tuple(_find(adapter, store, named) for adapter in adapters)


def _find(adapter: Adapter, store: Path, beside: tuple[Path, ...]) -> Path:
    name = Path(adapter.name).name
    named = [path for path in (*beside, *_stored(store)) if path.name == name]
    for path in named:
        if not adapter.sha256 or _sha256(path) == adapter.sha256:
            return path
    if named:
        raise BadFile(
            f"{named[0]} is not the LoRA that the recipe was made with: its content differs.",
            f"Put the original {name} there, or choose this one anew.",
            field="adapters",
        )
    raise ModelMissing(
        f"The LoRA {name} is not on this machine.",
        f"Put it into {store}.",
        field="adapters",
    )


def _stored(store: Path) -> list[Path]:
    return sorted(store.rglob("*.safetensors")) if store.is_dir() else []


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise from_os_error(error, "reading the LoRA", path) from error
