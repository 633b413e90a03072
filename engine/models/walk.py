"""The files and the model folders below a folder, in the order in which they should be looked at.

Layouts of other programs differ in their folders' names only, so none is looked at but those that say how files belong
together: ``model_index.json`` makes a folder one model, and a hub cache keeps a folder of links for each revision.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.files import read_regular
from engine.models.reading.component import read_json
from engine.protocol.errors import LaternaError

MAX_DEPTH = 16
_PASSED_OVER = (".git", "__pycache__", "blobs", "node_modules", ".venv", "venv")
_CONFIGURATIONS = ("tokenizer_config.json",)

LeaveOut = Callable[[Path, str], None]
"""Given a path and why it is not looked at, as a sentence."""


@dataclass(frozen=True)
class ModelPlace:
    """A folder in diffusers layout; ``repository`` is its name in a hub cache."""

    folder: Path
    repository: str = ""


@dataclass(frozen=True)
class TokenizerPlace:
    """A folder that holds a tokenizer alone."""

    folder: Path


@dataclass(frozen=True)
class FilePlace:
    """A file by its ending; ``beside`` is the model folder that it lies in, among none of its components."""

    path: Path
    beside: Path | None = None


Place = ModelPlace | TokenizerPlace | FilePlace


class Walk:
    """Iterates over what lies below ``root``. Links are followed, never in a circle."""

    def __init__(self, root: Path, endings: tuple[str, ...], leave_out: LeaveOut) -> None:
        self._root = root
        self._endings = endings
        self._leave_out = leave_out

    def __iter__(self) -> Iterator[Place]:
        return self._below(self._root, None, 0, frozenset())

    def _below(
        self, folder: Path, beside: Path | None, depth: int, above: frozenset[tuple[int, int]]
    ) -> Iterator[Place]:
        try:
            status = folder.stat()
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            self._leave_out(folder, f"{folder.name} cannot be read: {error.strerror}.")
            return
        here = (status.st_dev, status.st_ino)
        if here in above:  # a link to a folder that it lies in
            return
        if depth > MAX_DEPTH:
            most = MAX_DEPTH
            self._leave_out(folder, f"{folder.name} lies more than {most} folders deep; what is in it was not read.")
            return
        names = {entry.name for entry in entries}
        own: frozenset[str] = frozenset()
        if "model_index.json" in names:
            yield ModelPlace(folder, _repository(folder))
            beside, own = folder, _components(folder)
        elif names.issuperset(_CONFIGURATIONS):
            yield TokenizerPlace(folder)
        for entry in entries:
            if entry.name.lower().endswith(self._endings) and not _is_dir(entry):
                yield FilePlace(Path(entry.path), beside)
        folders = [entry for entry in entries if _is_dir(entry) and entry.name not in (*_PASSED_OVER, *own)]
        if folder.name == "snapshots" and folder.parent.name.startswith("models--"):
            yield from self._revisions(folder.parent, folders, depth, above | {here})
            return
        for entry in folders:
            yield from self._below(Path(entry.path), beside, depth + 1, above | {here})

    def _revisions(
        self, repository: Path, entries: list[os.DirEntry[str]], depth: int, above: frozenset[tuple[int, int]]
    ) -> Iterator[Place]:
        """The revision that ``main`` is at, then the newest; of the older ones what the others do not have."""
        try:
            current = read_regular(repository / "refs" / "main", 1024).decode("ascii").strip()
        except (OSError, UnicodeDecodeError):
            current = ""
        taken: dict[Path, str] = {}
        for entry in sorted(entries, key=lambda entry: (entry.name != current, -entry.stat().st_mtime)):
            for place in self._below(Path(entry.path), None, depth + 1, above):
                path = place.path if isinstance(place, FilePlace) else place.folder
                newer = taken.setdefault(path.relative_to(entry.path), entry.name)
                if newer == entry.name:
                    yield place
                elif not isinstance(place, TokenizerPlace):
                    old, new = entry.name[:8], newer[:8]
                    self._leave_out(path, f"{path.name} is of the older revision {old}; {new} is taken.")


def _is_dir(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _repository(folder: Path) -> str:
    """The name of the repository that ``folder`` is a revision of, "" for any other folder."""
    is_revision = folder.parent.name == "snapshots" and folder.parent.parent.name.startswith("models--")
    return folder.parent.parent.name.split("--")[-1] if is_revision else ""


def _components(folder: Path) -> frozenset[str]:
    try:
        return frozenset(read_json(folder / "model_index.json"))
    except LaternaError:
        return frozenset()
