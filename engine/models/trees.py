"""Every model in a tree of files, however it is laid out: ComfyUI, Stability Matrix, InvokeAI, SwarmUI, A1111 and
Forge, a hub's cache with its links, or a folder that a person fills.

Headers are read, never weights; a file that is reached by several links counts once. What does not come in is told with
its reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from engine.families.registry import FAMILIES, FILE_KINDS
from engine.models.component_location import PICKLES, ComponentLocation
from engine.models.controlnets import KnownControlNet, control_of
from engine.models.lora_facts import lora_facts
from engine.models.recognise import RecognisedFile, Refused, look_at
from engine.models.recognised import Kind, Recognised, completed, from_folder, from_parts
from engine.models.tokenizer_places import outside, t5_tokenizer
from engine.models.walk import FilePlace, ModelPlace, TokenizerPlace, Walk
from engine.protocol.errors import LaternaError

MAX_FILES = 20_000
_OTHER_FORMATS = (".onnx", ".engine", ".mlmodel", ".tflite")
_ENDINGS = (".safetensors", ".sft", ".gguf", *PICKLES, *_OTHER_FORMATS)
_PIECE = re.compile(r"-\d{5}-of-\d{5}\.")


class LeftOut(msgspec.Struct, frozen=True):
    """A file that does not come in, and why, as a sentence."""

    path: str
    why: str


@dataclass
class Tree:
    """``models`` are complete as far as the tree goes; ``loras`` and ``controlnets`` go with models that Laterna
    runs."""

    models: list[Recognised] = field(default_factory=list)
    loras: list[Path] = field(default_factory=list)
    controlnets: list[KnownControlNet] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def look_through(root: Path) -> Tree:
    """Everything below ``root``."""
    look = _Look(root)
    return look.tree()


class _Look:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._tree = Tree()
        self._folders: list[Recognised] = []
        self._files: list[tuple[Path, RecognisedFile]] = []
        self._others: dict[str, ComponentLocation] = {}
        """The best of each kind, to complete models with."""
        self._tokenizers: dict[str, ComponentLocation] = {}
        """Those in folders, after those in GGUF files."""
        self._seen: set[tuple[int, int]] = set()

    def tree(self) -> Tree:
        number = 0
        for place in Walk(self._root, _ENDINGS, self._leave_out):
            if isinstance(place, ModelPlace):
                self._take_folder(place)
            elif isinstance(place, TokenizerPlace):
                self._take_tokenizer(place.folder)
            else:
                number += 1
                if number > MAX_FILES:
                    self._leave_out(self._root, f"There are more than {MAX_FILES} files; the rest was not read.")
                    break
                self._take_file(place)
        for folder in outside(self._root):
            self._take_tokenizer(folder)
        self._others = self._tokenizers | self._others
        self._tree.models += [completed(one, self._others) for one in self._folders]
        self._tree.models += [from_parts("tree", path, one, self._others) for path, one in self._files]
        self._tell_unused()
        return self._tree

    def _take_folder(self, place: ModelPlace) -> None:
        try:
            kind: Kind = "cache" if place.repository else "tree"
            self._folders.append(from_folder(place.folder, kind, place.repository.lower()))
        except (LaternaError, OSError) as error:
            why = error.message if isinstance(error, LaternaError) else f"It cannot be read: {error.strerror}."
            self._leave_out(place.folder, why)

    def _take_tokenizer(self, folder: Path) -> None:
        part = t5_tokenizer(folder)
        if part is not None:
            self._tokenizers.setdefault(part.kind, part)

    def _take_file(self, place: FilePlace) -> None:
        path = place.path
        try:
            status = path.stat()
        except OSError:
            self._leave_out(path, f"{path.name} is a link to a file that is not there.")
            return
        if (status.st_dev, status.st_ino) in self._seen:
            return
        self._seen.add((status.st_dev, status.st_ino))
        if any(one.folder and Path(one.folder) == place.beside for one in self._folders):
            whole = place.beside.name if place.beside is not None else ""
            self._leave_out(path, f"{path.name} lies beside the components of {whole}, which comes in whole.")
            return
        if _PIECE.search(path.name):
            self._leave_out(path, f"{path.name} is one of several pieces, which only a whole model's folder can give.")
            return
        found = look_at(path)
        if isinstance(found, Refused):
            self._take_other(path, found)
        elif found.model:
            self._files.append((path, found))
        else:
            for part in found.parts:
                self._take_part(part)

    def _take_part(self, part: ComponentLocation) -> None:
        before = self._others.setdefault(part.kind, part)
        if before is part:
            return
        best, other = (part, before) if rank(part) > rank(before) else (before, part)
        self._others[part.kind] = best
        if FILE_KINDS[part.kind].cls:
            name, taken, label = Path(other.path).name, Path(best.path).name, FILE_KINDS[part.kind].label
            self._leave_out(Path(other.path), f"{name} is a {label}; {taken} is taken in its place.")

    def _take_other(self, path: Path, found: Refused) -> None:
        if found.kind == "ControlNet" and found.family in FAMILIES:
            self._tree.controlnets.append(control_of(path, found.family))
        elif found.kind == "LoRA" and not found.family:
            self._take_lora(path)
        else:
            self._leave_out(path, found.error.message)

    def _take_lora(self, path: Path) -> None:
        try:
            facts = lora_facts(path)
        except LaternaError as error:
            self._leave_out(path, error.message)
            return
        if facts.is_strange:
            self._leave_out(path, f"{path.name} is a LoRA for {facts.family}.")
        elif not facts.family:
            self._leave_out(path, f"{path.name} is a LoRA for a model that its names do not tell.")
        else:
            self._tree.loras.append(path)

    def _tell_unused(self) -> None:
        """Encoders and VAEs that no model of the tree took."""
        used = {part.path for one in self._tree.models for part in one.parts}
        for part in self._others.values():
            if part.path not in used and FILE_KINDS[part.kind].cls:
                name, label = Path(part.path).name, FILE_KINDS[part.kind].label
                self._leave_out(Path(part.path), f"{name} is a {label} that no model here needs.")

    def _leave_out(self, path: Path, why: str) -> None:
        self._tree.left_out.append(LeftOut(str(path), why))


def rank(part: ComponentLocation) -> tuple[bool, bool, int]:
    """Which of several files is the better one: one without a projection where that tells, one that is a family's by
    its name, then the one in the finer precision."""
    name = Path(part.path).stem.lower().translate({ord(c): None for c in ".-_"})
    wanted = [family.preferred for family in FAMILIES.values() if family.name_of(part.kind)]
    is_named = any(preferred and preferred in name for preferred in wanted)
    return part.plain or not FILE_KINDS[part.kind].is_plain, is_named, part.bytes
