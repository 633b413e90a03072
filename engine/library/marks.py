"""What a person says about pictures and clips: favourite, rating, tags, albums."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal

import msgspec

from engine.library.changes import LibraryChanged
from engine.protocol.errors import BadArguments

MAX_RATING = 5
MAX_NAME_CHARS = 100
LabelKind = Literal["tag", "album"]
Fields = dict[str, bool | int]
_SPACE = re.compile(r"[\s\x00-\x1f\x7f]+")


class MarkChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """A change to any number of items. None leaves a field as it is; ``rating`` 0 takes it away."""

    favourite: bool | None = None
    rating: int | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    add_albums: tuple[str, ...] = ()
    remove_albums: tuple[str, ...] = ()

    def fields(self) -> Fields:
        """The change as the sidecar writes it: ``favourite``, ``rating``, ``tag:NAME``, ``album:NAME``.

        Raises ``BadArguments`` for a rating out of range, or a name that is empty or too long.
        """
        found: Fields = {}
        if self.favourite is not None:
            found["favourite"] = self.favourite
        if self.rating is not None:
            if not 0 <= self.rating <= MAX_RATING:
                raise BadArguments(f"A rating of {self.rating} does not exist.", f"Take 0 to {MAX_RATING}.")
            found["rating"] = self.rating
        for kind, names, wanted in self._labels():
            found.update({f"{kind}:{clean_name(name)}": wanted for name in names})
        return found

    def _labels(self) -> Iterator[tuple[LabelKind, tuple[str, ...], bool]]:
        yield "tag", self.remove_tags, False
        yield "album", self.remove_albums, False
        yield "tag", self.add_tags, True
        yield "album", self.add_albums, True


def label_change(kind: LabelKind, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> MarkChange:
    """Tags or albums to put on items, or take off."""
    if kind == "tag":
        return MarkChange(add_tags=add, remove_tags=remove)
    return MarkChange(add_albums=add, remove_albums=remove)


Undo = tuple[tuple[int, MarkChange], ...]
AlbumsKept = tuple[tuple[str, bool], ...]


class Marked(msgspec.Struct, frozen=True):
    """What ``Library.take_back`` needs: for each item that is different now the change that makes it as it was, and
    albums that it makes (True) or lets go of."""

    change: LibraryChanged
    undo: Undo = ()
    albums: AlbumsKept = ()

    @property
    def is_any(self) -> bool:
        """Whether there is anything to take back."""
        return bool(self.undo or self.albums)


class State(msgspec.Struct, frozen=True):
    """All that was said about one item."""

    favourite: bool = False
    rating: int = 0
    tags: tuple[str, ...] = ()
    albums: tuple[str, ...] = ()

    def fields(self) -> Fields:
        """As a record of the sidecar that says it all."""
        found: Fields = {"favourite": True} if self.favourite else {}
        if self.rating:
            found["rating"] = self.rating
        found.update({f"tag:{name}": True for name in self.tags})
        found.update({f"album:{name}": True for name in self.albums})
        return found

    def back_from(self, after: State) -> MarkChange:
        """What makes ``after`` this again."""
        return MarkChange(
            favourite=self.favourite if self.favourite != after.favourite else None,
            rating=self.rating if self.rating != after.rating else None,
            add_tags=tuple(name for name in self.tags if name not in after.tags),
            remove_tags=tuple(name for name in after.tags if name not in self.tags),
            add_albums=tuple(name for name in self.albums if name not in after.albums),
            remove_albums=tuple(name for name in after.albums if name not in self.albums),
        )


def state_of(fields: dict[str, object]) -> State:
    """The state that the newest values of all fields make; what is of another kind than it should be is left out."""
    rating = fields.get("rating", 0)

    def names(kind: LabelKind) -> tuple[str, ...]:
        start = f"{kind}:"
        found = {name[len(start) :] for name, value in fields.items() if value is True and name.startswith(start)}
        return tuple(sorted(found, key=str.casefold))

    return State(
        favourite=fields.get("favourite") is True,
        rating=rating if type(rating) is int and 0 <= rating <= MAX_RATING else 0,
        tags=names("tag"),
        albums=names("album"),
    )


def clean_name(name: str) -> str:
    """A tag's or album's name in one spelling: no line breaks, single spaces. Raises ``BadArguments``."""
    clean = _SPACE.sub(" ", unicodedata.normalize("NFC", name)).strip()
    if not clean:
        raise BadArguments("A name is needed.", "Type one or more letters.")
    if len(clean) > MAX_NAME_CHARS:
        raise BadArguments("This name is too long.", f"Take at most {MAX_NAME_CHARS} letters.")
    return clean
