"""Whole files or none: write beside the target, fsync, rename, fsync the folder."""

from __future__ import annotations

import errno
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TEMPORARY_PREFIX = ".laterna-"
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL)


@contextmanager
def replacing(path: Path, *, durable: bool = True, new: bool = False) -> Iterator[Path]:
    """Give a temporary path in ``path``'s folder (made if missing); on success it takes ``path``'s place.

    With ``new`` no file is ever replaced: ``FileExistsError`` where another took the name meanwhile.
    ``durable`` waits until the file has reached the disk; caches need not. Whatever fails, the temporary file is
    removed and ``path`` is as it was. Raises ``OSError`` of the file system.
    """
    _make_folder(path.parent)
    temporary = path.parent / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}{path.suffix}"
    try:
        yield temporary
        if durable:
            _sync_file(temporary)
        if new:
            move_new(temporary, [path])
        else:
            os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    if durable:
        sync_folder(path.parent)


def _make_folder(folder: Path) -> None:
    """``FileExistsError`` says of a name that it is taken, and whoever hears it tries the next; a file or a broken link
    where the folder should be is in the way of every name."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error


def move_new(source: Path, targets: Iterable[Path]) -> Path:
    """Move ``source`` to the first of ``targets``, on the same disk, whose name nobody has: one name goes to one
    writer, however many ask for it at once, and no file is replaced. Returns that name.

    Raises ``FileExistsError`` where all are taken, and ``OSError``.
    """
    for target in targets:
        with suppress(FileExistsError):
            _move_new(source, target)
            return target
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(source))


def _move_new(source: Path, target: Path) -> None:
    if sys.platform == "win32":
        os.rename(source, target)  # it refuses a name that is taken
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A disk without links (FAT, some shares): the name is taken by an empty file, which the real one then replaces.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        try:
            os.replace(source, target)
        except OSError:
            os.unlink(target)
            raise
        return
    os.unlink(source)


def write_bytes(path: Path, data: bytes, *, durable: bool = True, new: bool = False) -> None:
    """Write ``data`` to ``path`` as a whole; ``new`` as in ``replacing``. Raises ``OSError``."""
    with replacing(path, durable=durable, new=new) as temporary, temporary.open("xb") as file:
        file.write(data)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the rename durable; Windows and some network file systems cannot, and need not."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
