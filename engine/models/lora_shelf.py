"""The LoRAs of this machine: those in the LoRA folder, and files elsewhere that the person chose.

Nothing is copied. What was learned of a file (hash, what it was made for, when it was last used) is kept in
``known.json`` in the LoRA folder, so that a file of a gigabyte is hashed once; ``adapters.locate`` reads it too.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from engine import lenient
from engine.files import MIB, TEXT_LIMIT, open_regular, read_regular
from engine.media import atomic
from engine.models.catalog import FAMILIES
from engine.models.installed import InstalledModel
from engine.models.lora_facts import LoraFacts, lora_facts, transformer_width
from engine.models.safetensors_header import read_header
from engine.protocol.errors import BadFile, LaternaError, from_os_error
from engine.protocol.recipe import Adapter

INDEX_NAME = "known.json"
MOST_KNOWN = 5000
MOST_HASHED = 8 * 2**30

Problem = Literal["", "missing", "changed", "unreadable", "another family", "another size"]


class KnownLora(msgspec.Struct, frozen=True, omit_defaults=True):
    """``mtime`` in ns and ``size`` in bytes say whether the file is still the one that was read. ``used`` is when it
    was last put into the form, in seconds since 1970; 0 for never. ``tensors_sha256`` is that of all behind the header,
    by which A1111 and Civitai ("AutoV3") name LoRAs."""

    path: str
    size: int
    mtime: int
    sha256: str = ""
    facts: LoraFacts = LoraFacts()
    used: float = 0.0
    tensors_sha256: str = ""

    @property
    def name(self) -> str:
        return Path(self.path).name


class LoraState(msgspec.Struct, frozen=True):
    """How one of a recipe's LoRAs is on this machine: ``problem`` is "" where it can be used. ``made_for`` is the
    family or model of a file that does not fit, as far as it is known."""

    problem: Problem = ""
    path: str = ""
    rank: int = 0
    made_for: str = ""


class LoraShelf:
    """``folder`` is where LoRAs are looked for. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    def known(self) -> tuple[KnownLora, ...]:
        """Those that are there: the last used first, then the folder's others by name. Reads headers it has not seen;
        what is no LoRA is left out."""
        with self._lock:
            index = read_index(self.folder)
            paths = dict.fromkeys([*(Path(path) for path in index), *files_in(self.folder)])
            found = [one for path in paths if (one := _looked_at(path, index.get(str(path)))) is not None]
            self._keep(found, index)
        return tuple(sorted(found, key=lambda one: (-one.used, one.name.lower())))

    def digests(self, most_bytes: int = MOST_HASHED) -> dict[str, str]:
        """The names of the files by their digests, each file under that of all of it and that of its tensors. Reads up
        to ``most_bytes`` of files that were not read yet; what was read is remembered."""
        found = []
        for known in self.known():
            one = known
            if not known.tensors_sha256 and known.size <= most_bytes:
                most_bytes -= known.size
                with suppress(OSError, LaternaError):
                    one = _digested(known)
            found.append(one)
        with self._lock:
            self._keep(found, read_index(self.folder))
        both = ((digest, one.name) for one in found for digest in (one.sha256, one.tensors_sha256) if digest)
        return dict(both)

    def add(self, path: Path, strength: float = 1.0) -> Adapter:
        """The recipe's entry for the LoRA in ``path``, which is remembered. Raises as ``lora_facts`` does."""
        path = path.absolute()
        facts = lora_facts(path)
        if facts.is_strange:
            names = " or ".join(info.name for info in FAMILIES.values())
            raise BadFile(f"{path.name} is a LoRA for {facts.family}.", f"Choose one for {names}.")
        with self._lock:
            index = read_index(self.folder)
            sha256 = hash_of(path, index)
            stat = path.stat()
            one = KnownLora(str(path), stat.st_size, stat.st_mtime_ns, sha256, facts, time.time())
            self._keep([one, *(other for other in index.values() if other.path != one.path)], index)
        return Adapter(path.name, sha256, strength)

    def remember(self, paths: Iterable[Path]) -> None:
        """Those in ``paths``, wherever they lie, from now on. Reads headers; what is no LoRA is left out."""
        with self._lock:
            index = read_index(self.folder)
            found = [_looked_at(path, index.get(str(path))) for path in paths]
            self._keep([*(one for one in found if one is not None), *index.values()], index)

    def state(self, adapter: Adapter, model: InstalledModel | None) -> LoraState:
        """Whether ``adapter`` can be used with ``model``, and its file. Never raises for what a file holds."""
        index = read_index(self.folder)
        path: Path | None = None
        try:
            path, named = find(adapter, self.folder, index)
            if path is None:
                return LoraState("changed" if named else "missing", str(named[0]) if named else "")
            known = index.get(str(path))
            facts = known.facts if known is not None and _is_same(path, known) else lora_facts(path)
        except (OSError, LaternaError):
            return LoraState("unreadable", str(path or ""))
        return _judged(facts, path, model)

    def _keep(self, found: Iterable[KnownLora], before: dict[str, KnownLora]) -> None:
        kept = {one.path: one for one in sorted(found, key=lambda one: -one.used)[:MOST_KNOWN]}
        if kept == before:
            return
        file = self.folder / INDEX_NAME
        try:
            atomic.write_bytes(file, msgspec.json.format(msgspec.json.encode(list(kept.values())), indent=1))
        except OSError as error:
            raise from_os_error(error, "remembering the LoRAs", file) from error


