"""Small JPEGs for tests. Not written through Qt: a QBuffer made in Python may lock up with a decoding thread."""

from __future__ import annotations

import io

from PIL import Image


def jpeg(*colors: str, width: int = 40, height: int = 20) -> bytes:
    """One plain picture for each colour, side by side."""
    whole = Image.new("RGB", (width * len(colors), height))
    for place, color in enumerate(colors):
        whole.paste(Image.new("RGB", (width, height), color), (place * width, 0))
    buffer = io.BytesIO()
    whole.save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()
