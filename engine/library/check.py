"""Whether index and files are in order: what ``library check`` says."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.library import rows, scan
from engine.library.database import Database
from engine.protocol.errors import BadFile


class LibraryCheck(msgspec.Struct, frozen=True):
    """``missing`` are rows whose file is gone, ``unknown`` files without a row, ``damaged`` files with a sentence.

    ``not_followed`` are linked folders that lead nowhere, or to a folder around the library; nothing is wrong then."""

    items: int
    missing: tuple[Path, ...]
    unknown: tuple[Path, ...]
    damaged: tuple[tuple[Path, str], ...]
    database_problems: tuple[str, ...]
    not_followed: tuple[Path, ...] = ()

    @property
    def ok(self) -> bool:
        return not (self.missing or self.unknown or self.damaged or self.database_problems)


def check(database: Database, folder: Path) -> LibraryCheck:
    """The database's own checks, and every file read; nothing is changed."""
    problems: list[str] = []
    known: list[Path] = []
    try:
        with database.reading() as connection:
            problems += [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
        with database.reading() as connection:
            found = connection.execute(f"SELECT {rows.ITEM_COLUMNS} FROM items WHERE trashed IS NULL").fetchall()
        for row in found:
            try:
                known.append(rows.to_item(row, folder).path)
            except BadFile as error:
                problems.append(error.message)
    except BadFile as error:
        problems.append(error.message)
    try:
        with database.writing() as connection:
            connection.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
    except BadFile as error:
        problems.append(f"The search index is damaged ({error.message})")
    not_followed: list[Path] = []
    there = scan.files(folder, not_followed)
    inside = [path for path in known if path.exists()]
    strangers = set(there) - set(known)
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
        not_followed=tuple(not_followed),
    )
