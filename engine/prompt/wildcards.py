"""Wildcards: text files in a folder of the person's, one choice a line; lines that begin with # are comments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.files import read_regular
from engine.protocol.errors import BadFile, from_os_error
from engine.texts import text_of

MAX_BYTES = 8 * 1024 * 1024
MAX_FILES = 10_000
SUFFIX = ".txt"


class Wildcards:
    """The files below ``folder``. A changed file is read anew; nothing outside the folder is ever read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[Path, tuple[int, tuple[str, ...]]] = {}

    def names(self) -> list[str]:
        """What can stand between the underscores, in order."""
        found = []
        if self.folder.is_dir():
            for path in self.folder.rglob(f"*{SUFFIX}"):
                found.append(path.relative_to(self.folder).with_suffix("").as_posix())
                if len(found) >= MAX_FILES:
                    break
        return sorted(found)

    def lines(self, name: str) -> Sequence[str]:
        """The choices of a wildcard; none where there is no such file. Raises ``BadFile`` or ``NotWritable``."""
        path = self.folder / f"{name}{SUFFIX}"
        try:
            inside = path.resolve().is_relative_to(self.folder.resolve())
            if not inside or not path.is_file():
                return ()
            status = path.stat()
            if status.st_size > MAX_BYTES:
                raise BadFile(f"The wildcard {path.name} is larger than 8 MiB.", "Split it into several files.")
            known = self._read.get(path)
            if known is None or known[0] != status.st_mtime_ns:
                text = text_of(read_regular(path, MAX_BYTES))
                stripped = (line.strip() for line in text.splitlines())
                known = (status.st_mtime_ns, tuple(line for line in stripped if line and not line.startswith("#")))
                self._read[path] = known
        except OSError as error:
            raise from_os_error(error, "reading a wildcard", path) from error
        return known[1]
