"""Decoded frames in memory, within a bound of bytes, around the frame that is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

RGB_BYTES = 64 * 1024 * 1024
AHEAD = 0.75


def to_image(frame: VideoFrame) -> QImage:
    """The frame as it is shown and exported; the same numbers as ``engine.media.frames.to_rgb``."""
    plane = frame.reformat(format="bgra").planes[0]
    image = QImage(memoryview(plane), frame.width, frame.height, plane.line_size, QImage.Format.Format_RGB32)
    return image.copy()


class FrameStore:
    """Holds YUV frames as decoded (1.5 bytes a pixel), or ready pictures where all of them are small.

    Not thread-safe: whoever owns it locks.
    """

    def __init__(self, count: int, width: int, height: int, bound: int) -> None:
        self.count = count
        self._bound = bound
        self._ready = count * width * height * 4 <= min(RGB_BYTES, bound)
        self.capacity = self._room_for(int(width * height * (4 if self._ready else 1.5)))
        self._frames: dict[int, object] = {}
        self._bytes = 0
        self.head = 0

    @property
    def bytes_held(self) -> int:
        return self._bytes

    def __contains__(self, index: int) -> bool:
        return index in self._frames

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, index: int, frame: VideoFrame) -> None:
        if index in self._frames or index >= self.count:
            return
        value = to_image(frame) if self._ready else frame
        if not self._frames:
            self.capacity = self._room_for(self._size(value))  # decoders pad their lines
        self._frames[index] = value
        self._bytes += self._size(value)
        while len(self._frames) > self.capacity:
            farthest = max(self._frames, key=self._distance)
            self._bytes -= self._size(self._frames.pop(farthest))

    def get(self, index: int) -> object | None:
        return self._frames.get(index)

    def image(self, index: int) -> QImage | None:
        value = self._frames.get(index)
        return value if value is None or isinstance(value, QImage) else to_image(value)  # type: ignore[arg-type]

    def next_missing(self) -> int | None:
        """The frame to decode next: from the head on, as far as memory goes, round the end where all fit."""
        whole = self.capacity >= self.count
        reach = self.count if whole else min(self.count - self.head, max(1, int(self.capacity * AHEAD) - 2))
        for step in range(reach):
            index = (self.head + step) % self.count
            if index not in self._frames:
                return index
        return None

    def truncate(self, count: int) -> None:
        """The clip turned out to have only ``count`` frames that can be read."""
        self.count = count
        self.capacity = min(self.capacity, count)
        self.head = min(self.head, count - 1)

    def _room_for(self, size: int) -> int:
        return max(4, min(self.count, self._bound // max(1, size)))

    def _distance(self, index: int) -> int:
        """How little a frame is needed: what lies behind the head counts three times."""
        return index - self.head if index >= self.head else 3 * (self.head - index)

    @staticmethod
    def _size(value: object) -> int:
        if isinstance(value, QImage):
            return value.sizeInBytes()
        return sum(plane.buffer_size for plane in value.planes)  # type: ignore[attr-defined]
