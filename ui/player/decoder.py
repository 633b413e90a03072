"""``ClipDecoder``: decodes a clip once, in a thread, from the frame that is looked at; seeking is a look-up."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QThread, Signal
from PySide6.QtGui import QImage

from engine.protocol.errors import Cancelled, LaternaError
from ui.player.reader import FrameReader
from ui.player.store import FrameStore, to_image

MEMORY_BOUND = 384 * 1024 * 1024
GOP = 16  # decoding on to a frame this near is cheaper than seeking
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClipInfo:
    """``times[i]`` is when frame ``i`` begins in seconds, the last entry the clip's length."""

    width: int
    height: int
    fps: float
    times: tuple[float, ...]

    @property
    def count(self) -> int:
        return len(self.times) - 1

    @property
    def seconds(self) -> float:
        return self.times[-1]


class _Thread(QThread):
    def __init__(self, work: object, parent: QObject) -> None:
        super().__init__(parent)
        self._work = work

    def run(self) -> None:
        self._work()  # type: ignore[operator]


class ClipDecoder(QObject):
    """One clip. ``close`` ends the thread soon, ``wait`` waits for it; an object is used for one file only.

    Signals: ``opened(ClipInfo)``, again where the clip turned out shorter than it said; ``ready(int)`` when the frame
    asked for with ``want`` is there; ``failed(str)`` with a sentence.
    """

    opened = Signal(object)
    ready = Signal(int)
    failed = Signal(str)
    _opened, _ready, _failed = Signal(object), Signal(int), Signal(str)

    def __init__(self, path: Path, *, bound: int = MEMORY_BOUND, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = path
        self._bound = bound
        self._condition = threading.Condition()
        self._stopped = False
        self._store: FrameStore | None = None
        queued = Qt.ConnectionType.QueuedConnection
        self._opened.connect(self._tell_opened, queued)
        self._ready.connect(self._tell_ready, queued)
        self._failed.connect(self._tell_failed, queued)
        self._thread = _Thread(self._run, self)
        self._thread.setObjectName("clip decoder")

    def start(self) -> None:
        self._thread.start()

    # for the GUI thread

    def want(self, index: int) -> None:
        """Decode around ``index`` from now on."""
        with self._condition:
            if self._store is not None and 0 <= index < self._store.count:
                self._store.head = index
                self._condition.notify()

    def frame(self, index: int) -> QImage | None:
        """Frame ``index``, converted now (about 1 ms at 720 × 480); None where it is not decoded yet."""
        with self._condition:
            stored = self._store.get(index) if self._store is not None else None
        return stored if stored is None or isinstance(stored, QImage) else to_image(stored)  # type: ignore[arg-type]

    def nearest_before(self, index: int, lowest: int) -> int | None:
        """The last decoded frame in ``lowest`` … ``index``."""
        with self._condition:
            store = self._store
            if store is None:
                return None
            return next((near for near in range(index, lowest - 1, -1) if near in store), None)

    @property
    def bytes_held(self) -> int:
        with self._condition:
            return self._store.bytes_held if self._store is not None else 0

    def close(self) -> None:
        with self._condition:
            self._stopped = True
            self._condition.notify()

    def wait(self) -> None:
        """Wait for the thread; call ``close`` before."""
        self._thread.wait()

    @property
    def finished(self) -> bool:
        return not self._thread.isRunning()

    def _tell_opened(self, info: ClipInfo) -> None:
        if not self._stopped:
            self.opened.emit(info)

    def _tell_ready(self, index: int) -> None:
        if not self._stopped:
            self.ready.emit(index)

    def _tell_failed(self, sentence: str) -> None:
        if not self._stopped:
            self.failed.emit(sentence)

    # the thread

    def _run(self) -> None:
        try:
            reader = FrameReader(self._path, lambda: self._stopped)
        except Cancelled:
            return
        except (LaternaError, OSError) as error:
            self._failed.emit(str(error))
            return
        except Exception:
            log.exception("%s could not be opened", self._path)
            self._failed.emit(self.tr("This clip cannot be played. Get a fresh copy of it."))
            return
        try:
            self._decode(reader)
        except Exception:
            log.exception("%s could not be decoded", self._path)
            self._failed.emit(self.tr("This clip cannot be played. Get a fresh copy of it."))
        finally:
            reader.close()

    def _decode(self, reader: FrameReader) -> None:
        store = FrameStore(len(reader), reader.width, reader.height, self._bound)
        with self._condition:
            self._store = store
        self._tell_info(reader, len(reader))
        while (target := self._next(store)) is not None:
            problem = ""
            try:
                reached = self._read_to(reader, store, target)
            except LaternaError as error:
                reached, problem = False, str(error)
            if not reached and not self._stopped and not self._cut(reader, store, target, problem):
                return

    def _read_to(self, reader: FrameReader, store: FrameStore, target: int) -> bool:
        """Decode from ``target`` on while the frames that are wanted next lie close ahead; False if it never came."""
        expected, came = target, False
        for index, frame in reader.read_from(target):
            with self._condition:
                if self._stopped:
                    return True
                for gap in range(expected, index):  # a frame that does not decode shows the one after it
                    store.put(gap, frame)
                store.put(index, frame)
                is_head = expected <= store.head <= index or index == store.head
                head, upcoming = store.head, store.next_missing()
            expected = max(expected, index + 1)
            came = came or index >= target
            if is_head:
                self._ready.emit(head)
            if came and (upcoming is None or not index < upcoming <= index + GOP):
                return True
        with self._condition:
            return target in store

    def _cut(self, reader: FrameReader, store: FrameStore, target: int, problem: str) -> bool:
        """The file ends before it said it would: what can be read stays. False where nothing can."""
        with self._condition:
            good = next((index for index in range(target, -1, -1) if index in store), None)
            if good is None and target > 0:  # what lies before was not tried yet
                store.truncate(target)
                store.head = 0
                return True
            if good is not None:
                store.truncate(good + 1)
            head = store.head
        if good is None:
            self._failed.emit(problem or self.tr("This clip is damaged: it has no frames. Get a fresh copy of it."))
            return False
        self._tell_info(reader, good + 1)
        self._failed.emit(self.tr("This clip is damaged after frame {0}. Get a fresh copy of it.").format(good + 1))
        self._ready.emit(head)
        return True

    def _next(self, store: FrameStore) -> int | None:
        """The next frame to decode; waits while there is none, None at the end."""
        with self._condition:
            while not self._stopped:
                target = store.next_missing()
                if target is not None:
                    return target
                self._condition.wait()
        return None

    def _tell_info(self, reader: FrameReader, count: int) -> None:
        end = reader.times[count] if count < len(reader.times) else reader.times[-1]
        self._opened.emit(ClipInfo(reader.width, reader.height, reader.fps, (*reader.times[:count], end)))
