"""Every model in a tree of files, however it is laid out: ComfyUI, Stability Matrix, InvokeAI, SwarmUI, A1111 and
Forge, a hub's cache with its links, or a folder that a person fills.

Layouts differ in their folders' names only, so none is looked at but two: a folder in diffusers layout is one model,
and ComfyUI carries T5's tokenizer beside its models. Headers are read, never weights; a file that is reached by several
links counts once; what does not come in is told with its reason.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from engine.families.registry import FAMILIES, FILE_KINDS, INFOS
from engine.models.recognise import PICKLES, Part, RecognisedFile, recognise_file
from engine.protocol.errors import LaternaError

MAX_FILES = 20_000
MAX_DEPTH = 16
_ENDINGS = (".safetensors", ".sft", ".gguf", *PICKLES)
_PIECE = re.compile(r"-\d{5}-of-\d{5}\.")
_TOKENIZERS = ("comfy/text_encoders/t5_tokenizer", "comfy/t5_tokenizer")


class LeftOut(msgspec.Struct, frozen=True):
    """A file that does not become a model, and why, as a sentence."""

    path: str
    why: str


class Tree(msgspec.Struct):
    """``folders`` are in diffusers layout; ``models`` files with a transformer; ``others`` what can complete them, the
    best of each kind."""

    folders: list[Path] = msgspec.field(default_factory=list)
    models: list[tuple[Path, RecognisedFile]] = msgspec.field(default_factory=list)
    others: dict[str, Part] = msgspec.field(default_factory=dict)
    left_out: list[LeftOut] = msgspec.field(default_factory=list)
    loras: list[Path] = msgspec.field(default_factory=list)
    controlnets: list[Path] = msgspec.field(default_factory=list)


def look_through(root: Path) -> Tree:
    """Everything below ``root``."""
    tree = Tree()
    seen: set[tuple[int, int]] = set()
    for number, path in enumerate(_files(root, tree, 0, set())):
        if number >= MAX_FILES:
            tree.left_out.append(LeftOut(str(root), f"There are more than {MAX_FILES:,} files; the rest was not read."))
            break
        _take(path, tree, seen)
    _add_tokenizer(root, tree)
    return tree


def _files(folder: Path, tree: Tree, depth: int, above: set[tuple[int, int]]) -> Iterator[Path]:
    """Files that may be models, by name; folders in diffusers layout go to ``tree`` and are not entered."""
    try:
        status = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        tree.left_out.append(LeftOut(str(folder), f"{folder.name} cannot be read: {error.strerror}."))
        return
    here = (status.st_dev, status.st_ino)
    if here in above or depth > MAX_DEPTH:
        return
    if any(entry.name == "model_index.json" for entry in entries):
        tree.folders.append(folder)
        return
    for entry in entries:
        if entry.name.lower().endswith(_ENDINGS) and not entry.is_dir():
            yield Path(entry.path)
    for entry in entries:
        if entry.is_dir() and entry.name not in (".git", "__pycache__", "blobs"):
            yield from _files(Path(entry.path), tree, depth + 1, above | {here})


def _take(path: Path, tree: Tree, seen: set[tuple[int, int]]) -> None:
    try:
        status = path.stat()
    except OSError:
        tree.left_out.append(LeftOut(str(path), f"{path.name} is a link to a file that is not there."))
        return
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    if _PIECE.search(path.name):
        why = f"{path.name} is one of several pieces, which only a whole folder in diffusers layout can give."
        tree.left_out.append(LeftOut(str(path), why))
        return
    try:
        found = recognise_file(path)
    except LaternaError as error:
        _leave_out(path, status.st_size, error, tree)
        return
    if found.model:
        tree.models.append((path, found))
        return
    for part in found.parts:
        if part.kind not in tree.others or rank(part) > rank(tree.others[part.kind]):
            before = tree.others.get(part.kind)
            tree.others[part.kind] = part
            if before is not None:
                tree.left_out.append(_second(before, path))
        elif not FILE_KINDS[part.kind].tokenizer_of:
            tree.left_out.append(_second(part, Path(tree.others[part.kind].path)))


def _leave_out(path: Path, size: int, error: LaternaError, tree: Tree) -> None:
    if any(f" is a ControlNet for {info.name}." in error.message for info in INFOS.values()):
        tree.controlnets.append(path)
    if " is a LoRA" in error.message:
        tree.loras.append(path)
    why = f"{path.name} is empty." if size == 0 else error.message
    tree.left_out.append(LeftOut(str(path), why))


def _second(part: Part, taken: Path) -> LeftOut:
    name = Path(part.path).name
    return LeftOut(part.path, f"{name} is a {FILE_KINDS[part.kind].label}; {taken.name} is taken in its place.")


def rank(part: Part) -> tuple[bool, bool, int]:
    """Which of several files is the better one: one without a projection where that tells, one that is a family's by
    its name, then the one in the finer precision."""
    name = Path(part.path).stem.lower().translate({ord(c): None for c in ".-_"})
    wanted = [family.preferred for family in FAMILIES.values() if family.name_of(part.kind)]
    is_named = any(preferred and preferred in name for preferred in wanted)
    return part.plain or not FILE_KINDS[part.kind].is_plain, is_named, part.bytes


def _add_tokenizer(root: Path, tree: Tree) -> None:
    for place in (root, root.parent):
        for name in _TOKENIZERS:
            folder = place / name
            if (folder / "tokenizer.json").is_file() and (folder / "tokenizer_config.json").is_file():
                part = Part("tokenizer_3", str(folder), "diffusers", "", 0, kind="t5_tokenizer")
                tree.others.setdefault("t5_tokenizer", part)
