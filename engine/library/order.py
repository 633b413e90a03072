"""The ids of each filter, newest first, kept in memory: 100,000 of them take too long to read anew for each key."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Sequence
from sqlite3 import Connection
from typing import Literal

import msgspec

Kind = Literal["image", "video"]
_FEW = 50


class Order:
    """Follows the table ``revision``, which every write of any process raises; a write that says here what it did
    (``added``, ``removed``, ``marked``, each with the revision it left) saves reading everything again. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._revision = -1
        self._ids: dict[tuple[Kind | None, bool | None], array[int]] = {}
        self._newest = 0.0
        self._by_id = False
        self._hidden: frozenset[int] = frozenset()

    def ids(self, connection: Connection, kind: Kind | None, favourite: bool | None) -> array[int]:
        """A copy of all ids of a filter."""
        with self._lock:
            self._follow(connection)
            return array("q", self._of(connection, kind, favourite))

    def matching(self, connection: Connection, query: str, kind: Kind | None, favourite: bool | None) -> array[int]:
        """The ids that an FTS5 ``query`` finds, newest first."""
        found = connection.execute(
            "SELECT group_concat(rowid) FROM (SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid DESC)",
            (query,),
        ).fetchone()[0]
        hits = msgspec.json.decode(f"[{found or ''}]", type=list[int])
        with self._lock:
            self._follow(connection)
            whole = self._of(connection, None, None)
            if self._by_id and kind is None and favourite is None:
                # Rows came in as they were made, so the largest id is the newest and the hits are in order already.
                hidden = self._hidden
                return array("q", [id for id in hits if id not in hidden] if hidden else hits)
            order = whole if kind is None and favourite is None else self._of(connection, kind, favourite)
            wanted = set(hits)
            return array("q", [id for id in order if id in wanted]) if wanted else array("q")

    def added(self, revision: int, rows: Sequence[tuple[int, Kind, float]]) -> None:
        """``rows`` (id, kind, created) came in or were read anew."""
        with self._lock:
            if not self._next(revision):
                return
            whole = self._ids.get((None, None))
            for id, kind, created in rows:
                if len(rows) > _FEW or whole is None or not self._by_id or created < self._newest:
                    self._revision = -1
                    return
                if whole and id <= whole[0]:
                    self._revision = -1
                    return
                self._newest = created
                for (of_kind, of_favourite), ids in self._ids.items():
                    if of_kind in (None, kind) and not of_favourite:
                        ids.insert(0, id)

    def removed(self, revision: int, ids: Sequence[int]) -> None:
        with self._lock:
            if not self._next(revision):
                return
            if len(ids) > _FEW:
                self._revision = -1
                return
            self._hidden |= frozenset(ids)
            for known in self._ids.values():
                for id in ids:
                    if id in known:
                        known.remove(id)

    def marked(self, revision: int) -> None:
        """Favourites changed."""
        with self._lock:
            if self._next(revision):
                self._ids = {key: ids for key, ids in self._ids.items() if key[1] is None}

    def forget(self) -> None:
        with self._lock:
            self._revision = -1

    def _next(self, revision: int) -> bool:
        """Whether what is known here is the state just before the write that left ``revision``."""
        if self._revision != revision - 1:
            return False
        self._revision = revision
        return True

    def _follow(self, connection: Connection) -> None:
        revision = connection.execute("SELECT value FROM revision").fetchone()[0]
        if revision == self._revision:
            return
        self._revision = revision
        self._ids.clear()
        hidden = connection.execute("SELECT id FROM items WHERE trashed IS NOT NULL")
        self._hidden = frozenset(row[0] for row in hidden)
        newest = connection.execute("SELECT max(created) FROM items WHERE trashed IS NULL").fetchone()[0]
        self._newest = newest or 0.0

    def _of(self, connection: Connection, kind: Kind | None, favourite: bool | None) -> array[int]:
        found = self._ids.get((kind, favourite))
        if found is not None:
            return found
        selected = connection.execute(
            "SELECT id FROM items WHERE trashed IS NULL"
            " AND kind = coalesce(?1, kind) AND favourite = coalesce(?2, favourite) ORDER BY created DESC, id DESC",
            (kind, None if favourite is None else int(favourite)),
        )
        found = self._ids[kind, favourite] = array("q", [row[0] for row in selected])
        if kind is None and favourite is None:
            self._by_id = all(map(int.__gt__, found, found[1:]))
        return found