def read_index(folder: Path) -> dict[str, KnownLora]:
    """By path; what is damaged in it is left out."""
    try:
        found = lenient.read(read_regular(folder / INDEX_NAME, TEXT_LIMIT), list[KnownLora], [])
    except OSError:
        return {}
    return {one.path: one for one in found}


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.safetensors")) if folder.is_dir() else []


def find(
    adapter: Adapter, folder: Path, index: dict[str, KnownLora], beside: Iterable[Path] = ()
) -> tuple[Path | None, list[Path]]:
    """The file of ``adapter`` among ``beside``, the index and the folder, and every file of its name."""
    name = Path(adapter.name).name
    places = dict.fromkeys([*beside, *(Path(path) for path in index), *files_in(folder)])
    named = [path for path in places if path.name == name and path.is_file()]
    for path in named:
        if not adapter.sha256 or hash_of(path, index) == adapter.sha256:
            return path, named
    return None, named


def hash_of(path: Path, index: dict[str, KnownLora] | None = None) -> str:
    """SHA-256 of a file, from ``index`` where the file has not changed since."""
    try:
        known = (index or {}).get(str(path))
        if known is not None and known.sha256 and _is_same(path, known):
            return known.sha256
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise from_os_error(error, "reading the LoRA", path) from error


def _digested(one: KnownLora) -> KnownLora:
    whole, tensors = hashlib.sha256(), hashlib.sha256()
    path = Path(one.path)
    start = read_header(path).data_start
    with open_regular(path) as file:
        head = file.read(start)
        whole.update(head)
        while chunk := file.read(MIB):
            whole.update(chunk)
            tensors.update(chunk)
    return msgspec.structs.replace(one, sha256=whole.hexdigest(), tensors_sha256=tensors.hexdigest())


def _is_same(path: Path, known: KnownLora) -> bool:
    stat = path.stat()
    return (stat.st_size, stat.st_mtime_ns) == (known.size, known.mtime)


def _looked_at(path: Path, known: KnownLora | None) -> KnownLora | None:
    """What is known of ``path``, read anew where it changed; None where there is no LoRA (any more)."""
    try:
        if known is not None and _is_same(path, known):
            return known
        stat = path.stat()
        facts = lora_facts(path)
    except (OSError, LaternaError):
        return None
    used = known.used if known is not None else 0.0
    return KnownLora(str(path), stat.st_size, stat.st_mtime_ns, "", facts, used)


def _judged(facts: LoraFacts, path: Path, model: InstalledModel | None) -> LoraState:
    if model is not None and facts.family and facts.family != model.info.family:
        family = FAMILIES.get(facts.family)
        made_for = family.name if family is not None else facts.family
        return LoraState("another family", str(path), facts.rank, made_for)
    width = transformer_width(model) if model is not None and facts.width else 0
    if width and width != facts.width:
        return LoraState("another size", str(path), facts.rank, facts.model)
    return LoraState("", str(path), facts.rank)
