"""Small files as other programs write them: pictures with texts, EXIF, XMP or hidden bits, and clips with texts."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

USER_COMMENT, EXIF_FOLDER = 0x9286, 0x8769


def png(texts: Mapping[str, str], zipped: bool = False, size: tuple[int, int] = (8, 8)) -> bytes:
    info = PngInfo()
    for key, text in texts.items():
        info.add_text(key, text, zip=zipped) if text.isascii() else info.add_itxt(key, text, zip=zipped)
    buffer = io.BytesIO()
    Image.new("RGB", size, (90, 60, 30)).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def tiff(comment: bytes, order: str = ">", tags: Mapping[int, bytes] | None = None) -> bytes:
    """An EXIF block in either byte order whose UserComment holds just these bytes; ``tags`` are of the first folder."""
    mark = b"MM\0*" if order == ">" else b"II*\0"
    outer = [(tag, 2, len(value), value) for tag, value in sorted((tags or {}).items())]
    count = len(outer) + 1
    place = 8 + 2 + 12 * count + 4
    entries, rest = b"", b""
    for tag, kind, length, value in outer:
        entries += struct.pack(order + "HHII", tag, kind, length, place + len(rest))
        rest += value + b"\0" * (len(value) % 2)
    entries += struct.pack(order + "HHII", EXIF_FOLDER, 4, 1, place + len(rest))
    start = place + len(rest) + 2 + 12 + 4
    inner = struct.pack(order + "H", 1) + struct.pack(order + "HHII", USER_COMMENT, 7, len(comment), start) + b"\0" * 4
    return (
        mark
        + struct.pack(order + "I", 8)
        + struct.pack(order + "H", count)
        + entries
        + b"\0" * 4
        + rest
        + inner
        + comment
    )


def jpeg(exif: bytes = b"", xmp: str = "") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (90, 60, 30)).save(buffer, "JPEG")
    body = buffer.getvalue()
    parts = [b"Exif\0\0" + exif] if exif else []
    parts += [b"http://ns.adobe.com/xap/1.0/\0" + xmp.encode()] if xmp else []
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part for part in parts)
    return body[:2] + segments + body[2:]


def webp(exif: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (90, 60, 30)).save(buffer, "WEBP", exif=exif)
    return buffer.getvalue()


def stealth(text: str, name: str = "stealth_pngcomp", size: tuple[int, int] = (96, 96), form: str = "PNG") -> bytes:
    """``text`` in the lowest bits, column by column: of alpha, or of red, green and blue."""
    body = gzip.compress(text.encode(), mtime=0) if name.endswith("comp") else text.encode()
    packed = name.encode() + struct.pack(">I", 8 * len(body)) + body
    bits = np.unpackbits(np.frombuffer(packed, np.uint8))
    pixels = np.full((size[0], size[1], 4), 200, np.uint8)  # width first: columns follow each other
    pixels[..., 3] = 254
    place = pixels[..., 3:] if "png" in name else pixels[..., :3]
    flat = place.reshape(-1).copy()
    flat[: len(bits)] = flat[: len(bits)] & 254 | bits
    place[...] = flat.reshape(place.shape)
    image = (
        Image.fromarray(pixels.swapaxes(0, 1).copy())
        if "png" in name
        else Image.fromarray(pixels[..., :3].swapaxes(0, 1).copy())
    )
    buffer = io.BytesIO()
    image.save(buffer, form, **({"lossless": True, "exact": True} if form == "WEBP" else {}))
    return buffer.getvalue()


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def mp4(texts: Mapping[str, str], by_keys: bool = True, brand: bytes = b"isom") -> bytes:
    """An MP4's boxes without pictures: names in ``keys`` as ffmpeg's use_metadata_tags writes them, or iTunes' ©cmt."""
    if by_keys:
        keys = b"".join(box(b"mdta", name.encode()) for name in texts)
        keys = box(b"keys", struct.pack(">II", 0, len(texts)), keys)
        items = [
            box(struct.pack(">I", 1 + place), box(b"data", struct.pack(">II", 1, 0), text.encode()))
            for place, text in enumerate(texts.values())
        ]
        handler = box(b"hdlr", b"\0" * 8 + b"mdta" + b"\0" * 13)
        moov = box(b"moov", box(b"meta", handler, keys, box(b"ilst", *items)))
    else:
        items = [box(b"\xa9cmt", box(b"data", struct.pack(">II", 1, 0), text.encode())) for text in texts.values()]
        handler = box(b"hdlr", b"\0" * 8 + b"mdirappl" + b"\0" * 9)
        moov = box(b"moov", box(b"udta", box(b"meta", b"\0" * 4, handler, box(b"ilst", *items))))
    return box(b"ftyp", brand, b"\0\0\2\0isomiso2") + box(b"mdat", b"\0" * 64) + moov


def _ebml(id: int, body: bytes) -> bytes:
    head = id.to_bytes((id.bit_length() + 7) // 8, "big")
    return head + (len(body) | 1 << 56).to_bytes(8, "big") + body


def webm(texts: Mapping[str, str]) -> bytes:
    """A WebM without pictures: tags after a cluster, as ffmpeg puts them."""
    simple = b"".join(
        _ebml(0x67C8, _ebml(0x45A3, name.upper().encode()) + _ebml(0x4487, text.encode()))
        for name, text in texts.items()
    )
    tags = _ebml(0x1254C367, _ebml(0x7373, _ebml(0x63C0, b"") + simple))
    segment = _ebml(0x1549A966, b"") + _ebml(0x1F43B675, b"\0" * 100) + tags
    return _ebml(0x1A45DFA3, _ebml(0x4282, b"webm")) + _ebml(0x18538067, segment)


def vhs_comment(graph: Any, workflow: Any = None) -> str:
    """What VideoHelperSuite writes as one comment: the graph that ran as a text in JSON, the editor's as it is."""
    found = {"prompt": json.dumps(graph)} | ({"workflow": workflow} if workflow is not None else {})
    return json.dumps(found)


def bomb(length: int) -> bytes:
    """A few kilobytes that gunzip to ``length``."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(b"a" * 1_000_000) for _ in range(length // 1_000_000)) + packer.flush()
