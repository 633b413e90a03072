"""How files from outside are opened: ordinary ones only, and read to a limit. Standard library only.

A pipe or a device has no end, a pipe without a writer no beginning; either would hang what reads it or fill its memory.
Both functions raise ``OSError``, so that whoever says why a file cannot be read says this too.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Literal, cast, overload

_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
MIB = 2**20
TEXT_LIMIT = 64 * MIB  # of JSON and texts that have no limit of their own
PICTURE_LIMIT = 512 * MIB
OWN_LIMIT = 2**40  # of what Laterna itself has just written


@overload
def open_regular(path: Path) -> BufferedReader: ...
@overload
def open_regular(path: Path, *, buffering: Literal[0]) -> FileIO: ...
def open_regular(path: Path, *, buffering: Literal[0, -1] = -1) -> BufferedReader | FileIO:
    """``path`` for reading. Raises ``OSError``: for a folder, a pipe, a socket or a device too, without waiting."""
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "its name holds a zero byte", str(path).replace("\0", "␀"))
    _check(path, os.stat(path).st_mode)  # before opening: to open some devices is to use them
    descriptor = os.open(path, _FLAGS)
    try:
        _check(path, os.fstat(descriptor).st_mode)  # it may have been exchanged in between
        return cast(BufferedReader | FileIO, os.fdopen(descriptor, "rb", buffering=buffering))
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, limit: int) -> bytes:
    """All of ``path``. Raises ``OSError`` as ``open_regular`` does, and where there are more than ``limit`` bytes."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        content = file.read(size + 1) if size <= limit else b""  # never room for more than there is
    if max(size, len(content)) > limit:
        most = f"{limit // MIB} MiB" if limit >= MIB else f"{limit // 1024} KiB"
        raise OSError(errno.EFBIG, f"it is larger than {most}", str(path))
    return content


def check_regular(path: Path) -> None:
    """For readers that open by name themselves. Raises ``OSError``."""
    open_regular(path).close()


def _check(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, "it is a folder", str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is no ordinary file", str(path))
