"""Rows of what was deleted: they stay, with recipe and marks, and say where in the trash the file lies."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from sqlite3 import Connection

from engine.library import rows, trash
from engine.library.filters import Conditions
from engine.media.metadata import SUFFIXES
from engine.protocol.errors import BadFile

_COLUMNS = f"{rows.FILE_COLUMNS}, trashed, trashed_at"
_INSERT = f"INSERT INTO items ({_COLUMNS}) VALUES ({', '.join('?' * len(_COLUMNS.split(', ')))}) RETURNING id"


def ids(connection: Connection, fts: str, conditions: Conditions) -> array[int]:
    """What lies in the trash and fits, the last deleted first."""
    tests = ["trashed IS NOT NULL", *(condition.sql for condition in conditions)]
    values: list[str | float | int] = [value for condition in conditions for value in condition.values]
    if fts:
        tests.append("id IN (SELECT rowid FROM search WHERE search MATCH ?)")
        values.append(fts)
    found = connection.execute(
        f"SELECT id FROM items WHERE {' AND '.join(tests)} ORDER BY trashed_at DESC, id DESC", values
    )
    return array("q", [row[0] for row in found])


def mark(connection: Connection, id: int, where: Path, when: float) -> None:
    connection.execute(
        "UPDATE items SET trashed = ?, trashed_at = ? WHERE id = ?", (rows.path_text(str(where)), when, id)
    )


def put_back(connection: Connection, id: int, stored: str) -> None:
    """The file of a row lies at ``stored`` again; a row there whose file was missing makes room."""
    connection.execute("DELETE FROM items WHERE path = ? AND trashed IS NULL AND missing", (stored,))
    connection.execute(
        "UPDATE items SET trashed = NULL, trashed_at = 0, missing = 0, path = ? WHERE id = ?", (stored, id)
    )


def gone(connection: Connection, wanted: Iterable[int]) -> list[int]:
    """Those of ``wanted`` whose file is not in the trash any more."""
    found = connection.execute(
        "SELECT id, trashed FROM items WHERE trashed IS NOT NULL AND id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(wanted)),),
    ).fetchall()
    return [id for id, where in found if not rows.file_path(where, Path()).exists()]


def forget(connection: Connection, rows_: Sequence[int]) -> None:
    connection.executemany("DELETE FROM items WHERE id = ? AND trashed IS NOT NULL", [(id,) for id in rows_])


def strangers(known: set[str], folder: Path, own_trash: Path) -> Iterator[tuple[object, ...]]:
    """Rows for ``add`` of what lies in the trash, came from ``folder``, and is not ``known`` (where files lie now)."""
    for found in trash.contents(folder, own_trash):
        if rows.path_text(str(found.path)) in known or found.path.suffix.lower() not in SUFFIXES:
            continue
        with suppress(BadFile):
            row = rows.read_file(found.path, folder)
            yield (rows.stored_path(found.original, folder), *row[1:], rows.path_text(str(found.path)), found.when)


def claim(connection: Connection, row: tuple[object, ...]) -> int:
    """Give what ``strangers`` found its row, if the index misses the very file; 0 where it does not."""
    *file_row, where, when = row
    found = connection.execute(
        "UPDATE items SET trashed = ?, trashed_at = ?, missing = 0"
        " WHERE path = ? AND identity = ? AND trashed IS NULL AND missing RETURNING id",
        (where, when, file_row[rows.PATH], file_row[rows.IDENTITY]),
    ).fetchone()
    return int(found[0]) if found else 0


def add(connection: Connection, found: Iterable[tuple[object, ...]]) -> list[int]:
    """Take in what ``strangers`` found; returns the ids."""
    return [connection.execute(_INSERT, row).fetchone()[0] for row in found]
