"""The texts inside a PNG, WebP or JPEG from any program, without decoding it: text chunks and EXIF.

The file may come from anyone: sizes are checked before anything is read, and what is damaged is passed over.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from engine.files import open_regular
from engine.protocol.errors import BadFile, from_os_error

MAX_TEXT_BYTES = 8 * 1024 * 1024
MAX_CHUNKS = 10_000
MAX_TAGS = 200
_PNG = b"\x89PNG\r\n\x1a\n"
USER_COMMENT, MAKER_NOTE, SOFTWARE, EXIF_FOLDER = 0x9286, 0x927C, 0x0131, 0x8769
_NAMES = {USER_COMMENT: "UserComment", MAKER_NOTE: "MakerNote", SOFTWARE: "Software"}


def is_picture(start: bytes) -> bool:
    return start.startswith((_PNG, b"\xff\xd8\xff")) or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")


def is_png(start: bytes) -> bool:
    return start.startswith(_PNG)


def read_texts(path: Path) -> dict[str, str]:
    """Every text by its keyword; EXIF's as ``UserComment``, ``MakerNote``, ``Software``, ComfyUI's as it names them.

    Raises ``BadFile`` for a file that is none of the three.
    """
    try:
        with open_regular(path) as file:
            start = file.read(12)
            file.seek(0)
            size = os.fstat(file.fileno()).st_size
            if start.startswith(_PNG):
                return dict(_png(file, size))
            if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
                return _exif(_webp_exif(file))
            if start.startswith(b"\xff\xd8\xff"):
                return _exif(_jpeg_exif(file))
    except OSError as error:
        raise from_os_error(error, "reading the picture", path) from error
    raise BadFile(f"{path.name} is no PNG, WebP or JPEG.", "Choose a picture, or a workflow as JSON.")


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
    try:
        if kind == b"tEXt":
            return name, _decode(rest)
        if kind == b"zTXt":
            return name, _decode(_inflate(rest[1:]))
        compressed = rest[:1] == b"\1"
        _language, _translated, raw = rest[2:].split(b"\0", 2)
        return name, (_inflate(raw) if compressed else raw).decode("utf-8", "replace")
    except (ValueError, zlib.error):
        return None


def _decode(raw: bytes) -> str:
    """Latin-1 by the standard, but several programs write UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _inflate(raw: bytes) -> bytes:
    inflater = zlib.decompressobj()
    text = inflater.decompress(raw, MAX_TEXT_BYTES)
    if not inflater.eof:
        raise ValueError("too long")
    return text


def _webp_exif(file: BinaryIO) -> bytes:
    file.seek(12)
    for _ in range(MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            break
        kind, length = struct.unpack("<4sI", head)
        if kind == b"EXIF":
            return file.read(min(length, MAX_TEXT_BYTES)).removeprefix(b"Exif\0\0")
        file.seek(length + (length & 1), os.SEEK_CUR)
    return b""


def _jpeg_exif(file: BinaryIO) -> bytes:
    file.seek(2)
    for _ in range(MAX_CHUNKS):
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] == 0xDA:
            break
        length = struct.unpack(">H", head[2:])[0] - 2
        body = file.read(max(0, length))
        if head[1] == 0xE1 and body.startswith(b"Exif\0\0"):
            return body[6:]
    return b""


def _exif(raw: bytes) -> dict[str, str]:
    """The texts of a TIFF structure. ComfyUI puts ``workflow:{…}`` and ``prompt:{…}`` in tags like Make and Model."""
    if raw[:4] not in (b"II*\0", b"MM\0*"):
        return {}
    order = "<" if raw[:1] == b"I" else ">"
    texts: dict[str, str] = {}
    try:
        folders = [struct.unpack_from(order + "I", raw, 4)[0]]
        for offset in folders:
            for tag, value in _tags(raw, order, offset):
                if tag == EXIF_FOLDER and isinstance(value, int) and len(folders) < 3:
                    folders.append(value)
                elif isinstance(value, bytes):
                    _keep(texts, tag, value)
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
        elif kind in (1, 2, 7):
            start = place + 8 if length <= 4 else value
            yield tag, raw[start : start + length]


def _keep(texts: dict[str, str], tag: int, value: bytes) -> None:
    if tag == USER_COMMENT:
        code, body = value[:8], value[8:]
        if code == b"UNICODE\0":
            little = body[:2] == b"\xff\xfe" or body[1:2] == b"\0"
            texts["UserComment"] = body.decode("utf-16-le" if little else "utf-16-be", "replace").strip("\ufeff\0")
        else:
            known = code in (b"ASCII\0\0\0", b"\0" * 8)
            texts["UserComment"] = _decode(body if known else value).strip("\0")
        return
    text = _decode(value).strip("\0")
    if tag in _NAMES:
        texts[_NAMES[tag]] = text
    for name in ("workflow", "prompt"):
        if text.startswith(name + ":"):
            texts[name] = text[len(name) + 1 :]
