"""Texts for other programs put into a PNG that is already there; not a pixel of it is touched."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

from engine.protocol.errors import BadFile

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_END = 8 + 8 + 13 + 4  # signature, then IHDR with its length, name and checksum


def add(png: bytes, texts: Mapping[str, str]) -> bytes:
    """``png`` with each of ``texts`` after its header: tEXt where ASCII holds it: every program reads that."""
    if not png.startswith(_SIGNATURE) or png[12:16] != b"IHDR":
        raise BadFile("This is no PNG.", "Choose a PNG.")
    chunks = b"".join(_chunk(key, text) for key, text in texts.items())
    return png[:_HEADER_END] + chunks + png[_HEADER_END:]


def _chunk(key: str, text: str) -> bytes:
    name = key.encode("latin-1")
    if text.isascii():
        kind, body = b"tEXt", name + b"\0" + text.encode()
    else:
        kind, body = b"iTXt", name + b"\0\0\0\0\0" + text.encode()
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
