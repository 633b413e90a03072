"""Settings in the lowest bit of a picture's pixels, which survive where texts are taken out of files.

The format is that of A1111's extension "stealth pnginfo", which NovelAI took over: column by column, a name of 15
bytes, the length in bits (32, big-endian), then UTF-8, with gzip where the name says "comp"; in the alpha channel, or
three bits a pixel in red, green, blue.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.files import open_regular

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bits = NDArray[np.uint8]

MAX_PIXELS = 64 * 1024 * 1024
MAX_PACKED_BYTES = 4 * 1024 * 1024
MAX_TEXT_BYTES = 8 * 1024 * 1024
_NAME_BYTES = 15
_ALPHA = {b"stealth_pnginfo": False, b"stealth_pngcomp": True}
_COLOURS = {b"stealth_rgbinfo": False, b"stealth_rgbcomp": True}


def hidden_text(path: Path) -> str:
    """What is hidden in a PNG or a WebP without loss; "" where there is nothing, or the picture cannot be decoded."""
    pixels = _pixels(path)
    if pixels is None:
        return ""
    for names, channels in ((_ALPHA, slice(3, 4)), (_COLOURS, slice(0, 3))):
        columns = pixels[..., channels].swapaxes(0, 1)
        if columns.size:
            found = _hidden(columns, names)
            if found:
                return found
    return ""


def _pixels(path: Path) -> NDArray[Any] | None:
    """[height, width, 3 or 4] uint8; None for what has other pixels, is too large, or damaged."""
    import numpy as np
    from PIL import Image

    try:
        with open_regular(path) as file, Image.open(file, formats=["PNG", "WEBP"]) as image:
            if image.mode not in ("RGB", "RGBA") or image.width * image.height > MAX_PIXELS:
                return None
            return np.asarray(image)
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, zlib.error):
        return None
    except Exception as error:  # Pillow's decoders raise struct.error and more of their own for damaged files
        if isinstance(error, MemoryError):
            raise
        return None


def _hidden(columns: NDArray[Any], names: dict[bytes, bool]) -> str:
    """``columns`` are [width, height, channels]; only as many as the text needs are turned into bits."""
    head = _bytes(columns, 0, _NAME_BYTES + 4)
    name, length = head[:_NAME_BYTES], int.from_bytes(head[_NAME_BYTES:], "big") // 8
    if name not in names or not 0 < length <= min(MAX_PACKED_BYTES, columns.size // 8):
        return ""
    body = _bytes(columns, _NAME_BYTES + 4, length)
    if names[name]:
        body = _unpacked(body)
    return body.decode("utf-8", "replace")


def _bytes(columns: NDArray[Any], start: int, count: int) -> bytes:
    """``count`` bytes from the ``start``th on, eight lowest bits each, the highest first."""
    import numpy as np

    each = columns.shape[1] * columns.shape[2]
    first, last = start * 8 // each, -(-(start + count) * 8 // each)
    bits = (columns[first:last] & 1).reshape(-1)[start * 8 - first * each :][: count * 8]
    return np.packbits(bits).tobytes()


def _unpacked(body: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=47)  # gzip or zlib
    try:
        return inflater.decompress(body, MAX_TEXT_BYTES)
    except zlib.error:
        return b""
