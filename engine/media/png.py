"""PNG with the recipe in iTXt chunks. Reading walks the chunks itself: nothing is decoded, every size is bounded."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Mapping
from typing import BinaryIO

from engine.media.pixels import Pixels
from engine.protocol.errors import BadFile

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_SIDE = 65_535
MAX_TEXT_BYTES = 4 * 1024 * 1024
MAX_CHUNKS = 100_000
_COMPRESS_LEVEL = 4


def encode(array: Pixels, texts: Mapping[str, str], for_others: Mapping[str, str] | None = None) -> bytes:
    """A PNG of ``array`` ([H, W, 3] uint8 RGB) with each of ``texts`` as an iTXt chunk before the pixels.

    ``for_others`` are texts that other programs look for: tEXt where ASCII holds them, which every program reads.
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    for key, text in texts.items():
        info.add_itxt(key, text)
    for key, text in (for_others or {}).items():
        if text.isascii():
            info.add_text(key, text)
        else:
            info.add_itxt(key, text)
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG", pnginfo=info, compress_level=_COMPRESS_LEVEL)
    return buffer.getvalue()


def read_header(file: BinaryIO) -> tuple[int, int, dict[str, str]]:
    """Width, height and the iTXt texts of a PNG. Raises ``BadFile``; no more than a few MiB are ever held.

    The checksum of every chunk but the pixels' is verified; the pixels' chunks must be there in full.
    """
    size = os.fstat(file.fileno()).st_size
    if file.read(len(SIGNATURE)) != SIGNATURE:
        raise _damaged("it does not begin as a PNG")
    width = height = 0
    texts: dict[str, str] = {}
    for count in range(MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            raise _damaged("it ends too early")
        length, kind = struct.unpack(">I4s", head)
        if file.tell() + length + 4 > size:
            raise _damaged("it ends too early")
        if (count == 0) != (kind == b"IHDR"):
            raise _damaged("its header is not in place")
        if kind == b"IEND":
            return width, height, texts
        if kind not in (b"IHDR", b"iTXt") or length > MAX_TEXT_BYTES:
            file.seek(length + 4, os.SEEK_CUR)
            continue
        body = file.read(length)
        if zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(file.read(4), "big"):
            raise _damaged("a checksum does not match")
        if kind == b"IHDR":
            width, height = _dimensions(body)
        else:
            _read_text(body, texts)
    raise _damaged("it has too many chunks")


def _dimensions(body: bytes) -> tuple[int, int]:
    if len(body) != 13:
        raise _damaged("its header has the wrong length")
    width, height = struct.unpack(">II", body[:8])
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise _damaged(f"a size of {width} × {height} is impossible")
    return width, height


def _read_text(body: bytes, texts: dict[str, str]) -> None:
    """Keep an iTXt chunk (keyword, compression flag and method, language, translated keyword, text), if it is sound."""
    try:
        keyword, rest = body.split(b"\0", 1)
        compressed, method, rest = rest[0], rest[1], rest[2:]
        _language, _translated, raw = rest.split(b"\0", 2)
        if compressed:
            if method != 0:
                return
            inflater = zlib.decompressobj()
            raw = inflater.decompress(raw, MAX_TEXT_BYTES)
            if not inflater.eof:
                return
        texts.setdefault(keyword.decode("latin-1"), raw.decode())
    except (ValueError, IndexError, zlib.error):
        return


def _damaged(why: str) -> BadFile:
    return BadFile(f"This PNG is damaged: {why}.", "Choose another file, or get a fresh copy of it.")
