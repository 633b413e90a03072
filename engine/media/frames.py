"""Frames of a clip, exactly: every one once, in order, and any one by its number. For the player and thumbnails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from engine.media import mp4
from engine.media.pixels import Pixels
from engine.protocol.errors import BadFile

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

MAX_FRAME_PIXELS = 64 * 1024 * 1024


def to_rgb(frame: VideoFrame) -> Pixels:
    """A decoded frame as [H, W, 3] uint8 RGB."""
    return cast("Pixels", frame.to_ndarray(format="rgb24"))


class ClipReader:
    """An open MP4. ``frames`` is the number of frames that the file claims, ``fps`` frames per second.

    Not thread-safe: one reader per thread. Use it as a context manager, or call ``close``.
    """

    def __init__(self, path: Path) -> None:
        """Raises ``BadFile``."""
        self._container, self._stream = mp4.open_clip(Path(path))
        try:
            header = mp4.describe(self._container, self._stream)
            if header.width * header.height > MAX_FRAME_PIXELS:
                raise BadFile(f"A clip of {header.width} × {header.height} pixels is too large.", "Choose another.")
        except BaseException:
            self._container.close()
            raise
        self.width, self.height, self.frames, self.fps = header.width, header.height, header.frames, header.fps
        self._stream.thread_type = "AUTO"
        self._dirty = False

    def __enter__(self) -> ClipReader:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[VideoFrame]:
        """All frames from the first, as PyAV frames (YUV; see ``to_rgb``). Raises ``BadFile`` where data is damaged."""
        self._seek(0)
        yield from self._decode()

    def frame_at(self, index: int) -> VideoFrame:
        """Frame ``index`` (0-based), exactly. Raises ``IndexError`` beyond the last, ``BadFile`` if damaged."""
        if not 0 <= index < self.frames:
            raise IndexError(f"frame {index} of {self.frames}")
        self._seek(index)
        for frame in self._decode():
            if self._index(frame) >= index:
                return frame
        raise mp4.damaged(f"frame {index + 1} of {self.frames} is missing")

    def _index(self, frame: VideoFrame) -> int:
        time = float((frame.pts or 0) * (frame.time_base or 0)) - self._start_seconds
        return round(time * self.fps)

    @property
    def _start_seconds(self) -> float:
        return float((self._stream.start_time or 0) * (self._stream.time_base or 0))

    def _seek(self, index: int) -> None:
        """To the last key frame at or before ``index``."""
        import av

        if not self._dirty and index == 0:
            self._dirty = True
            return
        self._dirty = True
        base = self._stream.time_base or 1
        target = round((index / self.fps + self._start_seconds) / float(base))
        try:
            self._container.seek(target, stream=self._stream, backward=True, any_frame=False)
        except av.FFmpegError as error:
            raise mp4.damaged(error) from error

    def _decode(self) -> Iterator[VideoFrame]:
        import av

        try:
            yield from self._container.decode(self._stream)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise mp4.damaged(error) from error


def poster(path: Path) -> Pixels:
    """The picture that stands for a clip: its middle frame, [H, W, 3] uint8 RGB. Raises ``BadFile``."""
    with ClipReader(path) as clip:
        return to_rgb(clip.frame_at(clip.frames // 2))
