"""SQLite for the library and the queue: connections, migrations, and its errors as sentences."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from engine.protocol.errors import BadFile, KnownError, LaternaError, LibraryBusy, NoSpace, NotWritable

BUSY_TIMEOUT_SECONDS = 5.0
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_CONSTRAINT)
# What SQLite says of our own statements, which are tested, where the tables in the file are no longer ours.
_SCHEMA_DAMAGED = (
    "no such ",
    "malformed ",
    "unsupported file format",
    "Could not decode to UTF-8",
    "vtable constructor failed",
    "unknown tokenizer",
    "SQL logic error",
    "unable to use function",
    "table ",
    "error in tokenizer",
    "parse error in",
    "unrecognized ",
    "near ",
)


class Database:
    """A SQLite file in WAL mode, used from any thread: each thread gets its own connection, writes take turns.

    With ``exclusive`` there is one connection for all threads, and no other process gets in while it is open; the lock
    goes with the process, however that ends.

    ``migrations`` are SQL scripts; ``user_version`` counts those that have run. Raises ``LibraryBusy`` where another
    process holds it, ``NoSpace``, ``NotWritable``, and ``BadFile`` where it is damaged or of a newer Laterna.
    """

    def __init__(
        self,
        path: Path,
        migrations: Sequence[str],
        *,
        exclusive: bool = False,
        busy_timeout: float = BUSY_TIMEOUT_SECONDS,
    ) -> None:
        self.path = path
        self._exclusive = exclusive
        self._busy_timeout = busy_timeout
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._lock = threading.RLock()
        self._closed = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NotWritable(
                f"The folder {path.parent} cannot be made: {error.strerror}.", "Choose another --home."
            ) from error
        try:
            self._migrate(migrations)
        except BaseException:
            self.close()
            raise

    def connection(self) -> sqlite3.Connection:
        """This thread's connection, in autocommit mode."""
        if self._exclusive and self._all:
            return self._all[0]
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            with errors(self.path):
                found = sqlite3.connect(
                    self.path, timeout=self._busy_timeout, isolation_level=None, check_same_thread=False
                )
                with self._lock:
                    if self._closed:
                        found.close()
                        raise LibraryBusy("The library is closing.", "Start Laterna again.")
                    self._all.append(found)
                if self._exclusive:
                    found.execute("PRAGMA locking_mode = EXCLUSIVE")
                # WAL outlives a kill of the process; NORMAL outlives that too (the last writes may go with the power).
                found.execute("PRAGMA journal_mode = WAL")
                found.execute("PRAGMA synchronous = NORMAL")
                found.execute("PRAGMA mmap_size = 268435456")
            self._local.connection = found
        return found

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock if self._exclusive else nullcontext(), self._noting_damage(), errors(self.path):
            yield self.connection()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it, or nothing where an exception leaves the block."""
        with self._lock, self._noting_damage(), errors(self.path):
            connection = self.connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @property
    def damage_note(self) -> Path:
        """A file that is there once damage was met: whoever opens the database next can look at all of it."""
        return self.path.with_name(f"{self.path.name}-damaged")

    @contextmanager
    def _noting_damage(self) -> Iterator[None]:
        try:
            yield
        except BadFile:
            with suppress(OSError):
                self.damage_note.touch()
            raise

    def close(self) -> None:
        """Close every thread's connection; the threads must have stopped using it."""
        with self._lock:
            self._closed = True
            connections, self._all = self._all, []
        for connection in connections:
            connection.close()
        self._local = threading.local()

    def _migrate(self, migrations: Sequence[str]) -> None:
        with self.reading() as connection:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(migrations):
            raise KnownError(f"{self.path} was written by a newer Laterna.", "Update Laterna.")
        if version == len(migrations) and not self._exclusive:
            return
        with self.writing() as connection:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            for script in migrations[version:]:
                for statement in _statements(script):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(migrations)}")


def touch(connection: sqlite3.Connection) -> int:
    """Raise the library's revision, in the transaction of the write it counts, and return it."""
    return int(_one(connection, "UPDATE revision SET value = value + 1 RETURNING value"))


def _one(connection: sqlite3.Connection, statement: str) -> int:
    """The number that a table always holds. Raises ``BadFile`` where it does not."""
    row = connection.execute(statement).fetchone()
    if row is None or not isinstance(row[0], int):
        raise BadFile("A table of the database lost what is in it.", "Run “library rebuild”: it is made anew.")
    return row[0]


def revision(connection: sqlite3.Connection) -> int:
    """How many writes there were. Raises ``BadFile``."""
    return _one(connection, "SELECT value FROM revision")


def meta(connection: sqlite3.Connection, key: str) -> str:
    """What the table ``meta`` says; empty where it says nothing."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row else ""


def set_meta(connection: sqlite3.Connection, key: str, value: str) -> None:
    connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))


def _statements(script: str) -> Iterator[str]:
    """Split a script: ``executescript`` would commit the transaction around it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


@contextmanager
def errors(path: Path) -> Iterator[None]:
    """Turn what SQLite raises about the file into a ``LaternaError``; programming mistakes stay what they are."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        named = _named(error, path)
        if named is None:
            raise
        raise named from error
    except UnicodeDecodeError as error:  # SQLite's own words, or a text in a row
        raise BadFile(
            f"{path} is damaged: it holds broken text.", "Run “library rebuild”: it is made anew from your files."
        ) from error


def _named(error: sqlite3.DatabaseError, path: Path) -> LaternaError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LibraryBusy(
            "Another Laterna window has this library open.",
            "Close it, or start this one with another --home.",
            detail=str(path),
        )
    if code == sqlite3.SQLITE_FULL:
        return NoSpace(f"The disk is full: {path} cannot grow.", "Free some space and try again.")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR):
        return NotWritable(f"{path} cannot be written: {error}.", "Check the folder and the disk.")
    if code in _DAMAGED or str(error).startswith(_SCHEMA_DAMAGED):
        return BadFile(f"{path} is damaged: {error}.", "Run “library rebuild”: it is made anew from your files.")
    return None
