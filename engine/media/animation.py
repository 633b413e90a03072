"""The recipe in a GIF's comment and in an animated WebP's XMP. The files may come from anyone: nothing is decoded,
every size is bounded, and what makes no sense is passed over."""

from __future__ import annotations

import html
import os
import struct
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import quoteattr

from engine.files import open_regular
from engine.media import tags
from engine.protocol.errors import BadFile, from_os_error

MAX_TEXT_BYTES = 4 * 1024 * 1024
MAX_CHUNKS = 10_000
_GIF = (b"GIF87a", b"GIF89a")
_NAMESPACE = "https://laterna.invalid/xmp/1/"
_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:laterna="{namespace}" {name}={recipe}/></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""
_NAME = tags.RECIPE.replace(".", ":")


def comment_of(recipe: str) -> bytes:
    """What a GIF's comment says."""
    return recipe.encode()


def xmp_of(recipe: str) -> bytes:
    """What a WebP's XMP says: the recipe as one property."""
    quoted = quoteattr(recipe, {'"': "&quot;"})
    return _XMP.format(namespace=_NAMESPACE, name=_NAME, recipe=quoted).encode()


def is_animation(start: bytes) -> bool:
    """By a file's first twelve bytes: a GIF or a WebP, moving or not."""
    return start[:6] in _GIF or _is_webp(start)


def read_recipe(path: Path) -> str:
    """The text of the recipe in a GIF or WebP; empty where there is none.

    Raises ``BadFile`` for a file that is neither, ``NotWritable`` and the like where it cannot be read.
    """
    try:
        with open_regular(path) as file:
            start = file.read(12)
            if start[:6] in _GIF:
                file.seek(6)
                text = _gif_comment(file)
                return text if text.lstrip().startswith("{") else ""
            if _is_webp(start):
                return _property(_webp_xmp(file, os.fstat(file.fileno()).st_size))
    except OSError as error:
        raise from_os_error(error, "reading the picture", path) from error
    raise BadFile(f"{path.name} is neither a GIF nor a WebP.", "Choose a file that Laterna made.")


def _is_webp(start: bytes) -> bool:
    return start[:4] == b"RIFF" and start[8:12] == b"WEBP"


def _gif_comment(file: BinaryIO) -> str:
    """The comments before the first frame."""
    screen = file.read(7)
    if len(screen) < 7:
        return ""
    if screen[4] & 0x80:
        file.seek(3 << ((screen[4] & 7) + 1), os.SEEK_CUR)
    found = bytearray()
    for _ in range(MAX_CHUNKS):
        head = file.read(2)
        if len(head) < 2 or head[0] != 0x21:  # a frame, the end, or nonsense
            break
        is_comment = head[1] == 0xFE
        while (size := file.read(1)) and size[0]:
            body = file.read(size[0])
            if is_comment:
                found += body
            if len(found) > MAX_TEXT_BYTES:
                return ""
    return found.decode("utf-8", "replace")


def _webp_xmp(file: BinaryIO, size: int) -> str:
    for _ in range(MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            break
        kind, length = struct.unpack("<4sI", head)
        if file.tell() + length > size:
            break
        if kind == b"XMP ":
            return file.read(length).decode("utf-8", "replace") if length <= MAX_TEXT_BYTES else ""
        file.seek(length + (length & 1), os.SEEK_CUR)
    return ""


def _property(xmp: str) -> str:
    """The recipe as attribute or as element: tools that write XMP anew choose. Looked for as text, since an XML parser
    would do more than that with a stranger's file."""
    for start, end in ((f'{_NAME}="', '"'), (f"{_NAME}='", "'"), (f"<{_NAME}>", f"</{_NAME}>")):
        begin = xmp.find(start)
        if begin >= 0:
            stop = xmp.find(end, begin + len(start))
            return html.unescape(xmp[begin + len(start) : stop]) if stop >= 0 else ""
    return ""
