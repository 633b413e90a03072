"""The texts inside an MP4, MOV, WebM or MKV from any program, without decoding it.

Sources: ISO/IEC 14496-12 (boxes), Apple's QuickTime File Format (``keys``, ``ilst``), RFC 8794 and RFC 9559 (EBML,
Matroska tags). The file may come from anyone: nothing is read before its size is known to be small.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from engine.files import open_regular
from engine.media import pictures
from engine.protocol.errors import BadFile, from_os_error
from engine.texts import text_of

MAX_HEAD_BYTES = 32 * 1024 * 1024  # of the part that describes a clip: a long one's index is a few MiB
MAX_TEXT_BYTES = 8 * 1024 * 1024
MAX_PARTS = 100_000
MAX_TEXTS = 1000
MAX_DEPTH = 6
_EBML = b"\x1a\x45\xdf\xa3"
_INSIDE = (b"moov", b"udta", b"meta", b"ilst")
_SEGMENT, _TAGS, _TAG, _SIMPLE, _NAME, _STRING = 0x18538067, 0x1254C367, 0x7373, 0x67C8, 0x45A3, 0x4487
_MASTERS = (_TAGS, _TAG, _SIMPLE)
_ILST_NAMES = {b"\xa9cmt": "comment", b"\xa9des": "description", b"desc": "description", b"\xa9nam": "title"}


def is_clip(start: bytes) -> bool:
    return (start[4:8] == b"ftyp" and not pictures.is_picture(start)) or start.startswith(_EBML)


def read_texts(path: Path) -> dict[str, str]:
    """Every text by its name in small letters. Raises ``BadFile`` where there is no clip."""
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            start = file.read(12)
            file.seek(0)
            if start[4:8] == b"ftyp":
                return dict(list(_first_of_each(_boxes(file, size)))[:MAX_TEXTS])
            if start.startswith(_EBML):
                return dict(list(_first_of_each(_matroska(file, size)))[:MAX_TEXTS])
    except OSError as error:
        raise from_os_error(error, "reading the clip", path) from error
    except (struct.error, RecursionError) as error:
        raise BadFile(f"{path.name} is damaged.", "Get a fresh copy of it.") from error
    raise BadFile(f"{path.name} is no MP4 or WebM.", "Choose a clip as it was saved.")


def _first_of_each(found: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    names: set[str] = set()
    room = 2 * MAX_TEXT_BYTES
    for name, text in found:
        room -= len(text)
        if room < 0:
            return
        if name not in names:
            names.add(name)
            yield name, text


# --- MP4


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[str, str]]:
    """The texts of ``moov``, wherever among the file's boxes it is."""
    place = 0
    for _ in range(MAX_PARTS):
        if place + 8 > size:
            return
        file.seek(place)
        head = file.read(16)
        length, kind = struct.unpack(">I4s", head[:8])
        start = 8
        if length == 1 and len(head) == 16:
            length, start = struct.unpack(">Q", head[8:])[0], 16
        elif length == 0:
            length = size - place
        if length < start:
            return
        if kind in (b"moov", b"udta", b"meta") and length - start <= MAX_HEAD_BYTES:
            file.seek(place + start)
            body = file.read(length - start)
            yield from _inside(memoryview(body), kind, 0)
        place += length


def _children(body: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    place = 0
    for _ in range(MAX_PARTS):
        if place + 8 > len(body):
            return
        length, kind = struct.unpack_from(">I4s", body, place)
        length = length or len(body) - place
        if length < 8:
            return
        yield kind, body[place + 8 : place + length]
        place += length


def _inside(body: memoryview, kind: bytes, depth: int) -> Iterator[tuple[str, str]]:
    if depth > MAX_DEPTH:
        return
    if kind == b"meta" and bytes(body[4:8]) != b"hdlr" and bytes(body[:4]) == b"\0\0\0\0":
        body = body[4:]  # version and flags, which QuickTime leaves out
    keys: list[str] = []
    for child, content in _children(body):
        if child == b"keys":
            keys = _keys(content)
        elif child == b"ilst":
            yield from _items(content, keys)
        elif child in _INSIDE:
            yield from _inside(content, child, depth + 1)
        elif kind == b"udta" and child in _ILST_NAMES and len(content) > 4:  # length and language, then the text
            yield _ILST_NAMES[child], text_of(bytes(content[4 : 4 + MAX_TEXT_BYTES])).strip("\0")


def _keys(body: memoryview) -> list[str]:
    """Names by their place, counted from 1."""
    return [text_of(bytes(name[:200])) for _, name in _children(body[8:])][:MAX_TEXTS]


def _items(body: memoryview, keys: list[str]) -> Iterator[tuple[str, str]]:
    for kind, content in _children(body):
        number = int.from_bytes(kind, "big")
        name = _ILST_NAMES.get(kind) or (keys[number - 1] if 0 < number <= len(keys) else "")
        for child, value in _children(content):
            if child == b"name" and not name:
                name = text_of(bytes(value[4:204]))
            if child == b"data" and name and 8 <= len(value) <= MAX_TEXT_BYTES:
                yield name.lower(), text_of(bytes(value[8:])).strip("\0")


# --- Matroska


def _matroska(file: BinaryIO, size: int) -> Iterator[tuple[str, str]]:
    """The segment's tags; its clusters are passed over by their sizes."""
    place = 0
    for _ in range(MAX_PARTS):
        if place >= size:
            return
        file.seek(place)
        head = file.read(12)
        found = _element(head)
        if found is None:
            return
        kind, start, length = found
        if kind == _SEGMENT:
            place += start
            continue
        if length is None:
            return  # a recording that was never finished: its tags would come after its end
        if kind == _TAGS and length <= MAX_TEXT_BYTES:
            file.seek(place + start)
            yield from _tags(file.read(length))
        place += start + length


def _element(head: bytes) -> tuple[int, int, int | None] | None:
    """Id, length of the head, and length of the body, None where that is left open."""
    if not head:
        return None
    id_length = 9 - head[0].bit_length() if head[0] else 9
    if id_length > 4 or len(head) <= id_length:
        return None
    first = head[id_length]
    size_length = 9 - first.bit_length() if first else 9
    if size_length > 8 or len(head) < id_length + size_length:
        return None
    value = int.from_bytes(head[id_length : id_length + size_length], "big") & ((1 << 7 * size_length) - 1)
    is_open = value == (1 << 7 * size_length) - 1
    return int.from_bytes(head[:id_length], "big"), id_length + size_length, None if is_open else value


def _tags(body: bytes) -> Iterator[tuple[str, str]]:
    """Names and strings follow each other within their tags, however deep these are."""
    name, place = "", 0
    for _ in range(MAX_PARTS):
        found = _element(body[place : place + 12])
        if found is None:
            return
        kind, start, length = found
        place += start
        if kind in _MASTERS:
            continue
        end = place + (length or 0)
        if kind == _NAME:
            name = text_of(body[place : min(end, place + 200)]).lower()
        elif kind == _STRING and name:
            yield name, text_of(body[place:end]).strip("\0")
        place = end
