"""Where the pictures and clips lie that generations were given: recipes name them by content, never by their place.

``known.json`` maps a file's SHA-256 to where it was last seen, and is written by whoever gives an input to the engine.
A file that has changed since is not taken. Nothing is copied.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from engine import lenient
from engine.files import MIB, PICTURE_LIMIT, TEXT_LIMIT, open_regular, read_regular
from engine.media import atomic
from engine.protocol.errors import BadRecipe
from engine.protocol.recipe import Recipe

CLIP_LIMIT = 2**40
MOST_KNOWN = 2000


class KnownMedia:
    """``file`` is the table; None keeps none."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def settled(self, recipe: Recipe, beside: Sequence[Path] = ()) -> tuple[Recipe, tuple[Path, ...]]:
        """``recipe`` with the content of each of its inputs, and their files, in their order: among ``beside``, where
        the recipe says, or where a file of this content was seen.

        Raises ``BadRecipe`` where one is not there or cannot be read, or is no longer the one that the recipe names.
        """
        if not recipe.inputs:
            return recipe, ()
        known = self._read()
        found = [_found(one.path, one.sha256, known, beside, PICTURE_LIMIT) for one in recipe.inputs]
        settled = tuple(
            one.replace(sha256=digest, path=str(path)) for one, (path, digest) in zip(recipe.inputs, found, strict=True)
        )
        self._remember(known, ((digest, path) for path, digest in found))
        return recipe.replace(inputs=settled), tuple(path for path, _digest in found)

    def find(self, sha256: str) -> Path | None:
        """A file of this content, if it is still where it was seen."""
        path = self._read().get(sha256)
        with suppress(OSError, ValueError):
            if path is not None and digest_of(Path(path)) == sha256:
                return Path(path)
        return None

    def locate(self, path: str, sha256: str, beside: Sequence[Path] = ()) -> Path:
        """The file of this content: among ``beside``, at ``path``, or where it was seen; without ``sha256`` the one at
        ``path``. Raises ``BadRecipe``."""
        return _found(path, sha256, self._read(), beside, CLIP_LIMIT)[0]

    def remember(self, path: Path, limit: int = PICTURE_LIMIT) -> str:
        """Note where this file lies; its SHA-256. Raises ``OSError``."""
        digest = digest_of(path, limit)
        self._remember(self._read(), ((digest, path),))
        return digest

    def _read(self) -> dict[str, str]:
        with suppress(OSError):
            return lenient.read(read_regular(self._file, TEXT_LIMIT), dict[str, str], {}) if self._file else {}
        return {}

    def _remember(self, known: dict[str, str], found: Iterable[tuple[str, Path]]) -> None:
        """The last seen come last; nothing depends on a table that cannot be written."""
        now = dict(known)
        for digest, path in found:
            now.pop(digest, None)
            now[digest] = str(path.absolute())
        kept = dict(list(now.items())[-MOST_KNOWN:])
        if self._file is not None and kept != known:
            with suppress(OSError):
                atomic.write_bytes(self._file, msgspec.json.encode(kept), durable=False)


def digest_of(path: Path, limit: int = PICTURE_LIMIT) -> str:
    """SHA-256 of an ordinary file. Raises ``OSError``, for one of more than ``limit`` bytes too."""
    hashed, left = hashlib.sha256(), limit
    with open_regular(path) as file:
        while block := file.read(1 << 20):
            hashed.update(block)
            left -= len(block)
            if left < 0:
                raise OSError(errno.EFBIG, f"it is larger than {limit // MIB} MiB", str(path))
    return hashed.hexdigest()


def _found(said: str, sha256: str, known: dict[str, str], beside: Sequence[Path], limit: int) -> tuple[Path, str]:
    """The file that ``said`` (a path or a name) and ``sha256`` mean, and its content's hash."""
    stands, name = Path(said), said.replace("\\", "/").rpartition("/")[2]
    places = [path for path in beside if sha256 or path.name == name]
    places += [stands] if said and (not sha256 or stands.is_absolute()) else []
    places += [Path(known[sha256])] if sha256 in known else []
    changed: Path | None = None
    unread: tuple[Path, str] | None = None
    for path in dict.fromkeys(places):
        try:
            digest = digest_of(path, limit)
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
            unread = path, getattr(error, "strerror", None) or str(error)
            continue
        if sha256 in ("", digest):
            return path, digest
        changed = path
    if changed is not None:
        raise BadRecipe(
            f"{changed} is no longer the picture that the recipe was made with.",
            "Choose the picture again.",
            field="inputs",
        )
    if unread is not None:
        raise BadRecipe(
            f"The picture to start from, {unread[0]}, cannot be read: {unread[1]}.",
            "Choose another picture, or take it out.",
            field="inputs",
        )
    raise BadRecipe(
        f"The picture to start from is not there: {said or sha256[:12]}.",
        "Choose it again, or take it out.",
        field="inputs",
    )
