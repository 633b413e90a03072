"""Marks in the index: the sidecar's words are taken in, the newest on each field counts, items follow.

A mark belongs to a file's identity at a path. A file that moved is found by its identity once nothing is left at the
old path; its marks are then said again for the new one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from sqlite3 import Connection

from engine.library.database import meta, set_meta
from engine.library.marks import (
    AlbumsKept,
    Fields,
    LabelKind,
    MarkChange,
    State,
    Undo,
    clean_name,
    label_change,
    state_of,
)
from engine.library.rows import names
from engine.library.sidecar import JournalPosition, Record, Sidecar
from engine.protocol.errors import LaternaError

COMPACT_BYTES = 256 * 1024
_GROWN = 4
_UPSERT = """
INSERT INTO marks (identity, path, field, value, clock, writer) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (identity, path, field) DO UPDATE
SET value = excluded.value, clock = excluded.clock, writer = excluded.writer
WHERE excluded.clock > clock OR (excluded.clock = clock AND excluded.value > value)
"""

_LABELLED = "SELECT DISTINCT item FROM labels WHERE kind = ? AND name = ?"

_Row = tuple[int, str, str, State]  # id, identity, path, what was said


class Marking:
    """Every method works inside the caller's write transaction, which keeps all writers of this index apart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def mark(
        self, connection: Connection, changes: Sequence[tuple[int, MarkChange]], *, exact: bool = False
    ) -> tuple[list[int], Undo]:
        """Carry out changes, sidecar first; returns the ids that are different now, and what takes that back.

        ``exact`` takes the capitals of names as they are given, not as they are known. Raises ``NoSpace`` or
        ``NotWritable`` where the sidecar cannot be written, and ``BadArguments``.
        """
        self._take_in_own(connection)
        fields = {id: change.fields() for id, change in changes}
        found = _rows(connection, fields)
        clock = self._clock(connection)
        records: list[Record] = []
        for id, identity, path, state in found:
            said = fields[id] if exact else _canonical(connection, fields[id])
            if said and self._differs(state, said):
                records.append(Record(clock + len(records), said, identity, path))
        if not records:
            return [], ()
        self._say(connection, records)
        before = {id: state for id, _identity, _path, state in found}
        self._derive(connection, [id for id in before])
        changed, undo = [], []
        for id, _identity, _path, state in _rows(connection, fields):
            if state != before[id]:
                changed.append(id)
                undo.append((id, before[id].back_from(state)))
        return changed, tuple(undo)

    def relabel(
        self, connection: Connection, kind: LabelKind, name: str, new: str | None
    ) -> tuple[list[int], Undo, AlbumsKept]:
        """Give a tag or album another name on everything that has it, or (None) take it away from there; where ``new``
        is known already, both become one. As ``mark``; last come the albums that taking it back makes or lets go."""
        known = albums(connection) if kind == "album" else []
        if new is not None:
            new = clean_name(new)
            if new.casefold() != name.casefold():
                new = _known_name(connection, kind, new, known)
        ids = [row[0] for row in connection.execute(_LABELLED, (kind, name))]
        changes = []
        for id, _identity, _path, state in _rows(connection, ids):
            own = [one for one in (state.tags if kind == "tag" else state.albums) if one.casefold() == name.casefold()]
            changes.append((id, label_change(kind, add=() if new is None else (new,), remove=tuple(own))))
        changed, undo = self.mark(connection, changes, exact=True)
        old = [one for one in known if one.casefold() == name.casefold() and one != new]
        before = {one: True for one in old} | ({new: new in known} if new is not None and kind == "album" else {})
        self.set_albums(connection, {one: one == new for one in before}, exact=True)
        return changed, undo, tuple(before.items())

    def set_albums(self, connection: Connection, exist: Mapping[str, bool], *, exact: bool = False) -> None:
        """Make albums that may be empty, or let go of some (their items are the caller's to take out)."""
        self._take_in_own(connection)
        said: Fields = {f"album:{clean_name(name)}": wanted for name, wanted in exist.items()}
        if said:
            self._say(connection, [Record(self._clock(connection), said if exact else _canonical(connection, said))])

    def take_in(self, connection: Connection) -> list[int]:
        """Read what is new in all journals; returns the ids of items that are different now."""
        sidecar = self._sidecar(connection)
        places = _places(connection)
        identities: set[str] = set()
        for writer, size in sidecar.sizes().items():
            known = places.get(writer, JournalPosition())
            if size != known.size:
                identities |= self._read(connection, sidecar, writer, known)
        self._replace_lost(connection, sidecar, places)
        self._export(connection)
        found = connection.execute(
            "SELECT id FROM items WHERE identity IN (SELECT value FROM json_each(?))", (json.dumps(list(identities)),)
        )
        return self._derive(connection, [row[0] for row in found])

    def moved(self, connection: Connection, ids: Iterable[int]) -> None:
        """Say again, for the new paths of items, what was said about them at the old ones."""
        self._take_in_own(connection)
        self._say_again(connection, _rows(connection, ids))

    def arrived(self, connection: Connection, ids: Iterable[int]) -> list[int]:
        """Give files that came in what was said about them; returns the ids of those that are different."""
        found = connection.execute(
            "SELECT DISTINCT items.id FROM items JOIN marks USING (identity)"
            " WHERE items.id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        return self._derive(connection, [row[0] for row in found])

    def _derive(self, connection: Connection, ids: Iterable[int]) -> list[int]:
        """Write what the marks say into items and labels."""
        changed: list[int] = []
        moved: list[_Row] = []
        for id, identity, path, state in _rows(connection, ids):
            wanted, is_adopted = self._state(connection, identity, path)
            if is_adopted and wanted != State():
                moved.append((id, identity, path, wanted))
            if wanted != state:
                _show(connection, id, wanted)
                changed.append(id)
        self._say_again(connection, moved)
        return changed

    def _say_again(self, connection: Connection, found: Sequence[_Row]) -> None:
        clock = self._clock(connection)
        records = [
            Record(clock + n, state.fields(), identity, path)
            for n, (_id, identity, path, state) in enumerate(found)
            if state != State()
        ]
        if records:
            with suppress(LaternaError):  # the index and the words about the old path still know it
                self._say(connection, records)

    def _state(self, connection: Connection, identity: str, path: str) -> tuple[State, bool]:
        """What the marks say of ``identity`` at ``path``; True where they come from a path that it left."""
        own: dict[str, object] = {}
        others: dict[str, tuple[int, object]] = {}
        there: dict[str, bool] = {}
        for where, field, value, clock in connection.execute(
            "SELECT path, field, value, clock FROM marks WHERE identity = ?", (identity,)
        ):
            if where == path:
                own[field] = json.loads(value)
                continue
            if where not in there:
                there[where] = (self._folder / where).exists()
            if not there[where] and clock > others.get(field, (-1, None))[0]:
                others[field] = (clock, json.loads(value))
        if own or not others:
            return state_of(own), False
        return state_of({field: value for field, (_clock, value) in others.items()}), True

    def _say(self, connection: Connection, records: Sequence[Record]) -> None:
        sidecar = self._sidecar(connection)
        place = sidecar.append(records)
        self._keep(connection, sidecar.writer, records)
        if place.size > COMPACT_BYTES and place.size > _GROWN * int(meta(connection, "compacted") or 0):
            place = sidecar.compact(self._own(connection, sidecar.writer), place)
            set_meta(connection, "compacted", str(place.size))
        _set_place(connection, sidecar.writer, place)

    def _own(self, connection: Connection, writer: str) -> list[Record]:
        """What this index said and still counts."""
        found: dict[tuple[int, str, str], dict[str, bool | int]] = {}
        for identity, path, field, value, clock in connection.execute(
            "SELECT identity, path, field, value, clock FROM marks WHERE writer = ? ORDER BY clock", (writer,)
        ):
            found.setdefault((clock, identity, path), {})[field] = json.loads(value)
        return [Record(clock, said, identity, path) for (clock, identity, path), said in found.items()]

    def _keep(self, connection: Connection, writer: str, records: Iterable[Record]) -> None:
        connection.executemany(
            _UPSERT,
            [
                (record.pixels, record.path, field, json.dumps(value), record.clock, writer)
                for record in records
                for field, value in record.set.items()
            ],
        )

    def _take_in_own(self, connection: Connection) -> None:
        """A kill may have come between the sidecar and the index: what was said then comes first."""
        sidecar = self._sidecar(connection)
        known = _places(connection).get(sidecar.writer, JournalPosition())
        if sidecar.size(sidecar.writer) != known.size:
            self._read(connection, sidecar, sidecar.writer, known)

    def _read(self, connection: Connection, sidecar: Sidecar, writer: str, known: JournalPosition) -> set[str]:
        records, place = sidecar.read(writer, known)
        self._keep(connection, writer, records)
        _set_place(connection, writer, place)
        return {record.pixels for record in records if record.pixels}

    def _replace_lost(self, connection: Connection, sidecar: Sidecar, places: dict[str, JournalPosition]) -> None:
        """Somebody deleted our journal: what the index still knows of it is written again."""
        known = places.get(sidecar.writer, JournalPosition())
        if known.size and not sidecar.size(sidecar.writer) and self._folder.is_dir():
            try:
                place = sidecar.compact(self._own(connection, sidecar.writer), known)
            except LaternaError:
                return
            _set_place(connection, sidecar.writer, place)

    def _export(self, connection: Connection) -> None:
        """Favourites of an index from before there was a sidecar; any later word counts more."""
        if meta(connection, "exported"):
            return
        old = connection.execute("SELECT identity, path FROM items WHERE favourite AND identity != ''").fetchall()
        if old:
            try:
                self._say(connection, [Record(1, {"favourite": True}, identity, path) for identity, path in old])
            except LaternaError:
                return  # the next start tries again
        set_meta(connection, "exported", "1")

    def _differs(self, state: State, said: dict[str, bool | int]) -> bool:
        now: dict[str, object] = dict(state.fields())
        return any(now.get(field, 0) != value for field, value in said.items())

    def _clock(self, connection: Connection) -> int:
        """Milliseconds since the epoch, but always later than anything that was said: clocks jump."""
        last = connection.execute("SELECT max(clock) FROM marks").fetchone()[0] or 0
        return max(int(time.time() * 1000), last + 1)

    def _sidecar(self, connection: Connection) -> Sidecar:
        return Sidecar(self._folder, meta(connection, "writer"))


def albums(connection: Connection) -> list[str]:
    """Every album by name, empty ones too."""
    said = connection.execute(
        "SELECT substr(field, 7) FROM marks WHERE identity = '' AND field LIKE 'album:%' AND value = 'true'"
    )
    used = connection.execute("SELECT DISTINCT name FROM labels WHERE kind = 'album'")
    found = {name.casefold(): name for (name,) in [*said, *used]}
    return [found[key] for key in sorted(found)]


def _rows(connection: Connection, ids: Iterable[int]) -> list[_Row]:
    found = connection.execute(
        "SELECT id, identity, path, favourite, rating, tags, albums FROM items"
        " WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )
    return [
        (id, identity, path, State(bool(favourite), rating, names(tags), names(albums)))
        for id, identity, path, favourite, rating, tags, albums in found
    ]


def _show(connection: Connection, id: int, state: State) -> None:
    connection.execute(
        "UPDATE items SET favourite = ?, rating = ?, tags = ?, albums = ? WHERE id = ?",
        (
            int(state.favourite),
            state.rating,
            json.dumps(state.tags, ensure_ascii=False),
            json.dumps(state.albums, ensure_ascii=False),
            id,
        ),
    )
    connection.execute("DELETE FROM labels WHERE item = ?", (id,))
    labels = [("tag", name, id) for name in state.tags] + [("album", name, id) for name in state.albums]
    connection.executemany("INSERT OR IGNORE INTO labels (kind, name, item) VALUES (?, ?, ?)", labels)


def _canonical(connection: Connection, fields: dict[str, bool | int]) -> dict[str, bool | int]:
    """With the capitals that a tag or album already has."""
    known = albums(connection) if any(field.startswith("album:") for field in fields) else []
    found = {}
    for field, value in fields.items():
        kind, _, name = field.partition(":")
        label: LabelKind = "tag" if kind == "tag" else "album"
        found[f"{kind}:{_known_name(connection, label, name, known)}" if name else field] = value
    return found


def _known_name(connection: Connection, kind: LabelKind, name: str, known_albums: Sequence[str]) -> str:
    row = connection.execute("SELECT name FROM labels WHERE kind = ? AND name = ? LIMIT 1", (kind, name)).fetchone()
    if row is not None:
        return str(row[0])
    same = (album for album in known_albums if kind == "album" and album.casefold() == name.casefold())
    return next(same, name)


def _places(connection: Connection) -> dict[str, JournalPosition]:
    found = connection.execute("SELECT writer, generation, size FROM journals")
    return {writer: JournalPosition(generation, size) for writer, generation, size in found}


def _set_place(connection: Connection, writer: str, place: JournalPosition) -> None:
    connection.execute("INSERT OR REPLACE INTO journals (writer, generation, size) VALUES (?, ?, ?)", (writer, *place))
