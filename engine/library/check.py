"""Whether index and files are in order: what ``library check`` says."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.library import rows, scan
from engine.library.database import Database
from engine.protocol.errors import BadFile


class LibraryCheck(msgspec.Struct, frozen=True):
    """``missing`` are rows whose file is gone, ``unknown`` files without a row, ``damaged`` files with a sentence."""

    items: int
    missing: tuple[Path, ...]
    unknown: tuple[Path, ...]
    damaged: tuple[tuple[Path, str], ...]
    database_problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not (self.missing or self.unknown or self.damaged or self.database_problems)


def check(database: Database, folder: Path) -> LibraryCheck:
    """The database's own checks, and every file read; nothing is changed."""
    problems: list[str] = []
    with database.reading() as connection:
        problems += [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
        known = [folder / row[0] for row in connection.execute("SELECT path FROM items WHERE trashed IS NULL")]
    try:
        with database.writing() as connection:
            connection.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
    except BadFile as error:
        problems.append(f"The search index is damaged ({error.message})")
    inside = [path for path in known if path.exists()]
    strangers = set(scan.files(folder)) - set(known)
    damaged: list[tuple[Path, str]] = []
    for path in sorted({*inside, *strangers}):
        try:
            rows.read_file(path, folder)
        except BadFile as error:
            damaged.append((path, str(error)))
    bad = {path for path, _why in damaged}
    return LibraryCheck(
        items=len(known),
        missing=tuple(sorted(set(known) - set(inside))),
        unknown=tuple(sorted(strangers - bad)),
        damaged=tuple(damaged),
        database_problems=tuple(problems),
    )
