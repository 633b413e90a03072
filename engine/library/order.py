"""The ids of each filter, newest first, kept in memory: 100,000 of them take too long to read anew for each key."""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from sqlite3 import Connection

import msgspec

from engine.library import database
from engine.library.filters import Conditions, Filter, Kind

_FEW = 50
_KEPT = 12
_KINDS: dict[Conditions, Kind] = {Filter(kind=kind).conditions(): kind for kind in ("image", "video")}


class Order:
    """Follows the table ``revision``, which every write of any process raises; a write that says here what it did
    (``added``, ``removed``, ``marked``, each with the revision it left) saves reading everything again. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._revision = -1
        self._ids: OrderedDict[Conditions, array[int]] = OrderedDict()
        self._newest = 0.0
        self._by_id = False
        self._hidden: frozenset[int] = frozenset()

    def ids(self, connection: Connection, conditions: Conditions) -> array[int]:
        """A copy of all ids of a filter."""
        with self._lock:
            self._follow(connection)
            return array("q", self._of(connection, conditions))

    def matching(self, connection: Connection, query: str, conditions: Conditions) -> array[int]:
        """The ids that an FTS5 ``query`` finds, newest first."""
        hits = _numbers(
            connection, "SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid DESC", (query,), "rowid"
        )
        with self._lock:
            self._follow(connection)
            whole = self._of(connection, ())
            if self._by_id and not conditions:
                # Rows came in as they were made, so the largest id is the newest and the hits are in order already.
                hidden = self._hidden
                return array("q", [id for id in hits if id not in hidden] if hidden else hits)
            order = self._of(connection, conditions) if conditions else whole
            wanted = set(hits)
            return array("q", [id for id in order if id in wanted]) if wanted else array("q")

    def added(self, revision: int, rows: Sequence[tuple[int, Kind, float]]) -> None:
        """``rows`` (id, kind, created) came in or were read anew."""
        with self._lock:
            if not self._next(revision):
                return
            whole = self._ids.get(())
            for id, kind, created in rows:
                if len(rows) > _FEW or whole is None or not self._by_id or created < self._newest:
                    self._revision = -1
                    return
                if whole and id <= whole[0]:
                    self._revision = -1
                    return
                self._newest = created
                for conditions in list(self._ids):
                    if not conditions or _KINDS.get(conditions) == kind:
                        self._ids[conditions].insert(0, id)
                    elif conditions not in _KINDS:
                        del self._ids[conditions]

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
        """Favourites, ratings, tags or albums changed."""
        with self._lock:
            if self._next(revision):
                for conditions in list(self._ids):
                    if any(condition.marks for condition in conditions):
                        del self._ids[conditions]

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
        revision = database.revision(connection)
        if revision == self._revision:
            return
        self._revision = revision
        self._ids.clear()
        hidden = connection.execute("SELECT id FROM items WHERE trashed IS NOT NULL")
        self._hidden = frozenset(row[0] for row in hidden)
        newest = connection.execute("SELECT max(created) FROM items WHERE trashed IS NULL").fetchone()[0]
        self._newest = newest or 0.0

    def _of(self, connection: Connection, conditions: Conditions) -> array[int]:
        found = self._ids.get(conditions)
        if found is not None:
            self._ids.move_to_end(conditions)
            return found
        tests = " AND ".join(["trashed IS NULL", *(condition.sql for condition in conditions)])
        values = tuple(value for condition in conditions for value in condition.values)
        selected = f"SELECT id FROM items WHERE {tests} ORDER BY created DESC, id DESC"
        found = self._ids[conditions] = array("q", _numbers(connection, selected, values, "id"))
        if not conditions:
            self._by_id = all(map(int.__gt__, found, found[1:]))
        while len(self._ids) > _KEPT:
            oldest = next(key for key in self._ids if key)
            del self._ids[oldest]
        return found


def _numbers(connection: Connection, statement: str, values: tuple[object, ...], column: str) -> list[int]:
    """The one integer column that ``statement`` selects, in its order, as one string: rows one by one take longer."""
    found = connection.execute(f"SELECT group_concat({column}) FROM ({statement})", values).fetchone()[0]
    return msgspec.json.decode(f"[{found or ''}]", type=list[int])
