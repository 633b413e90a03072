"""Files and ``Item``s as rows of the ``items`` table."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from engine.files import open_regular
from engine.interop.made_by import NOBODY, made_by
from engine.library.item import Item
from engine.media import metadata
from engine.protocol.derivation import Derivation
from engine.protocol.errors import BadFile, BadRecipe
from engine.protocol.recipe import Recipe

ITEM_COLUMNS = (
    "id, path, kind, width, height, frames, fps, created, size, recipe, favourite, missing, rating, tags, albums,"
    " trashed, trashed_at, derivation, prompt, negative_prompt, program"
)
FILE_COLUMNS = (
    "path, kind, width, height, frames, fps, created, size, modified, recipe, pixels_sha256,"
    " identity, prompt, negative_prompt, model, seed, derivation, program"
)
UPSERT = (
    f"INSERT INTO items ({FILE_COLUMNS}) VALUES ({', '.join('?' * 18)})"
    " ON CONFLICT (path) WHERE trashed IS NULL DO UPDATE SET missing = 0, "
    + ", ".join(f"{name} = excluded.{name}" for name in FILE_COLUMNS.split(", ")[1:])
    + " RETURNING id, kind, created"
)
FileRow = tuple[Any, ...]
PATH, IDENTITY = (FILE_COLUMNS.split(", ").index(name) for name in ("path", "identity"))
_HASHED_END = 1024 * 1024
_BYTES = 0x10FF00


def stored_path(path: Path, folder: Path) -> str:
    """How ``path`` is written in the database: relative, with slashes, where it lies below ``folder``."""
    absolute = Path(os.path.abspath(path))
    try:
        return path_text(absolute.relative_to(folder).as_posix())
    except ValueError:
        return path_text(str(absolute))


def path_text(path: str) -> str:
    """``path`` as text that a database and JSON can hold: bytes that are no UTF-8 (in Python: lone surrogates) become
    characters of the last private plane, which no name holds. ``file_path`` takes it back."""
    return "".join(chr(ord(sign) - 0xDC00 + _BYTES) if 0xDC80 <= ord(sign) <= 0xDCFF else sign for sign in path)


def file_path(stored: str, folder: Path) -> Path:
    """The file that ``stored`` stands for."""
    last = ord(max(stored, default=" "))
    if last >= _BYTES + 0x80:
        stored = "".join(
            chr(ord(sign) - _BYTES + 0xDC00) if _BYTES + 0x80 <= ord(sign) <= _BYTES + 0xFF else sign for sign in stored
        )
    return folder / stored


def read_file(path: Path, folder: Path) -> FileRow:
    """The values of ``UPSERT`` for a PNG or MP4, from its own metadata, Laterna's or another program's; its time is the
    file's. Raises ``BadFile``."""
    info = metadata.read(path)
    try:
        status = path.stat()
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.", "Check your permission.") from error
    is_stranger = info.recipe is None and not info.recipe_problem and info.derivation is None
    other = made_by(path) if is_stranger else NOBODY
    recipe = info.recipe or other.recipe
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
        recipe.prompt if recipe else other.prompt,
        recipe.negative_prompt if recipe else other.negative_prompt,
        recipe.model if recipe else "",
        str(recipe.seed) if recipe else "",
        info.derivation.to_json() if info.derivation else None,
        other.program,
    )


def to_item(row: sqlite3.Row | tuple[Any, ...], folder: Path) -> Item:
    """An ``Item`` from ``ITEM_COLUMNS``; of a deleted one, ``path`` is where it came from and will go back to, and
    ``missing`` says whether the trash was emptied."""
    try:
        return _item(row, folder)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadFile(
            f"A row of the library's index is damaged: {error}.",
            "Run “library rebuild”: it is made anew from your files.",
        ) from error


def _item(row: sqlite3.Row | tuple[Any, ...], folder: Path) -> Item:
    id, path, kind, width, height, frames, fps, created, size, recipe, *marks = row
    favourite, missing, rating, tags, albums, trashed, trashed_at, derivation, *said = marks
    prompt, negative_prompt, program = map(str, said)
    numbers = (width, height, frames, fps, created, size, rating, trashed_at)
    if kind not in metadata.SUFFIXES.values() or not all(isinstance(number, int | float) for number in numbers):
        raise ValueError("its values are of the wrong kind")
    return Item(
        id=id,
        path=file_path(path, folder),
        kind=kind,
        width=width,
        height=height,
        frames=frames,
        fps=fps,
        created=created,
        size=size,
        recipe=_recipe(recipe),
        favourite=bool(favourite),
        missing=bool(missing) if trashed is None else not file_path(trashed, folder).exists(),
        rating=rating,
        tags=names(tags),
        albums=names(albums),
        trashed=None if trashed is None else file_path(trashed, folder),
        deleted=trashed_at,
        derivation=_derivation(derivation),
        prompt=prompt,
        negative_prompt=negative_prompt,
        program=program,
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
