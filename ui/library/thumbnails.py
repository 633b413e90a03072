"""Thumbnails for what is on the screen: loaded by a few threads, newest wish first, dropped once scrolled past."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader, QPainter, QPainterPath, QPixmap

from engine.library.item import Item
from engine.protocol.errors import LaternaError

THREADS = 2
CACHE_BYTES = 96 * 1024 * 1024
REMEMBERED_FAILURES = 2000
SIDES = (256, 512, 768)
_STALE = (0, 0, 0.0)
log = logging.getLogger(__name__)

Fetch = Callable[[Item, int], "Path | bytes | None"]
"""``fetch(item, side)``: an encoded picture at least ``side`` pixels on its longer side, as a file or as bytes."""


class ThumbnailSource(Protocol):
    """``engine.library.thumbnails.ThumbnailCache``; called from several threads."""

    def get(self, item: Item, side: int) -> Path | bytes | None: ...


class ThumbnailLoader(QObject):
    """A bounded cache of pixmaps by item id, filled in the background.

    Signals: ``loaded(id)`` after a pixmap (or the fact that there is none) is known.
    """

    loaded = Signal(int)
    _done = Signal(int, object, object)

    def __init__(self, fetch: Fetch, *, radius: float = 6.0, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._fetch = fetch
        self._radius = radius
        self._pixmaps: OrderedDict[int, tuple[tuple[int, int, float], QPixmap]] = OrderedDict()
        self._bytes = 0
        self._failed: OrderedDict[int, None] = OrderedDict()
        self._lock = threading.Lock()
        self._queue: list[tuple[Item, tuple[int, int, float]]] = []
        self._busy: set[int] = set()
        self._workers = 0
        self._closed = False
        # Python's own pool: PySide keeps the wrapper of a finished QRunnable and hands it out for another object.
        self._pool = ThreadPoolExecutor(THREADS, "thumbnails")
        self._done.connect(self._keep, Qt.ConnectionType.QueuedConnection)

    def pixmap(self, item_id: int) -> QPixmap | None:
        """What is there now, maybe of another size."""
        found = self._pixmaps.get(item_id)
        if found is None:
            return None
        self._pixmaps.move_to_end(item_id)
        return found[1]

    def failed(self, item_id: int) -> bool:
        return item_id in self._failed

    def want(self, items: Iterable[Item], size: QSize, ratio: float) -> None:
        """Load ``items`` at ``size`` (device-independent pixels), first to last; earlier wishes are dropped."""
        if self._closed:
            return
        key = (size.width(), size.height(), ratio)
        queue = []
        for item in items:
            found = self._pixmaps.get(item.id)
            if not item.missing and item.id not in self._failed and (found is None or found[0] != key):
                queue.append((item, key))
        with self._lock:
            self._queue = [wish for wish in reversed(queue) if wish[0].id not in self._busy]
            start = min(len(self._queue), THREADS - self._workers)
            self._workers += max(0, start)
        for _ in range(start):
            self._pool.submit(self._work)

    def forget(self, ids: Iterable[int]) -> None:
        for item_id in ids:
            self._failed.pop(item_id, None)
            found = self._pixmaps.pop(item_id, None)
            if found is not None:
                self._bytes -= _bytes(found[1])

    def refresh(self, ids: Iterable[int]) -> None:
        """Load these anew when they are next wanted; until then what is there stays."""
        for item_id in ids:
            self._failed.pop(item_id, None)
            if (found := self._pixmaps.get(item_id)) is not None:
                self._pixmaps[item_id] = (_STALE, found[1])

    def close(self) -> None:
        """Drop what waits and wait for what runs."""
        self._closed = True
        with self._lock:
            self._queue = []
        self._pool.shutdown(wait=True)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._queue:
                    self._workers -= 1
                    return
                item, key = self._queue.pop()
                self._busy.add(item.id)
            image = None
            try:
                image = self._load(item, key)
            except (LaternaError, OSError, ValueError) as error:
                log.info("No thumbnail of item %d: %s", item.id, type(error).__name__)
            except Exception:
                log.exception("The thumbnail of item %d could not be made", item.id)
            with self._lock:
                self._busy.discard(item.id)
            if not self._closed:
                self._done.emit(item.id, key, image)

    def _load(self, item: Item, key: tuple[int, int, float]) -> QImage | None:
        width, height, ratio = key
        target = QSize(round(width * ratio), round(height * ratio))
        # The tile is covered, so the thumbnail's shorter side has to reach the tile's.
        longer = max(item.width, item.height, 1)
        covering = max(target.width() / max(1, item.width), target.height() / max(1, item.height)) * longer
        source = self._fetch(item, next((side for side in SIDES if side >= covering), SIDES[-1]))
        if source is None:
            return None
        image = QImageReader(str(source)).read() if isinstance(source, Path) else QImage.fromData(source)
        if image.isNull():
            return None
        return cut(image, target, ratio, self._radius)

    def _keep(self, item_id: int, key: tuple[int, int, float], image: QImage | None) -> None:
        self.forget([item_id])
        if image is None:
            self._failed[item_id] = None
            while len(self._failed) > REMEMBERED_FAILURES:
                self._failed.popitem(last=False)
        else:
            pixmap = QPixmap.fromImage(image)
            self._pixmaps[item_id] = (key, pixmap)
            self._bytes += _bytes(pixmap)
            while self._bytes > CACHE_BYTES and len(self._pixmaps) > 1:
                _, (_, oldest) = self._pixmaps.popitem(last=False)
                self._bytes -= _bytes(oldest)
        self.loaded.emit(item_id)


def cut(image: QImage, target: QSize, ratio: float, radius: float) -> QImage:
    """``image`` scaled to cover ``target`` (device pixels), its middle cut out with round corners."""
    scaled = image.scaled(
        target, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    )
    result = QImage(target, QImage.Format.Format_ARGB32_Premultiplied)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    path = QPainterPath()
    path.addRoundedRect(QRectF(0, 0, target.width(), target.height()), radius * ratio, radius * ratio)
    painter.setClipPath(path)
    painter.drawImage((target.width() - scaled.width()) // 2, (target.height() - scaled.height()) // 2, scaled)
    painter.end()
    result.setDevicePixelRatio(ratio)
    return result


def _bytes(pixmap: QPixmap) -> int:
    return pixmap.width() * pixmap.height() * 4
