"""The texts inside a picture from any program, without decoding it: text chunks and EXIF.

The file may come from anyone: sizes are checked before anything is read, and what is damaged is passed over.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from engine.files import open_regular
from engine.media import pictures
from engine.protocol.errors import BadFile, from_os_error
from engine.texts import text_of, user_comment

MAX_TEXT_BYTES = 8 * 1024 * 1024
MAX_ALL_BYTES = 4 * MAX_TEXT_BYTES  # of all texts of a picture, unpacked
MAX_CHUNKS = 10_000
MAX_SIDE = 65_535
MAX_TAGS = 200
_COMFYUI = re.compile(r"\s*(workflow|prompt):\s*(?=[{\[])", re.IGNORECASE)
_PNG = b"\x89PNG\r\n\x1a\n"
_XMP_JPEG = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_PNG = "XML:com.adobe.xmp"
USER_COMMENT, XP_COMMENT, EXIF_FOLDER = 0x9286, 0x9C9C, 0x8769
_NAMES = {
    USER_COMMENT: "UserComment",
    XP_COMMENT: "XPComment",
    0x927C: "MakerNote",
    0x0131: "Software",
    0x010E: "ImageDescription",
}


def is_png(start: bytes) -> bool:
    return start.startswith(_PNG)


def png_size(start: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG from its first 24 bytes; None for anything else."""
    if not is_png(start) or len(start) < 24 or start[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", start[16:24])
    return (width, height) if 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE else None


def read_texts(path: Path) -> dict[str, str]:
    """Every text by its keyword; EXIF's as ``_NAMES`` has them, ComfyUI's as it names them, ``XMP`` whole.

    Raises ``BadFile`` for a file that is no picture.
    """
    try:
        with open_regular(path) as file:
            start = file.read(pictures.START_BYTES)
            file.seek(0)
            size = os.fstat(file.fileno()).st_size
            if start.startswith(_PNG):
                return _bounded(_png(file, size))
            if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
                return _bounded(_webp(file))
            if start.startswith(b"\xff\xd8\xff"):
                return _bounded(_jpeg(file))
            if pictures.is_picture(start):
                return _bounded(_exif(pictures.exif_of(path)).items())
    except OSError as error:
        raise from_os_error(error, "reading the picture", path) from error
    raise BadFile(f"{path.name} is no picture.", "Choose a picture, or a workflow as JSON.")


def _bounded(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The first text of each name, until there are too many: each of them may have been packed small."""
    texts: dict[str, str] = {}
    room = MAX_ALL_BYTES
    for name, text in found:
        room -= len(text)
        if room < 0:
            break
        texts.setdefault(name, text)
    return texts


def _png(file: BinaryIO, size: int) -> Iterator[tuple[str, str]]:
    file.seek(len(_PNG))
    for _ in range(MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head)
        if file.tell() + length > size or kind == b"IEND":
            return
        if kind not in (b"tEXt", b"zTXt", b"iTXt", b"eXIf") or length > MAX_TEXT_BYTES:
            file.seek(length + 4, os.SEEK_CUR)
            continue
        body = file.read(length)
        file.seek(4, os.SEEK_CUR)
        if kind == b"eXIf":
            yield from _exif(body).items()
            continue
        text = _chunk_text(kind, body)
        if text is not None:
            yield text


def _chunk_text(kind: bytes, body: bytes) -> tuple[str, str] | None:
    keyword, _, rest = body.partition(b"\0")
    name = keyword.decode("latin-1")
    name = "XMP" if name == _XMP_PNG else name
    try:
        if kind == b"tEXt":
            return name, text_of(rest)  # Latin-1 by the standard, but several programs write UTF-8
        if kind == b"zTXt":
            return name, text_of(_inflate(rest[1:]))
        compressed = rest[:1] == b"\1"
        _language, _translated, raw = rest[2:].split(b"\0", 2)
        return name, (_inflate(raw) if compressed else raw).decode("utf-8", "replace")
    except (ValueError, zlib.error):
        return None


def _inflate(raw: bytes) -> bytes:
    inflater = zlib.decompressobj()
    text = inflater.decompress(raw, MAX_TEXT_BYTES)
    if not inflater.eof:
        raise ValueError("too long")
    return text


def _webp(file: BinaryIO) -> Iterator[tuple[str, str]]:
    file.seek(12)
    for _ in range(MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return
        kind, length = struct.unpack("<4sI", head)
        if kind in (b"EXIF", b"XMP ") and length <= MAX_TEXT_BYTES:
            body = file.read(length + (length & 1))[:length]
            if kind == b"XMP ":
                yield "XMP", text_of(body)
            else:
                yield from _exif(body.removeprefix(b"Exif\0\0")).items()
        else:
            file.seek(length + (length & 1), os.SEEK_CUR)


def _jpeg(file: BinaryIO) -> Iterator[tuple[str, str]]:
    """EXIF, XMP and comments: each a segment of at most 64 KiB."""
    file.seek(2)
    for _ in range(MAX_CHUNKS):
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] == 0xDA:
            return
        length = struct.unpack(">H", head[2:])[0] - 2
        body = file.read(max(0, length))
        if head[1] == 0xE1 and body.startswith(b"Exif\0\0"):
            yield from _exif(body[6:]).items()
        elif head[1] == 0xE1 and body.startswith(_XMP_JPEG):
            yield "XMP", text_of(body[len(_XMP_JPEG) :])
        elif head[1] == 0xFE:
            yield "Comment", text_of(body).strip("\0")


def _exif(raw: bytes) -> dict[str, str]:
    """The texts of a TIFF structure. ComfyUI puts ``workflow:{…}`` and ``prompt:{…}`` in tags like Make and Model,
    other nodes of it ``Workflow: {…}`` in theirs."""
    if raw[:4] not in (b"II*\0", b"MM\0*"):
        return {}
    order = "<" if raw[:1] == b"I" else ">"
    texts: dict[str, str] = {}
    room = MAX_TEXT_BYTES  # many tags may point at the same bytes
    try:
        folders = [struct.unpack_from(order + "I", raw, 4)[0]]
        for offset in folders:
            for tag, value in _tags(raw, order, offset):
                if isinstance(value, int):
                    if tag == EXIF_FOLDER and len(folders) < 3:
                        folders.append(value)
                elif len(value) <= room:
                    room -= len(value)
                    _keep(texts, tag, value, order)
    except struct.error:
        pass
    return texts


def _tags(raw: bytes, order: str, offset: int) -> Iterator[tuple[int, bytes | int]]:
    (count,) = struct.unpack_from(order + "H", raw, offset)
    for i in range(min(count, MAX_TAGS)):
        place = offset + 2 + 12 * i
        tag, kind, length, value = struct.unpack_from(order + "HHII", raw, place)
        if tag == EXIF_FOLDER:
            yield tag, value
        elif kind in (1, 2, 7, 129):  # bytes, ASCII, undefined, and Exif 3.0's UTF-8
            start = place + 8 if length <= 4 else value
            yield tag, raw[start : start + length]


def _keep(texts: dict[str, str], tag: int, value: bytes, order: str) -> None:
    text = user_comment(value, order) if tag == USER_COMMENT else text_of(value).strip("\0")
    if tag in _NAMES:
        texts.setdefault(_NAMES[tag], text)
    said = _COMFYUI.match(text)
    if said:
        texts.setdefault(said[1].lower(), text[said.end() :])
