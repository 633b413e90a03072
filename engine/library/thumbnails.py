"""Small JPEGs of pictures and clips, kept on the disk within a bound. Safe for a pool of threads; no Qt."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine.files import TEXT_LIMIT, read_regular
from engine.library.item import Item
from engine.media import atomic, frames, pictures
from engine.protocol.errors import BadFile

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_BYTES = 512 * 1024 * 1024
_KEPT_SHARE = 0.8
_TOUCH_SECONDS = 3600.0
_QUALITY = 85


class ThumbnailCache:
    """``get`` answers from ``folder``, or makes the thumbnail and keeps it. Thumbnails that were not asked for the
    longest go first once all of them take more than ``max_bytes``."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder = Path(folder)
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._bytes: int | None = None

    def get(self, item: Item, side: int) -> bytes:
        """A JPEG of ``item`` whose longer side is ``side`` pixels (never enlarged); of a clip, its middle frame.

        Raises ``BadFile`` where the file is missing or damaged. A cache that cannot be written is done without.
        """
        path = self._path(item, side)
        with suppress(OSError):
            data = read_regular(path, TEXT_LIMIT)
            if data:
                if time.time() - path.stat().st_mtime > _TOUCH_SECONDS:
                    os.utime(path)
                return data
        data = _jpeg(_picture(item), side)
        self._keep(path, data)
        return data

    def _path(self, item: Item, side: int) -> Path:
        key = f"{item.path}\0{item.size}\0{item.created!r}\0{side}"
        name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:40]
        return self._folder / name[:2] / f"{name}.jpg"

    def _keep(self, path: Path, data: bytes) -> None:
        with suppress(OSError):
            atomic.write_bytes(path, data, durable=False)
            with self._lock:
                if self._bytes is None:
                    self._bytes = sum(size for _time, size, _path in self._files())
                else:
                    self._bytes += len(data)
                if self._bytes > self._max_bytes:
                    self._bytes = self._evict()

    def _files(self) -> list[tuple[float, int, Path]]:
        """Time of last use, size and path of every thumbnail."""
        found = []
        for path in self._folder.glob("*/*.jpg"):
            with suppress(OSError):
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        return found

    def _evict(self) -> int:
        """Remove the longest unused until a share of the bound is left; returns the bytes that stay."""
        files = sorted(self._files())
        total = sum(size for _time, size, _path in files)
        for _time, size, path in files:
            if total <= self._max_bytes * _KEPT_SHARE:
                break
            with suppress(OSError):
                path.unlink()
                total -= size
        return total


def _picture(item: Item) -> Image:
    path = item.file
    if not path.is_file():
        raise BadFile(f"{path} is not there any more.", "Look in the trash, or remove it from the library.")
    if item.kind == "image":
        return pictures.read(path)
    from PIL import Image

    return Image.fromarray(frames.poster(path))


def _jpeg(image: Image, side: int) -> bytes:
    image.thumbnail((side, side), reducing_gap=2.0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
