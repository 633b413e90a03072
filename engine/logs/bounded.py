"""Log files that stay within a bound, also those that another process writes."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from engine.files import open_regular

LIMIT = 4 * 1024 * 1024
_BLOCK = 1024 * 1024


def tail(path: Path, size: int) -> str:
    """The last ``size`` bytes of a text file, from the beginning of a line; "" where it cannot be read."""
    try:
        with open_regular(path) as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - size))
            data = file.read(size)
    except OSError:
        return ""
    if end > size:
        data = data[data.find(b"\n") + 1 :]
    return data.decode("utf-8", "replace")


def trim(path: Path, limit: int = LIMIT) -> bool:
    """Move what is in ``path`` to ``NAME.1.log`` beside it once it is larger than ``limit`` bytes, and empty it.

    The process that writes it goes on with the same open file, which must have been opened for appending; what it
    writes at this very moment may be lost. Returns whether it was done.
    """
    with suppress(OSError):
        if path.stat().st_size <= limit:
            return False
        with open_regular(path) as source, path.with_suffix(".1.log").open("wb") as target:
            source.seek(max(0, source.seek(0, os.SEEK_END) - limit))
            while block := source.read(_BLOCK):
                target.write(block)
        os.truncate(path, 0)
        return True
    return False
