"""What the library is narrowed to besides words: kind, model, date, favourite, rating, album, tag, one prompt."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["image", "video"]


class Condition(msgspec.Struct, frozen=True):
    """A test on a row of ``items`` in SQL with its values. ``marks``: whether it follows what a person said."""

    sql: str
    values: tuple[str | float | int, ...] = ()
    marks: bool = False


Conditions = tuple[Condition, ...]


class Filter(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an item must be to be shown; the defaults let everything through.

    ``since`` and ``until`` are seconds since the epoch, ``until`` excluded. ``prompt`` is a whole prompt. ``rating`` is
    the least rating; −1 asks for what has none. ``deleted`` asks for what lies in the trash instead.
    """

    kind: Kind | None = None
    favourite: bool | None = None
    model: str = ""
    rating: int = 0
    album: str = ""
    tag: str = ""
    since: float | None = None
    until: float | None = None
    prompt: str | None = None
    deleted: bool = False

    def conditions(self) -> Conditions:
        found = []
        if self.kind is not None:
            found.append(Condition("kind = ?", (self.kind,)))
        if self.favourite is not None:
            found.append(Condition("favourite = ?", (int(self.favourite),), marks=True))
        if self.model:
            found.append(Condition("model = ?", (self.model,)))
        if self.rating:
            found.append(rated(self.rating, MOST) if self.rating > 0 else rated(0, 0))
        found.extend(labelled(kind, name) for kind, name in (("album", self.album), ("tag", self.tag)) if name)
        if self.since is not None or self.until is not None:
            found.append(created(self.since, self.until))
        if self.prompt is not None:
            found.append(Condition("prompt = ?", (self.prompt,)))
        return tuple(found)


MOST = 5
EVERYTHING = Filter()


def rated(least: int, most: int) -> Condition:
    return Condition("rating BETWEEN ? AND ?", (least, most), marks=True)


def labelled(kind: str, name: str, *, prefix: bool = False) -> Condition:
    """Has the tag or album ``name``, or one that begins so; capitals make no difference."""
    sql = "id IN (SELECT item FROM labels WHERE kind = ? AND "
    if prefix:
        return Condition(sql + "name >= ? AND name < ?)", (kind, name, name + "\U0010ffff"), marks=True)
    return Condition(sql + "name = ?)", (kind, name), marks=True)


def created(since: float | None, until: float | None) -> Condition:
    if since is None:
        return Condition("created < ?", (until or 0.0,))
    if until is None:
        return Condition("created >= ?", (since,))
    return Condition("created >= ? AND created < ?", (since, until))


def negated(condition: Condition) -> Condition:
    return Condition(f"NOT ({condition.sql})", condition.values, condition.marks)
