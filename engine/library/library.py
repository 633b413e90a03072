"""The library: every picture and clip that was made, found by text, newest first.

Files are the truth; the database is an index over them. What only the database knows is what a person marked as a
favourite and what lies in the trash.
"""

from __future__ import annotations

import json
import os
import time
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from sqlite3 import Connection

import msgspec

from engine.library import rows, scan, trash
from engine.library.changes import LibraryChanged
from engine.library.database import Database
from engine.library.item import Item
from engine.library.naming import unused
from engine.library.order import Kind, Order
from engine.library.schema import MIGRATIONS
from engine.library.search import fts_query
from engine.protocol.errors import BadFile, ErrorInfo

OWN_TRASH = ".trash"


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


class Library:
    """Thread-safe. Every method may raise ``LibraryBusy``, ``NoSpace``, ``NotWritable`` or ``BadFile``.

    A damaged database is put aside at the start and a new one begun; ``damage`` then says so, and ``reconcile`` brings
    the files back (their favourite marks are lost).
    """

    def __init__(self, database: Path, folder: Path) -> None:
        """``database`` is made if missing; ``folder`` is where the pictures and clips are, and need not exist yet."""
        self.folder = Path(os.path.abspath(folder))
        self.damage: ErrorInfo | None = None
        self._order = Order()
        self._database = self._open(Path(database))

    def close(self) -> None:
        """Call it when no thread uses the library any more."""
        self._database.close()

    # Reading

    def ids(self, text: str = "", kind: Kind | None = None, favourite: bool | None = None) -> array[int]:
        """Row ids, newest first, of what is not in the trash; any string is a valid ``text`` (see ``fts_query``)."""
        query = fts_query(text)
        with self._database.reading() as connection:
            if query:
                return self._order.matching(connection, query, kind, favourite)
            return self._order.ids(connection, kind, favourite)

    def items(self, ids: Iterable[int]) -> list[Item]:
        """The items of ``ids`` in that order; ids without a row are left out."""
        wanted = list(ids)
        with self._database.reading() as connection:
            found = connection.execute(
                f"SELECT {rows.ITEM_COLUMNS} FROM items WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(wanted),),
            ).fetchall()
        by_id = {row[0]: row for row in found}
        return [rows.to_item(by_id[id], self.folder) for id in wanted if id in by_id]

    def item(self, id: int) -> Item | None:
        """None where there is no such row."""
        found = self.items([id])
        return found[0] if found else None

    def find(self, path: Path) -> Item | None:
        """The item of a file, by its path."""
        with self._database.reading() as connection:
            row = connection.execute(
                f"SELECT {rows.ITEM_COLUMNS} FROM items WHERE path = ? AND trashed IS NULL",
                (rows.stored_path(path, self.folder),),
            ).fetchone()
        return rows.to_item(row, self.folder) if row else None

    # Writing

    def add(self, path: Path) -> Item:
        """Take in a PNG or MP4 where it lies, by its own metadata; one that is known is read anew. ``BadFile``."""
        row = rows.read_file(Path(path), self.folder)
        (id,) = self.insert([row])
        item = self.item(id)
        assert item is not None
        return item

    def insert(self, file_rows: Iterable[rows.FileRow]) -> list[int]:
        """Add rows as ``rows.read_file`` makes them, in one transaction; returns their ids."""
        added: list[tuple[int, Kind, float]] = []
        with self._database.writing() as connection:
            added.extend(connection.execute(rows.UPSERT, row).fetchone() for row in file_rows)
            revision = _touch(connection)
        self._order.added(revision, added)
        return [id for id, _kind, _created in added]

    def set_favourite(self, ids: Iterable[int], favourite: bool) -> LibraryChanged:
        changed = tuple(ids)
        with self._database.writing() as connection:
            connection.executemany(
                "UPDATE items SET favourite = ? WHERE id = ?", [(int(favourite), id) for id in changed]
            )
            revision = _touch(connection)
        self._order.marked(revision)
        return LibraryChanged(changed=changed)

    def trash(self, ids: Iterable[int]) -> LibraryChanged:
        """Move files to the trash (see ``engine.library.trash``); ``restore`` takes it back.

        A row whose file is missing is forgotten. Where one file cannot be moved, those before it are in the trash and
        the error is raised.
        """
        removed: list[int] = []
        for item in self.items(ids):
            if item.path.exists():
                where = str(trash.move_to_trash(item.path, self.folder / OWN_TRASH))
                revision = self._write("UPDATE items SET trashed = ? WHERE id = ?", where, item.id)
            else:
                revision = self._write("DELETE FROM items WHERE id = ? AND trashed IS NULL", item.id)
            self._order.removed(revision, [item.id])
            removed.append(item.id)
        return LibraryChanged(removed=tuple(removed))

    def restore(self, ids: Iterable[int]) -> LibraryChanged:
        """Take trashed files back to where they were, or to a free name beside it. Raises ``BadFile`` if emptied."""
        added: list[int] = []
        for item in self.items(ids):
            with self._database.reading() as connection:
                where = connection.execute("SELECT trashed FROM items WHERE id = ?", (item.id,)).fetchone()[0]
            if where is None:
                continue
            path = trash.restore(Path(where), item.path)
            stored = rows.stored_path(path, self.folder)
            self._write("UPDATE items SET trashed = NULL, missing = 0, path = ? WHERE id = ?", stored, item.id)
            added.append(item.id)
        return LibraryChanged(added=tuple(added))

    # Files and index

    def reconcile(self, should_stop: Callable[[], bool] = lambda: False) -> LibraryChanged:
        """Bring the index in line with the folder: new and changed files come in, rows without one are marked missing.

        A file that was renamed keeps its row. Files that cannot be read are left out (``check`` names them).
        ``should_stop`` is asked between files; what was done until then stays.
        """
        found = scan.files(self.folder)
        with self._database.reading() as connection:
            known = connection.execute(
                "SELECT path, id, size, modified, missing FROM items WHERE trashed IS NULL"
            ).fetchall()
        plan = scan.compare(known, found, self.folder)
        added: list[int] = []
        changed: list[int] = []
        with self._database.writing() as connection:
            for id, path in plan.renamed:
                connection.execute("UPDATE OR IGNORE items SET path = ?, missing = 0 WHERE id = ?", (path, id))
                changed.append(id)
            for missing, ids in ((1, plan.gone), (0, plan.back)):
                connection.executemany("UPDATE items SET missing = ? WHERE id = ?", [(missing, id) for id in ids])
                changed.extend(ids)
            if changed:
                _touch(connection)
        before = {row[0] for row in known}
        for batch in scan.batches(plan.to_read):
            if should_stop():
                break
            fresh = [row for path in batch if (row := self._readable(path)) is not None]
            for row, id in zip(fresh, self.insert(fresh) if fresh else (), strict=True):
                (changed if row[0] in before else added).append(id)
        return LibraryChanged(added=tuple(added), changed=tuple(changed))

    def rebuild(self) -> LibraryChanged:
        """Read every file anew and make the search index from scratch. Ids, favourites and the trash stay.

        Only a database that is itself damaged is put aside first, with what it alone knew. No other thread may use the
        library meanwhile.
        """
        try:
            with self._database.reading() as connection:
                sound = connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        except BadFile:
            sound = False
        if not sound:
            self._database.close()
            self._database = self._begin_anew(self._database.path, "its own check found it damaged")
        self.reconcile()
        with self._database.reading() as connection:
            paths = connection.execute("SELECT path FROM items WHERE trashed IS NULL AND NOT missing").fetchall()
        for batch in scan.batches([self.folder / path for (path,) in paths]):
            self.insert([row for path in batch if (row := self._readable(path)) is not None])
        with self._database.writing() as connection:
            connection.execute("DELETE FROM items WHERE missing AND trashed IS NULL")
            connection.execute("INSERT INTO search (search) VALUES ('rebuild')")
            _touch(connection)
        return LibraryChanged(everything=True)

    def check(self) -> LibraryCheck:
        """Look for what is wrong, changing nothing: the database's own checks, and every file read."""
        problems: list[str] = []
        with self._database.reading() as connection:
            problems += [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
            known = [self.folder / row[0] for row in connection.execute("SELECT path FROM items WHERE trashed IS NULL")]
        try:
            with self._database.writing() as connection:
                connection.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
        except BadFile as error:
            problems.append(f"The search index is damaged ({error.message})")
        inside = [path for path in known if path.exists()]
        strangers = set(scan.files(self.folder)) - set(known)
        damaged: list[tuple[Path, str]] = []
        for path in sorted({*inside, *strangers}):
            try:
                rows.read_file(path, self.folder)
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

    def _open(self, path: Path) -> Database:
        try:
            return Database(path, MIGRATIONS)
        except BadFile as error:
            return self._begin_anew(path, str(error))

    def _begin_anew(self, path: Path, why: str) -> Database:
        aside = unused(path.with_name(f"{path.stem}-damaged-{time.strftime('%Y%m%d')}{path.suffix}"))
        os.replace(path, aside)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        self._order.forget()
        self.damage = ErrorInfo(
            "BadFile",
            f"The library's index was damaged and is made anew from your files; the old one is {aside}.",
            "Favourites have to be marked again.",
            detail=why,
        )
        return Database(path, MIGRATIONS)

    def _readable(self, path: Path) -> rows.FileRow | None:
        try:
            return rows.read_file(path, self.folder)
        except BadFile:
            return None

    def _write(self, statement: str, *values: object) -> int:
        with self._database.writing() as connection:
            connection.execute(statement, values)
            return _touch(connection)


def _touch(connection: Connection) -> int:
    """Raise the revision, in the transaction of the write it counts, and return it."""
    return int(connection.execute("UPDATE revision SET value = value + 1 RETURNING value").fetchone()[0])
