"""Styles: templates around a prompt. Those that ship are in ``resources/styles``, a person's own in their folder.

A style is a JSON file whose name is its id: ``{"name": "Photo", "prompt": "photo of {prompt}, …", "negative": "…"}``.
A style of the person's with the id of one that ships takes its place.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from engine.files import TEXT_LIMIT, read_regular
from engine.library.naming import slug
from engine.media import atomic
from engine.protocol.errors import BadFile, from_os_error
from engine.texts import text_of

PLACE = "{prompt}"
MAX_BYTES = 100_000
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class Style(msgspec.Struct, frozen=True, omit_defaults=True):
    """``prompt`` holds ``{prompt}`` once; without it the person's words go before. ``negative`` goes behind theirs.

    ``own`` styles can be changed and removed.
    """

    name: str
    prompt: str
    negative: str = ""
    order: int = 1000
    id: str = ""
    own: bool = False

    def apply(self, prompt: str, negative: str) -> tuple[str, str]:
        """Both texts in this style. An empty prompt leaves no stray comma behind."""
        words = prompt.strip().rstrip(",")
        if PLACE in self.prompt:
            text = self.prompt.replace(PLACE, words)
        else:
            text = ", ".join(part for part in (words, self.prompt.strip()) if part)
        joined = ", ".join(part for part in (negative.strip().rstrip(","), self.negative.strip()) if part)
        return re.sub(r"^[\s,]+", "", text), joined


class StyleStore:
    """Reads both folders; writes to ``own`` only. Call it from a thread: it opens files."""

    def __init__(self, shipped: Path, own: Path) -> None:
        self._shipped = shipped
        self.own = own

    def all(self) -> list[Style]:
        """Every readable style, those that ship in their order, then the person's by name."""
        found = {style.id: style for style in _read_folder(self._shipped, own=False)}
        found |= {style.id: style for style in _read_folder(self.own, own=True)}
        return sorted(found.values(), key=lambda style: (style.order, style.name.casefold(), style.id))

    def save(self, style: Style) -> Style:
        """Write a style of the person's; a new one gets an id from its name. Raises ``NoSpace`` or ``NotWritable``."""
        id = style.id or self._free_id(slug(style.name))
        if not _ID.fullmatch(id):
            raise BadFile(f"“{id}” cannot be the name of a style.", "Choose letters and digits.")
        saved = msgspec.structs.replace(style, id=id, own=True)
        path = self.own / f"{id}.json"
        raw = msgspec.json.encode({"name": saved.name, "prompt": saved.prompt, "negative": saved.negative})
        try:
            self.own.mkdir(parents=True, exist_ok=True)
            atomic.write_bytes(path, msgspec.json.format(raw, indent=1) + b"\n")
        except OSError as error:
            raise from_os_error(error, "saving the style", path) from error
        return saved

    def remove(self, id: str) -> None:
        """Remove a style of the person's; one that ships under the same id shows again."""
        try:
            (self.own / f"{id}.json").unlink(missing_ok=True)
        except OSError as error:
            raise from_os_error(error, "removing the style", self.own) from error

    def _free_id(self, wanted: str) -> str:
        taken = {style.id for style in self.all()}
        number, id = 2, wanted
        while id in taken:
            id, number = f"{wanted}-{number}", number + 1
        return id


def _read_folder(folder: Path, *, own: bool) -> list[Style]:
    """The styles of a folder; files that are none are passed over."""
    found = []
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            if not _ID.fullmatch(path.stem) or path.stat().st_size > MAX_BYTES:
                continue
            style = msgspec.json.decode(text_of(read_regular(path, TEXT_LIMIT)), type=Style)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        found.append(msgspec.structs.replace(style, id=path.stem, own=own, order=1000 if own else style.order))
    return found
