"""SHA-256 of files: of a whole one, and of one that is still being written."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

from engine.files import open_regular

BLOCK = 256 * 1024  # stays in the processor's cache between reading and hashing
GIT_BYTES = 64 * 1024 * 1024  # git's name is asked for small files only


class FileHasher:
    """Hashes a file from its start: blocks as they are written, and what was written before by reading it back.

    ``git_oid`` is git's name of the same content. May be used from several threads.
    """

    def __init__(self, path: Path, size: int) -> None:
        self._file = open_regular(path, buffering=0)
        self._sha256 = hashlib.sha256()
        self._git = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False) if size < GIT_BYTES else None
        self._block = memoryview(bytearray(BLOCK))
        self._lock = threading.Lock()
        self.hashed = 0

    def feed(self, position: int, block: bytes) -> None:
        """Hash ``block``, which is being written at ``position``, if that is where the hash stands; else do nothing."""
        if position == self.hashed and self._lock.acquire(blocking=False):
            try:
                if position == self.hashed:
                    self._update(block)
            finally:
                self._lock.release()

    def advance(self, to: int, stop: Callable[[], None] = lambda: None) -> None:
        """Read back and hash up to the byte ``to``; ``stop`` is called for each block and may raise. Raises OSError."""
        with self._lock:
            self._file.seek(self.hashed)
            while self.hashed < to:
                stop()
                count = self._file.readinto(self._block[: min(BLOCK, to - self.hashed)])
                if not count:
                    return
                self._update(self._block[:count])

    def _update(self, block: bytes | memoryview) -> None:
        self._sha256.update(block)
        if self._git is not None:
            self._git.update(block)
        self.hashed += len(block)

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    @property
    def git_oid(self) -> str:
        return self._git.hexdigest() if self._git is not None else ""

    def close(self) -> None:
        self._file.close()


def hash_file(path: Path, progress: Callable[[int], None] = lambda count: None) -> tuple[str, int]:
    """SHA-256 and size of ``path``; ``progress`` gets the bytes of each block and may raise. Raises ``OSError``."""
    digest = hashlib.sha256()
    block = memoryview(bytearray(BLOCK))
    size = 0
    with open_regular(path, buffering=0) as file:
        while count := file.readinto(block):
            digest.update(block[:count])
            size += count
            progress(count)
    return digest.hexdigest(), size
