"""MP4 (H.264, plays everywhere) with the recipe in its metadata, through PyAV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.files import check_regular
from engine.media.pixels import Pixels
from engine.protocol.errors import BadFile

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

# Without use_metadata_tags only ``comment`` survives; faststart lets a player begin before it has the whole file.
_MOV_FLAGS = "+faststart+use_metadata_tags"
# Without macroblock trees, which made a few bits of one and the same clip another each time: equal frames, equal files.
_X264 = {"preset": "veryfast", "crf": "18", "g": "12", "x264-params": "mbtree=0"}
_BT709 = 1
_MPEG_RANGE = 1
MAX_SIDE = 16_384
MAX_FRAMES = 10_000_000
MAX_TEXT_CHARS = 4 * 1024 * 1024


class ClipHeader(NamedTuple):
    """Size in pixels, number of frames, frames per second, and the metadata."""

    width: int
    height: int
    frames: int
    fps: float
    texts: dict[str, str]


def encode(frames: Pixels, path: Path, fps: float, texts: dict[str, str]) -> None:
    """Write ``frames`` ([T, H, W, 3] uint8 RGB, even height and width) to ``path`` at ``fps`` with ``texts`` inside.

    BT.709, limited range, said so in the file. Raises ``OSError``; ``ValueError`` for sizes that H.264 cannot hold.
    """
    count, height, width = frames.shape[:3]
    if not count:
        raise ValueError("a clip needs frames")
    encode_frames(frames, width, height, path, fps, texts)


def encode_frames(
    frames: Iterable[Pixels], width: int, height: int, path: Path, fps: float, texts: dict[str, str]
) -> None:
    """As ``encode``, from frames ([height, width, 3]) that come one by one."""
    import av
    from av.video.reformatter import ColorRange, Colorspace

    if width % 2 or height % 2:
        raise ValueError(f"a clip needs frames of even size, not {width} × {height}")
    rate = Fraction(fps).limit_denominator(1001)
    try:
        with av.open(str(path), "w", format="mp4", options={"movflags": _MOV_FLAGS}) as container:
            container.metadata.update(texts)
            stream = container.add_stream("libx264", rate=rate, options=_X264)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            codec = stream.codec_context
            codec.time_base = 1 / rate
            codec.colorspace = codec.color_primaries = codec.color_trc = _BT709
            codec.color_range = _MPEG_RANGE
            for index, array in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(array, format="rgb24").reformat(
                    format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
                )
                frame.pts, frame.time_base = index, codec.time_base
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    except av.FFmpegError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def join(parts: Sequence[Path], path: Path, texts: dict[str, str], sound: Path | None = None) -> None:
    """Write clips that ``encode_frames`` made, all alike, one after another to ``path`` without encoding them again;
    with the sound of the MP4 ``sound``, if it has any that the file can hold. Raises ``OSError``."""
    import av

    try:
        with av.open(str(path), "w", format="mp4", options={"movflags": _MOV_FLAGS}) as container:
            container.metadata.update(texts)
            stream: Any = None
            heard = _Sound(sound, container) if sound is not None else None
            offset = 0
            for part in parts:
                with av.open(str(part), format="mp4") as source:
                    video = source.streams.video[0]
                    if stream is None:
                        stream = container.add_stream_from_template(video)
                    for packet in source.demux(video):
                        if packet.dts is None:
                            continue
                        packet.pts, packet.dts = (packet.pts or 0) + offset, packet.dts + offset
                        packet.stream = stream
                        container.mux(packet)
                    offset += video.duration or 0
                    if heard is not None:
                        heard.until(offset * float(video.time_base or 0))
            if heard is not None:
                heard.until(float("inf"))
    except av.FFmpegError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


class _Sound:
    """The sound of an MP4, packet by packet, in step with the pictures."""

    def __init__(self, source: Path, container: Any) -> None:
        import av

        check_regular(source)
        self._container = container
        self._source = av.open(f"file:{source.absolute()}", format="mp4", metadata_errors="replace")
        audio: Any = next(iter(self._source.streams.audio), None)
        self._stream = container.add_stream_from_template(audio) if audio is not None else None
        self._packets = iter(self._source.demux(audio)) if audio is not None else iter(())

    def until(self, seconds: float) -> None:
        for packet in self._packets:
            if packet.dts is None:
                continue
            at = float(packet.dts * packet.time_base)
            packet.stream = self._stream
            self._container.mux(packet)
            if at >= seconds:
                return
        self._source.close()


def open_clip(path: Path) -> tuple[InputContainer, VideoStream]:
    """The container and its first video stream; close the container afterwards. Raises ``BadFile``.

    The format is fixed: a playlist or another container under an ``.mp4`` name is not followed anywhere.
    """
    import av

    try:
        check_regular(path)
        container = av.open(f"file:{path.absolute()}", format="mp4", metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise damaged(error) from error
    try:
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise damaged("its video is of an unknown kind")
        if not (0 < stream.width <= MAX_SIDE and 0 < stream.height <= MAX_SIDE):
            raise BadFile(f"This MP4 says {stream.width} × {stream.height} pixels.", "Choose another file.")
    except BaseException as error:
        container.close()
        if isinstance(error, (IndexError, av.FFmpegError, ValueError)):
            raise damaged("it holds no video") from error
        raise
    return container, stream


def read_header(path: Path) -> ClipHeader:
    """What an MP4 says of itself. Raises ``BadFile``."""
    container, stream = open_clip(path)
    with container:
        return describe(container, stream)


def describe(container: InputContainer, stream: VideoStream) -> ClipHeader:
    """The header of an open clip. Raises ``BadFile`` where its numbers are impossible."""
    rate = stream.average_rate or stream.guessed_rate
    fps = float(rate) if rate else 0.0
    frames = stream.frames
    if not frames and stream.duration and stream.time_base and fps:
        frames = round(float(stream.duration * stream.time_base) * fps)
    if not 0 < frames <= MAX_FRAMES or not 0 < fps <= 1000:
        raise damaged(f"{frames} frames at {fps:g} a second")
    texts = {key: text for key, text in container.metadata.items() if len(text) <= MAX_TEXT_CHARS}
    return ClipHeader(stream.width, stream.height, frames, fps, texts)


def damaged(why: Any) -> BadFile:
    """``why`` is a phrase, or PyAV's error, of which only its words are of use to a person."""
    why = getattr(why, "strerror", None) or why
    return BadFile(f"This MP4 cannot be read: {why}.", "Choose another file, or get a fresh copy of it.")
