"""The clip under the pointer plays in its tile: decoded small on a thread of its own, within bounds, and forgotten."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from PySide6.QtCore import QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage

from engine.library.item import Item
from engine.protocol.errors import LaternaError
from ui.library.thumbnails import cut

REST_MS = 160
MAX_FRAMES = 96
CACHE_BYTES = 48 * 1024 * 1024
log = logging.getLogger(__name__)
_Key = tuple[int, int, int, float]


class HoverPlayer(QObject):
    """Signals: ``advanced(int)``: another frame of this item is to be shown, or none any more."""

    advanced = Signal(int)
    _decoded = Signal(object, object)

    def __init__(self, *, radius: float = 6.0, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._radius = radius
        self._item: Item | None = None
        self._size = QSize()
        self._ratio = 1.0
        self._place = 0
        self._clips: OrderedDict[_Key, list[QImage]] = OrderedDict()
        self._wanted: _Key | None = None
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, "hover")
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._begin)
        self._tick = QTimer(self)
        self._tick.timeout.connect(self._advance)
        self._decoded.connect(self._keep, Qt.ConnectionType.QueuedConnection)

    def hover(self, item: Item | None, size: QSize, ratio: float) -> None:
        """The pointer is over ``item``'s tile of ``size`` (device-independent pixels), or over none."""
        now = self._item.id if self._item is not None else None
        if item is not None and item.id == now and size == self._size:
            return
        self._stop()
        if item is not None and item.kind == "video" and not item.missing:
            self._item, self._size, self._ratio = item, size, ratio
            self._rest.start()

    def frame(self, item_id: int) -> QImage | None:
        """What plays in the tile of ``item_id`` now."""
        if self._item is None or self._item.id != item_id or not self._tick.isActive():
            return None
        frames = self._clips.get(self._key())
        return frames[self._place % len(frames)] if frames else None

    def close(self) -> None:
        self._stop()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _key(self) -> _Key:
        assert self._item is not None
        return self._item.id, self._size.width(), self._size.height(), self._ratio

    def _stop(self) -> None:
        before = self._item
        self._rest.stop()
        self._tick.stop()
        with self._lock:
            self._wanted = None
        self._item, self._place = None, 0
        if before is not None:
            self.advanced.emit(before.id)

    def _begin(self) -> None:
        if self._item is None:
            return
        key = self._key()
        if key in self._clips:
            self._play()
            return
        with self._lock:
            self._wanted = key
        self._pool.submit(self._decode, key, self._item)

    def _play(self) -> None:
        assert self._item is not None
        self._clips.move_to_end(self._key())
        self._tick.start(round(1000 / min(30.0, max(1.0, self._item.fps))))

    def _advance(self) -> None:
        self._place += 1
        if self._item is not None:
            self.advanced.emit(self._item.id)

    def _decode(self, key: _Key, item: Item) -> None:
        """All frames of a short clip, every n-th of a long one, each cut to the tile."""
        from engine.media.frames import ClipReader

        _id, width, height, ratio = key
        target = QSize(round(width * ratio), round(height * ratio))
        frames: list[QImage] = []
        try:
            with ClipReader(item.file) as clip:
                step = -(-clip.frames // MAX_FRAMES)
                scale = max(target.width() / clip.width, target.height() / clip.height)
                small = (max(2, round(clip.width * scale)), max(2, round(clip.height * scale)))
                for number, frame in enumerate(clip):
                    with self._lock:
                        if self._wanted != key:
                            return
                    if number % step == 0:
                        pixels = frame.reformat(*small, format="rgb24").to_ndarray().tobytes()
                        image = QImage(pixels, *small, small[0] * 3, QImage.Format.Format_RGB888)
                        frames.append(cut(image, target, ratio, self._radius))
        except (LaternaError, OSError, ValueError) as error:
            log.info("The clip of item %d does not play: %s", item.id, type(error).__name__)
        except Exception:
            log.exception("The clip of item %d does not play", item.id)
        if frames:
            self._decoded.emit(key, frames)

    def _keep(self, key: _Key, frames: list[QImage]) -> None:
        self._clips[key] = frames
        while len(self._clips) > 1 and sum(map(_bytes, self._clips.values())) > CACHE_BYTES:
            self._clips.popitem(last=False)
        if self._item is not None and self._key() == key:
            self._place = 0
            self._play()


def _bytes(frames: list[QImage]) -> int:
    return sum(frame.sizeInBytes() for frame in frames)
