"""Files and ``Item``s as rows of the ``items`` table."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from engine.files import open_regular
from engine.library.item import Item
from engine.media import metadata
from engine.protocol.derivation import Derivation
from engine.protocol.errors import BadFile, BadRecipe
from engine.protocol.recipe import Recipe

ITEM_COLUMNS = (
    "id, path, kind, width, height, frames, fps, created, size, recipe, favourite, missing, rating, tags, albums,"
    " trashed, trashed_at, derivation"
)
FILE_COLUMNS = (
    "path, kind, width, height, frames, fps, created, size, modified, recipe, pixels_sha256,"
    " identity, prompt, negative_prompt, model, seed, derivation"
)
UPSERT = (
    f"INSERT INTO items ({FILE_COLUMNS}) VALUES ({', '.join('?' * 17)})"
    " ON CONFLICT (path) WHERE trashed IS NULL DO UPDATE SET missing = 0, "
    + ", ".join(f"{name} = excluded.{name}" for name in FILE_COLUMNS.split(", ")[1:])
    + " RETURNING id, kind, created"
)
FileRow = tuple[Any, ...]
PATH, IDENTITY = (FILE_COLUMNS.split(", ").index(name) for name in ("path", "identity"))
_HASHED_END = 1024 * 1024


def stored_path(path: Path, folder: Path) -> str:
    """How ``path`` is written in the database: relative, with slashes, where it lies below ``folder``."""
    absolute = Path(os.path.abspath(path))
    try:
        return absolute.relative_to(folder).as_posix()
    except ValueError:
        return str(absolute)


def read_file(path: Path, folder: Path) -> FileRow:
    """The values of ``UPSERT`` for a PNG or MP4, from its own metadata; its time is the file's. Raises ``BadFile``."""
    info = metadata.read(path)
    try:
        status = path.stat()
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.", "Check your permission.") from error
    recipe = info.recipe
    return (
        stored_path(path, folder),
        info.kind,
        info.width,
        info.height,
        info.frames,
        info.fps,
        status.st_mtime,
        status.st_size,
        status.st_mtime_ns,
        recipe.to_json() if recipe else None,
        info.pixels_sha256,
        info.pixels_sha256 or _file_identity(path, status.st_size),
        recipe.prompt if recipe else "",
        recipe.negative_prompt if recipe else "",
        recipe.model if recipe else "",
        str(recipe.seed) if recipe else "",
        info.derivation.to_json() if info.derivation else None,
    )


def to_item(row: sqlite3.Row | tuple[Any, ...], folder: Path) -> Item:
    """An ``Item`` from ``ITEM_COLUMNS``; of a deleted one, ``path`` is where it came from and will go back to, and
    ``missing`` says whether the trash was emptied."""
    id, path, kind, width, height, frames, fps, created, size, recipe, *marks = row
    favourite, missing, rating, tags, albums, trashed, trashed_at, derivation = marks
    return Item(
        id=id,
        path=folder / path,
        kind=kind,
        width=width,
        height=height,
        frames=frames,
        fps=fps,
        created=created,
        size=size,
        recipe=_recipe(recipe),
        favourite=bool(favourite),
        missing=bool(missing) if trashed is None else not os.path.exists(trashed),
        rating=rating,
        tags=names(tags),
        albums=names(albums),
        trashed=None if trashed is None else Path(trashed),
        deleted=trashed_at,
        derivation=_derivation(derivation),
    )


def names(text: str) -> tuple[str, ...]:
    """The tags or albums of a row."""
    return msgspec.json.decode(text, type=tuple[str, ...]) if len(text) > 2 else ()


def _file_identity(path: Path, size: int) -> str:
    """What a file is recognised by that does not say the hash of its pixels: its length and both its ends."""
    digest = hashlib.sha256(str(size).encode())
    try:
        with open_regular(path) as file:
            digest.update(file.read(_HASHED_END))
            file.seek(max(0, size - _HASHED_END))
            digest.update(file.read(_HASHED_END))
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.", "Check your permission.") from error
    return f"file:{digest.hexdigest()}"


def _recipe(text: str | None) -> Recipe | None:
    if text is None:
        return None
    try:
        return Recipe.from_json(text)
    except BadRecipe:
        return None


def _derivation(text: str | None) -> Derivation | None:
    if text is None:
        return None
    try:
        return Derivation.from_json(text)
    except BadRecipe:
        return None
