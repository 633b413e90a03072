"""The sidecar: what a person said about the files, kept beside them in ``.laterna/marks-<writer>.jsonl``.

One line of JSON a word: ``{"clock": 1795, "pixels": "<identity>", "path": "a.png", "set": {"rating": 4}}``. The file is
only appended to, synced before the index hears of it, and now and then compacted (a fresh file takes its place). A kill
can leave half a line at the end, which nobody reads. Each index writes a file of its own and reads all of them, so two
computers that sync the folder never write the same file; where both spoke of the same field, the later clock counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from engine.files import open_regular
from engine.library.marks import Fields
from engine.media import atomic
from engine.protocol.errors import from_os_error

FOLDER = ".laterna"
VERSION = 1
MAX_LINE = 64 * 1024
_PREFIX, _SUFFIX = "marks-", ".jsonl"


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """``pixels`` is the identity of the file (see ``schema``), ``path`` where it was (as ``items.path``); both are
    empty for what concerns the library as a whole: that an album exists."""

    clock: int
    set: Fields
    pixels: str = ""
    path: str = ""


class _Header(msgspec.Struct, frozen=True):
    laterna: str
    version: int
    generation: int


class JournalPosition(NamedTuple):
    """How far a journal was read: bytes of its ``generation``, which changes when it is compacted."""

    generation: int = 0
    size: int = 0


class Sidecar:
    """The journals in ``folder`` (the library's), of which this one writes that of ``writer``.

    Not thread-safe, and one process at a time: the index's write lock is held around every call.
    """

    def __init__(self, folder: Path, writer: str) -> None:
        self._folder = folder / FOLDER
        self.writer = writer

    def sizes(self) -> dict[str, int]:
        """Every journal by its writer, with its size in bytes."""
        found = {}
        with suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.startswith(_PREFIX) and entry.name.endswith(_SUFFIX) and entry.is_file():
                    found[entry.name[len(_PREFIX) : -len(_SUFFIX)]] = entry.stat().st_size
        return found

    def size(self, writer: str) -> int:
        """Bytes of one journal; 0 where there is none."""
        try:
            return self._path(writer).stat().st_size
        except OSError:
            return 0

    def read(self, writer: str, known: JournalPosition) -> tuple[list[Record], JournalPosition]:
        """What a journal says beyond ``known``: all of it where it was compacted since. Lines that make no sense are
        passed over. A journal that cannot be read says nothing."""
        try:
            with open_regular(self._path(writer)) as file:
                header = _header(file.readline(MAX_LINE))
                generation = header.generation if header else 0
                start = known.size if generation == known.generation else 0
                if start > file.seek(0, os.SEEK_END):
                    start = 0
                file.seek(start)
                found = list(_records(file))
                return found, JournalPosition(generation, file.tell() - _torn(file))
        except OSError:
            return [], known

    def append(self, records: Iterable[Record]) -> JournalPosition:
        """Write ``records`` to the end; they are on the disk once this returns.

        Raises ``NoSpace`` or ``NotWritable``, and then the journal is as it was.
        """
        path = self._path(self.writer)
        data = b"".join(_line(record) for record in records)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            is_new = not path.exists()
            with path.open("ab+", buffering=0) as file:
                size = file.seek(0, os.SEEK_END)
                if not size:
                    data = _line(_Header("marks", VERSION, 1)) + data
                elif _torn(file):
                    data = b"\n" + data
                _write(file, data, size)
            if is_new:
                atomic.sync_folder(self._folder)
            with open_regular(path) as file:
                header = _header(file.readline(MAX_LINE))
        except OSError as error:
            raise from_os_error(error, "keeping this mark", path) from error
        return JournalPosition(header.generation if header else 0, path.stat().st_size)

    def compact(self, records: Iterable[Record], old: JournalPosition) -> JournalPosition:
        """Begin the journal anew with only ``records``. Raises ``NoSpace`` or ``NotWritable``; then it is as it was."""
        path = self._path(self.writer)
        generation = old.generation + 1
        data = _line(_Header("marks", VERSION, generation)) + b"".join(_line(record) for record in records)
        try:
            atomic.write_bytes(path, data)
        except OSError as error:
            raise from_os_error(error, "keeping the marks", path) from error
        return JournalPosition(generation, len(data))

    def _path(self, writer: str) -> Path:
        return self._folder / f"{_PREFIX}{writer}{_SUFFIX}"


def _write(file: FileIO, data: bytes, size: int) -> None:
    """All of ``data`` behind ``size`` bytes, on the disk, or none of it."""
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[file.write(rest) or 0 :]
        os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            os.ftruncate(file.fileno(), size)
        raise


def _records(file: BinaryIO) -> Iterator[Record]:
    while line := file.readline(MAX_LINE):
        if line.endswith(b"\n"):
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                yield msgspec.json.decode(line, type=Record)


def _header(line: bytes) -> _Header | None:
    try:
        return msgspec.json.decode(line, type=_Header)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _line(value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def _torn(file: BinaryIO | FileIO) -> int:
    """Bytes behind the last line break."""
    end = file.seek(0, os.SEEK_END)
    if not end:
        return 0
    file.seek(max(0, end - MAX_LINE))
    tail = file.read(MAX_LINE)
    return len(tail) - (tail.rfind(b"\n") + 1)
