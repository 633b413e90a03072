"""Bringing the index in line with the folder: what came, went, moved, or was deleted and put back meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from sqlite3 import Connection

from engine.library import deleted, rows, scan
from engine.library.changes import LibraryChanged
from engine.library.database import Database, meta, set_meta, touch
from engine.library.marking import Marking
from engine.protocol.errors import BadFile

_TRASH_SEEN = "trash seen"


class Reconciliation:
    """``insert`` takes rows in as ``Library.insert`` does."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        own_trash: Path,
        marking: Marking,
        insert: Callable[[Iterable[rows.FileRow]], list[int]],
    ) -> None:
        self._database = database
        self._folder = folder
        self._own_trash = own_trash
        self._marking = marking
        self._insert = insert
        self._added: list[int] = []
        self._removed: list[int] = []
        self._changed: list[int] = []

    def run(self, should_stop: Callable[[], bool]) -> LibraryChanged:
        """As ``Library.reconcile``."""
        with self._database.writing() as connection:
            self._changed += self._marking.take_in(connection)
            if self._changed:
                touch(connection)
        scan.remove_leftovers(self._folder, time.time())
        found = scan.files(self._folder)
        with self._database.reading() as connection:
            known = connection.execute(
                "SELECT path, id, size, modified, missing FROM items WHERE trashed IS NULL"
            ).fetchall()
        differences = scan.compare(known, found, self._folder)
        self._follow_moves(differences)
        self._look_into_trash(lost=bool(differences.gone))
        before = {row[0] for row in known}
        for batch in scan.batches(differences.to_read):
            if should_stop():
                break
            self._take_in(batch, before)
        return LibraryChanged(tuple(self._added), tuple(self._removed), tuple(dict.fromkeys(self._changed)))

    def _follow_moves(self, differences: scan.Differences) -> None:
        with self._database.writing() as connection:
            for id, path in differences.renamed:
                connection.execute("UPDATE OR IGNORE items SET path = ?, missing = 0 WHERE id = ?", (path, id))
                self._changed.append(id)
            for missing, ids in ((1, differences.gone), (0, differences.back)):
                connection.executemany("UPDATE items SET missing = ? WHERE id = ?", [(missing, id) for id in ids])
                self._changed.extend(ids)
            self._marking.moved(connection, [id for id, _path in differences.renamed])
            if self._changed:
                touch(connection)

    def _look_into_trash(self, lost: bool) -> None:
        """Once, after an index was begun: what was deleted before. And whenever files are missing: whether they lie
        there, because the person deleted them elsewhere or a kill came between the move and its row."""
        with self._database.reading() as connection:
            is_new = not meta(connection, _TRASH_SEEN)
            known = {row[0] for row in connection.execute("SELECT trashed FROM items WHERE trashed IS NOT NULL")}
        if not (is_new or lost):
            return
        found = list(deleted.strangers(known, self._folder, self._own_trash))
        with self._database.writing() as connection:
            rest = []
            for row in found:
                id = deleted.claim(connection, row)
                if id:
                    self._removed.append(id)
                else:
                    rest.append(row)
            if is_new:
                self._marking.arrived(connection, deleted.add(connection, rest))
                set_meta(connection, _TRASH_SEEN, "1")
            if self._removed or (is_new and rest):
                touch(connection)
        self._changed = [id for id in self._changed if id not in self._removed]

    def _take_in(self, paths: list[Path], before: set[str]) -> None:
        fresh = [row for path in paths if (row := readable(path, self._folder)) is not None]
        with self._database.writing() as connection:
            moved = {
                path for row in fresh if (path := row[rows.PATH]) not in before and self._was_here(connection, row)
            }
        for row, id in zip(fresh, self._insert(fresh) if fresh else (), strict=True):
            (self._changed if row[rows.PATH] in before | moved else self._added).append(id)

    def _was_here(self, connection: Connection, row: rows.FileRow) -> bool:
        """Give a file in a new place its former row: that of a missing one, or of one taken out of the trash."""
        path, identity = row[rows.PATH], row[rows.IDENTITY]
        found = connection.execute(
            "SELECT id, trashed FROM items WHERE identity = ? AND (missing OR trashed IS NOT NULL) ORDER BY id",
            (identity,),
        ).fetchall()
        for id, trashed in found:
            if trashed is None or not rows.file_path(trashed, self._folder).exists():
                statement = (
                    "UPDATE OR IGNORE items SET path = ?, missing = 0, trashed = NULL, trashed_at = 0 WHERE id = ?"
                )
                if connection.execute(statement, (path, id)).rowcount:
                    self._marking.moved(connection, [id])
                    touch(connection)
                    return trashed is None
        return False


def readable(path: Path, folder: Path) -> rows.FileRow | None:
    """The file's row; None where it cannot be read."""
    try:
        return rows.read_file(path, folder)
    except BadFile:
        return None
