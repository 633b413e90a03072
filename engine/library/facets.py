"""What the library can be narrowed to, with how many there are; and what was made from the same prompt."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from sqlite3 import Connection

import msgspec

from engine.library.marking import albums

Counted = tuple[tuple[str, int], ...]


class Facets(msgspec.Struct, frozen=True):
    """Names with the number of items, in alphabetical order; albums that are empty too."""

    models: Counted = ()
    tags: Counted = ()
    albums: Counted = ()


class Stacks(msgspec.Struct, frozen=True):
    """``ids`` are the newest of each prompt, newest first; ``counts`` says how many there are, where more than one."""

    ids: array[int]
    counts: dict[int, int]


def facets(connection: Connection) -> Facets:
    models = connection.execute(
        "SELECT model, count(*) FROM items WHERE trashed IS NULL AND model != '' GROUP BY model ORDER BY model"
    ).fetchall()
    labels: dict[str, list[tuple[str, int]]] = {"tag": [], "album": []}
    for kind, name, count in connection.execute(
        "SELECT labels.kind, labels.name, count(*) FROM labels JOIN items ON items.id = item"
        " WHERE trashed IS NULL GROUP BY labels.kind, labels.name"
    ):
        labels.setdefault(kind, []).append((name, count))
    filled = {name.casefold() for name, _count in labels["album"]}
    labels["album"] += [(name, 0) for name in albums(connection) if name.casefold() not in filled]
    return Facets(tuple(models), _sorted(labels["tag"]), _sorted(labels["album"]))


def stack(connection: Connection, ids: array[int]) -> Stacks:
    """``ids`` newest first, only the first of each prompt; files without a recipe stand alone."""
    prompts = dict(connection.execute("SELECT id, prompt FROM items WHERE trashed IS NULL AND recipe IS NOT NULL"))
    newest: dict[str, int] = {}
    counts: dict[int, int] = {}
    shown = array("q")
    for id in ids:
        prompt = prompts.get(id)
        first = newest.setdefault(prompt, id) if prompt is not None else id
        if first == id:
            shown.append(id)
        counts[first] = counts.get(first, 0) + 1
    return Stacks(shown, {id: count for id, count in counts.items() if count > 1})


def _sorted(names: Iterable[tuple[str, int]]) -> Counted:
    return tuple(sorted(names, key=lambda entry: entry[0].casefold()))
