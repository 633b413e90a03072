"""LoRA files: a file becomes an entry of the recipe, and an entry is found again by its name and its SHA-256."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine.models.lora_shelf import KnownLora, find, hash_of, read_index
from engine.protocol.errors import BadFile, ModelMissing, UnsafeModel
from engine.protocol.recipe import Adapter


def adapter_from(path: Path, strength: float = 1.0) -> Adapter:
    """The recipe's entry for the LoRA in ``path``. Only its name and hash go into the recipe, never the folder."""
    if path.suffix.lower() != ".safetensors":
        raise UnsafeModel(f"{path.name} is no .safetensors file.", "Choose a LoRA in safetensors format.")
    return Adapter(path.name, hash_of(path), strength)


def locate(adapters: Iterable[Adapter], store: Path, beside: Iterable[Path] = ()) -> tuple[Path, ...]:
    """The file of each adapter: one of those in ``beside``, one that the person chose before, or one in ``store``.

    Raises ``ModelMissing`` where there is none of the name, ``BadFile`` where one of the name has other content.
    """
    index, named = read_index(store), tuple(beside)
    return tuple(_located(adapter, store, index, named) for adapter in adapters)


def _located(adapter: Adapter, store: Path, index: dict[str, KnownLora], beside: tuple[Path, ...]) -> Path:
    path, named = find(adapter, store, index, beside)
    if path is not None:
        return path
    name = Path(adapter.name).name
    if named:
        raise BadFile(
            f"{named[0]} is not the LoRA that the recipe was made with: its content differs.",
            f"Put the original {name} there, or choose this one anew.",
            field="adapters",
        )
    raise ModelMissing(
        f"The LoRA {name} is not on this machine.",
        f"Put it into {store}, or choose its file in the form.",
        field="adapters",
    )
