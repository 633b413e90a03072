"""Frames of a clip by number, for one thread: what they are comes from the file's own packets, not from a rate."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from engine.protocol.errors import Cancelled

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


class FrameReader:
    """``times[i]`` is when frame ``i`` begins, in seconds from the first; the last entry is the clip's length.

    Raises ``BadFile``, from any method, where the file is damaged. PyAV is imported here, in the decoding thread.
    """

    def __init__(self, path: Path, should_stop: Callable[[], bool] = lambda: False) -> None:
        from engine.media import mp4

        header = mp4.read_header(path)
        self.width, self.height, self.fps = header.width, header.height, header.fps
        self._container, self._stream = mp4.open_clip(path)
        self._stream.thread_type = "AUTO"
        try:
            self._stamps = self._list_frames(should_stop)
        except BaseException:
            self._container.close()
            raise
        base = float(self._stream.time_base or 1)
        self.times = [(stamp - self._stamps[0]) * base for stamp in self._stamps]
        self.times.append(self.times[-1] + 1.0 / self.fps)
        self.position = -1

    def __len__(self) -> int:
        return len(self._stamps)

    def close(self) -> None:
        self._container.close()

    def read_from(self, index: int) -> Iterator[tuple[int, VideoFrame]]:
        """Frames from the last key frame at or before ``index`` on, in order, with their numbers."""
        import av

        from engine.media import mp4

        try:
            self._container.seek(self._stamps[index], stream=self._stream, backward=True, any_frame=False)
            for frame in self._container.decode(self._stream):
                if frame.pts is not None:
                    self.position = bisect_left(self._stamps, frame.pts)
                    if self.position < len(self._stamps):
                        yield self.position, frame
        except (av.FFmpegError, OSError, ValueError) as error:
            raise mp4.damaged(error) from error

    def _list_frames(self, should_stop: Callable[[], bool]) -> list[int]:
        """The frames' time stamps in order, without decoding."""
        import av

        from engine.media import mp4

        stamps = []
        try:
            for packet in self._container.demux(self._stream):
                if packet.pts is not None and packet.size:
                    stamps.append(packet.pts)
                if should_stop():
                    raise Cancelled("Another clip was chosen.")
        except (av.FFmpegError, OSError, ValueError) as error:
            if not stamps:
                raise mp4.damaged(error) from error
        if not stamps:
            raise mp4.damaged("it holds no frames")
        return sorted(set(stamps))
