"""A model's components, looked at before anything is loaded: what is there, how large, and is it safe.

Only safetensors are read. A folder whose weights are pickles, or whose configuration names code to run, is refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine.families.networks import NetworkClass
from engine.families.registry import FAMILIES, NETWORK_CLASSES
from engine.files import TEXT_LIMIT, read_regular
from engine.models.safetensors_header import read_header
from engine.protocol.errors import ModelDamaged, ModelMissing, UnsafeModel

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
DTYPE_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
DTYPE_BYTES |= {"F8_E4M3": 1, "F8_E5M2": 1}
GET_AGAIN = "Download the model again."


@dataclass(frozen=True)
class Component:
    """One component. ``dtype`` is the safetensors or ggml name of what most of its weights are stored in.

    Its weights are below ``folder`` in diffusers layout, or (``format`` safetensors or gguf) the tensors below
    ``prefix`` in the one file of ``weights``, while ``folder`` holds its configuration; ``kind`` is then one of
    ``FILE_KINDS``. ``pieces``: the GGUF file whose metadata a T5's tokenizer is.
    """

    name: str
    folder: Path
    config: dict[str, Any]
    weights: tuple[Path, ...] = ()
    variant: str | None = None
    dtype: str = ""
    parameters: int = 0
    format: Literal["diffusers", "safetensors", "gguf"] = "diffusers"
    prefix: str = ""
    quantised_bytes: int = 0
    kind: str = ""
    pieces: Path | None = None

    @property
    def stored_bytes(self) -> int:
        return self.quantised_bytes or self.parameters * DTYPE_BYTES.get(self.dtype, 4)

    def held_bytes(self, itemsize: int) -> int:
        """Bytes of memory once it is loaded with ``itemsize`` bytes a parameter; quantised weights stay so."""
        return self.quantised_bytes or self.parameters * itemsize

    def files(self) -> list[Path]:
        """Everything that decides what it computes."""
        if self.pieces is not None:
            return [self.pieces]
        return sorted(self.folder.iterdir()) + (list(self.weights) if self.format != "diffusers" else [])


@dataclass(frozen=True)
class ModelFolder:
    """``parts`` by name; an optional part that is not there is missing from it. ``index`` is ``model_index.json``,
    ``family`` the id of the model's."""

    path: Path
    index: dict[str, Any]
    parts: dict[str, Component]
    family: str = ""

    def class_name(self, part: str) -> str:
        """The class that the index names for ``part``, "" for none."""
        entry = self.index.get(part)
        return str(entry[1] or "") if isinstance(entry, list) and len(entry) == 2 else ""

    def class_of(self, part: str) -> str:
        """The class of a component: what the index says, else the family's usual one."""
        family = FAMILIES.get(self.family)
        spec = family.spec(part) if family is not None else None
        return self.class_name(part) or (spec.class_name if spec is not None else "")

    def network_class(self, part: str) -> NetworkClass | None:
        """None for a tokenizer, and for a class that is not known."""
        return NETWORK_CLASSES.get(self.class_of(part))

    def fingerprint(self, names: Iterable[str] | None = None) -> tuple[tuple[str, int, int], ...]:
        """Relative path, size and modification time of every file in ``names`` (default: all parts)."""
        found = []
        for name in sorted(self.parts if names is None else names):
            if name in self.parts:
                part = self.parts[name]
                for file in part.files():
                    status = file.stat()
                    found.append((f"{name}/{part.prefix}{file.name}", status.st_size, status.st_mtime_ns))
        return tuple(found)


def read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(read_regular(path, TEXT_LIMIT))
    except FileNotFoundError as error:
        raise ModelMissing(
            f"{path.name} is missing in {path.parent}.", "Choose a folder in diffusers layout, or download the model."
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelDamaged(f"{path} cannot be read: {error}.", GET_AGAIN) from error
    if not isinstance(value, dict):
        raise ModelDamaged(f"{path} is no JSON object.", GET_AGAIN)
    if "auto_map" in value:
        raise UnsafeModel(
            f"{path} wants to run code that came with the model.", "Get the model from a source that needs no code."
        )
    return value


def existing(path: Path, name: str) -> Path:
    folder = path / name
    if not folder.is_dir():
        raise ModelMissing(f"The model in {path} has no {name}.", "Download the missing files, or the model again.")
    return folder


def configured(name: str, folder: Path) -> Component:
    """A component without weights."""
    return Component(name, folder, _configuration(folder))


def _configuration(folder: Path) -> dict[str, Any]:
    """All of a component's small JSON files, checked; the one that names its class is returned."""
    found: dict[str, Any] = {}
    for name in ("tokenizer_config.json", "scheduler_config.json", "config.json"):
        if (folder / name).exists():
            found = read_json(folder / name)
    if not found:
        raise ModelMissing(f"{folder} has no configuration.", "Download the missing files, or the model again.")
    return found


def has_pickles(folder: Path) -> bool:
    return any(file.suffix in PICKLES for file in folder.iterdir())


def weighted(name: str, folder: Path) -> Component:
    """A component in diffusers layout. Raises ``ModelMissing``, ``ModelDamaged`` or ``UnsafeModel``."""
    config = _configuration(folder)
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        if has_pickles(folder):
            raise UnsafeModel(
                f"The weights in {folder} are a pickle, which can run any code when it is opened.",
                "Get the model as safetensors.",
            )
        raise ModelMissing(f"{folder} has no weights.", "Download the missing files, or the model again.")
    plain = [file for file in files if ".fp16." not in file.name]
    chosen, variant = (plain, None) if plain else (files, "fp16")
    index_files = sorted(folder.glob("*.safetensors.index*.json"))
    shards = _shards(folder, index_files, variant)
    if shards:
        chosen = [folder / shard for shard in shards]
    elif len(chosen) > 1:  # one file for each layout of names; from_pretrained takes the standard one
        standard = [file for file in chosen if file.name.startswith(("diffusion_pytorch_model.", "model."))]
        chosen = standard or chosen
    counts: dict[str, int] = {}
    for file in chosen:
        for tensor in read_header(file).tensors.values():
            counts[tensor.dtype] = counts.get(tensor.dtype, 0) + math.prod(tensor.shape)
    main = max(counts, key=lambda dtype: counts[dtype], default="F32")
    stored = sum(DTYPE_BYTES.get(dtype, 4) * count for dtype, count in counts.items())
    reduced = stored if main.startswith("F8") else 0
    return Component(name, folder, config, tuple(chosen), variant, main, sum(counts.values()), quantised_bytes=reduced)


def _shards(folder: Path, index_files: list[Path], variant: str | None) -> list[str]:
    wanted = [file for file in index_files if (f".{variant}." in file.name) == (variant is not None)]
    if not wanted:
        return []
    names = sorted(set(map(str, read_json(wanted[0]).get("weight_map", {}).values())))
    for name in names:
        if Path(name).name != name:
            raise UnsafeModel(f"{wanted[0]} points outside of its folder.", "Get the model from another source.")
        if not (folder / name).is_file():
            raise ModelMissing(f"{folder / name} is missing.", "Download the missing files, or the model again.")
    return names
