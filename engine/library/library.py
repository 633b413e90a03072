"""The library: every picture and clip that was made, found by text, newest first.

Files are the truth; the database is an index over them. What a person said about them (favourites, ratings, tags,
albums) is in a sidecar beside the files; what was deleted keeps its row, and is found again by the notes in the trash.
"""

from __future__ import annotations

import json
import os
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from sqlite3 import Connection

from engine.library import deleted, prompt_history, rows, scan, trash
from engine.library.changes import LibraryChanged
from engine.library.check import LibraryCheck, check
from engine.library.database import Database, touch
from engine.library.facets import Facets, Stacks, facets, stack
from engine.library.filters import EVERYTHING, Filter, Kind
from engine.library.item import Item
from engine.library.marking import Marking
from engine.library.marks import LabelKind, MarkChange, Marked
from engine.library.naming import numbered
from engine.library.order import Order
from engine.library.reconcile import Reconciliation, readable
from engine.library.schema import MIGRATIONS
from engine.library.search import parse
from engine.media import atomic
from engine.protocol.errors import BadFile, ErrorInfo, LaternaError

OWN_TRASH = ".trash"


class Library:
    """Thread-safe. Every method may raise ``LibraryBusy``, ``NoSpace``, ``NotWritable`` or ``BadFile``.

    A damaged database is put aside at the start and a new one begun; ``damage`` then says so, and ``reconcile`` brings
    the files back, with what a person said about them.
    """

    def __init__(self, database: Path, folder: Path, *, mended: bool = False) -> None:
        """``database`` is made if missing; ``folder`` is where the pictures and clips are, and need not exist yet.

        With ``mended`` it is looked through where it was found damaged when it was open last, and made anew where it
        is. That may take as long as reading every file.
        """
        self.folder = Path(os.path.abspath(folder))
        self.damage: ErrorInfo | None = None
        self._order = Order()
        self._own_trash = self.folder / OWN_TRASH
        self._marking = Marking(self.folder)
        self._database = self._open(Path(database))
        if mended and self._database.damage_note.exists():
            with suppress(LaternaError):
                self.heal()

    def close(self) -> None:
        """Call it when no thread uses the library any more."""
        self._database.close()

    # Reading

    def ids(self, text: str = "", filter: Filter = EVERYTHING) -> array[int]:
        """Row ids, newest first, of what is not in the trash (or, where the filter asks for that, of what is, the last
        deleted first); any string is a valid ``text`` (``engine.library.search`` says what it can ask for)."""
        asked = parse(text)
        conditions = (*filter.conditions(), *asked.conditions)
        with self._database.reading() as connection:
            if filter.deleted:
                return deleted.ids(connection, asked.fts, conditions)
            if asked.fts:
                return self._order.matching(connection, asked.fts, conditions)
            return self._order.ids(connection, conditions)

    def stacks(self, text: str = "", filter: Filter = EVERYTHING) -> Stacks:
        """As ``ids``, but only the newest of all that were made from the same prompt."""
        ids = self.ids(text, filter)
        with self._database.reading() as connection:
            return stack(connection, ids)

    def facets(self) -> Facets:
        """What there is to filter by."""
        with self._database.reading() as connection:
            return facets(connection)

    def items(self, ids: Iterable[int]) -> list[Item]:
        """The items of ``ids`` in that order; ids without a row are left out."""
        wanted = list(ids)
        with self._database.reading() as connection:
            found = connection.execute(
                f"SELECT {rows.ITEM_COLUMNS} FROM items WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(wanted),),
            ).fetchall()
            by_id = {row[0]: rows.to_item(row, self.folder) for row in found}
        return [by_id[id] for id in wanted if id in by_id]

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

    def prompts(self, text: str = "", limit: int = 50) -> list[str]:
        """The person's own prompts that hold every word of ``text``, each once, newest first."""
        with self._database.reading() as connection:
            return prompt_history.prompts(connection, text, limit)

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
            ids = [id for id, _kind, _created in added]
            marked = self._marking.arrived(connection, ids)
            revision = touch(connection)
        if marked:
            self._order.forget()
        else:
            self._order.added(revision, added)
        return ids

    def mark(self, ids: Iterable[int], change: MarkChange) -> Marked:
        """Say something about items: it is in the sidecar, on the disk, once this returns; ``take_back`` undoes it.

        Raises also ``BadArguments`` for a rating or name that cannot be.
        """
        with self._marks_written() as connection:
            changed, undo = self._marking.mark(connection, [(id, change) for id in ids])
        return Marked(LibraryChanged(changed=tuple(changed)), undo)

    def add_album(self, name: str) -> None:
        """Make an album, empty as yet; one that is there stays."""
        with self._marks_written() as connection:
            self._marking.set_albums(connection, {name: True})

    def rename_label(self, kind: LabelKind, name: str, new: str) -> Marked:
        """Give a tag or album another name, on everything that has it; where that name is taken, both become one."""
        return self._relabel(kind, name, new)

    def remove_label(self, kind: LabelKind, name: str) -> Marked:
        """Let go of a tag or album; what has it stays in the library."""
        return self._relabel(kind, name, None)

    def _relabel(self, kind: LabelKind, name: str, new: str | None) -> Marked:
        with self._marks_written() as connection:
            changed, undo, albums = self._marking.relabel(connection, kind, name, new)
        return Marked(LibraryChanged(changed=tuple(changed)), undo, albums)

    def take_back(self, marked: Marked) -> LibraryChanged:
        """Undo what gave ``marked``: each item is what it was, and so are the albums."""
        with self._marks_written() as connection:
            changed, _undo = self._marking.mark(connection, marked.undo, exact=True)
            self._marking.set_albums(connection, dict(marked.albums), exact=True)
        return LibraryChanged(changed=tuple(changed))

    @contextmanager
    def _marks_written(self) -> Iterator[Connection]:
        with self._database.writing() as connection:
            yield connection
            revision = touch(connection)
        self._order.marked(revision)

    def trash(self, ids: Iterable[int]) -> LibraryChanged:
        """Move files to the trash (see ``engine.library.trash``); ``restore`` takes it back.

        A row whose file is missing is forgotten. Where one file cannot be moved, those before it are in the trash and
        the error is raised.
        """
        removed: list[int] = []
        for item in self.items(ids):
            if item.trashed is not None:
                continue
            if item.path.exists():
                where = trash.move_to_trash(item.path, self._own_trash)
                with self._database.writing() as connection:
                    deleted.mark(connection, item.id, where, time.time())
                    revision = touch(connection)
            else:
                revision = self._write("DELETE FROM items WHERE id = ? AND trashed IS NULL", item.id)
            self._order.removed(revision, [item.id])
            removed.append(item.id)
        return LibraryChanged(removed=tuple(removed))

    def restore(self, ids: Iterable[int]) -> LibraryChanged:
        """Take trashed files back to where they were, or to a free name beside it; ``added`` are those that came back.

        One that was put back by other means is only noted. Raises ``BadFile`` where the trash was emptied of all of
        them.
        """
        added: list[int] = []
        lost: BadFile | None = None
        for item in self.items(ids):
            if item.trashed is None:
                continue
            try:
                path = item.path if self._is_back(item) else trash.restore(item.trashed, item.path)
            except BadFile as error:
                lost = error
                continue
            with self._database.writing() as connection:
                deleted.put_back(connection, item.id, rows.stored_path(path, self.folder))
                touch(connection)
                if path != item.path:
                    self._marking.moved(connection, [item.id])
            added.append(item.id)
        if lost is not None and not added:
            raise lost
        return LibraryChanged(added=tuple(added))

    def _is_back(self, item: Item) -> bool:
        """Whether another program took the file of a deleted item back to its place."""
        try:
            return item.missing and item.path.stat().st_size == item.size and self.find(item.path) is None
        except OSError:
            return False

    def forget_deleted(self, ids: Iterable[int] | None = None) -> LibraryChanged:
        """Let go of what is not in the trash any more, of ``ids`` or of all that was deleted: of its recipes too."""
        with self._database.writing() as connection:
            wanted = deleted.ids(connection, "", ()) if ids is None else ids
            gone = deleted.gone(connection, wanted)
            deleted.forget(connection, gone)
            touch(connection)
        return LibraryChanged(removed=tuple(gone))

    # Files and index

    def reconcile(self, should_stop: Callable[[], bool] = lambda: False) -> LibraryChanged:
        """Bring the index in line with the folder: new and changed files come in, rows without one are marked missing.

        What another computer or an interrupted start left in the sidecar is taken in. A file that was renamed or moved
        keeps its row. Files that cannot be read are left out (``check`` names them). ``should_stop`` is asked between
        files; what was done until then stays.
        """
        return self._reconciliation().run(should_stop)

    def _reconciliation(self) -> Reconciliation:
        return Reconciliation(self._database, self.folder, self._own_trash, self._marking, self.insert)

    def rebuild(self) -> LibraryChanged:
        """Read every file anew and make the search index from scratch. Ids and the trash stay, and what is in the
        sidecar counts.

        Only a database that is itself damaged is put aside first, with what it alone knew. No other thread may use the
        library meanwhile.
        """
        try:
            with self._database.reading() as connection:
                sound = connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok"
        except BadFile:
            sound = False
        if not sound:
            self._put_aside("its own check found it damaged")
        try:
            self._read_anew()
        except BadFile as error:  # what the check does not see: values of the wrong kind, tables that are gone
            self._put_aside(str(error))
            self._read_anew()
        return LibraryChanged(everything=True)

    def _put_aside(self, why: str) -> None:
        self._database.close()
        self._database = self._begin_anew(self._database.path, why)

    def heal(self) -> bool:
        """Where the index is empty, or is damaged, it is made anew from the files; whether that was so. ``damage`` says
        what was put aside. No other thread may use the library meanwhile."""
        try:
            with self._database.reading() as connection:
                is_sound = all(row[0] == "ok" for row in connection.execute("PRAGMA integrity_check(1)"))
                is_empty = connection.execute("SELECT NOT EXISTS (SELECT 1 FROM items)").fetchone()[0]
                for row in connection.execute(f"SELECT {rows.ITEM_COLUMNS} FROM items"):
                    rows.to_item(row, self.folder)  # SQLite's own check sees no value of the wrong kind
            with self._database.writing() as connection:
                connection.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
        except BadFile:
            is_sound = is_empty = False
        self._database.damage_note.unlink(missing_ok=True)
        if not is_sound:
            self.rebuild()
            self._database.damage_note.unlink(missing_ok=True)
        elif is_empty:
            self.reconcile()
        return bool(is_empty or not is_sound)

    def _read_anew(self) -> None:
        self.reconcile()
        with self._database.reading() as connection:
            paths = connection.execute("SELECT path FROM items WHERE trashed IS NULL AND NOT missing").fetchall()
        for batch in scan.batches([rows.file_path(path, self.folder) for (path,) in paths]):
            self.insert([row for path in batch if (row := readable(path, self.folder)) is not None])
        with self._database.writing() as connection:
            connection.execute("DELETE FROM items WHERE missing AND trashed IS NULL")
            connection.execute("INSERT INTO search (search) VALUES ('rebuild')")
            touch(connection)

    def check(self) -> LibraryCheck:
        """Look for what is wrong, changing nothing: the database's own checks, and every file read."""
        return check(self._database, self.folder)

    def _open(self, path: Path) -> Database:
        try:
            return Database(path, MIGRATIONS)
        except BadFile as error:
            return self._begin_anew(path, str(error))

    def _begin_anew(self, path: Path, why: str) -> Database:
        aside = atomic.move_new(
            path, numbered(path.with_name(f"{path.stem}-damaged-{time.strftime('%Y%m%d')}{path.suffix}"))
        )
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        self._order.forget()
        self.damage = ErrorInfo(
            "BadFile",
            f"The library's index was damaged and is made anew from your files; the old one is {aside}.",
            "Favourites, ratings, tags and albums come back too.",
            detail=why,
        )
        return Database(path, MIGRATIONS)

    def _write(self, statement: str, *values: object) -> int:
        with self._database.writing() as connection:
            connection.execute(statement, values)
            return touch(connection)
