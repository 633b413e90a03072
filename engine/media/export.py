"""A part of a clip as MP4, GIF or animated WebP, for wherever the clip itself cannot go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

import msgspec

from engine.media import animation, atomic, metadata, mp4, tags
from engine.media.frames import ClipReader, to_rgb
from engine.media.pixels import Pixels
from engine.protocol.errors import BadFile, Cancelled, from_os_error
from engine.protocol.recipe import Recipe

Format = Literal["mp4", "gif", "webp"]
SUFFIXES: dict[Format, str] = {"mp4": ".mp4", "gif": ".gif", "webp": ".webp"}
SHORTEST_MS = 20  # viewers show a GIF that is faster at a tenth of its speed


class ClipExport(msgspec.Struct, frozen=True):
    """Frames ``first`` to ``last`` (None: to the end), at ``speed`` times the clip's rate, ``scale`` times its size.

    ``to_and_fro`` adds the way back; GIF and WebP begin again for ever.
    """

    format: Format = "mp4"
    first: int = 0
    last: int | None = None
    speed: float = 1.0
    scale: float = 1.0
    to_and_fro: bool = False
    quality: int = 85


def export_clip(
    source: Path,
    target: Path,
    export: ClipExport,
    progress: Callable[[float], None] = lambda _fraction: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Path:
    """Write it to ``target``, whole or not at all, with the clip's recipe in it.

    ``progress`` gets fractions. Raises ``BadFile``, ``NoSpace``, ``NotWritable``, or ``Cancelled`` when asked to stop.
    """
    recipe = metadata.read(source).recipe
    recipe = recipe.for_files() if recipe is not None else None
    with ClipReader(source) as clip:
        frames = _Frames(clip, export, progress, should_stop)
        try:
            with atomic.replacing(target) as temporary:
                if export.format == "mp4":
                    texts = {tags.RECIPE: recipe.to_json(), tags.COMMENT: recipe.to_json()} if recipe else {}
                    mp4.encode_frames(frames, frames.width, frames.height, temporary, clip.fps * export.speed, texts)
                else:
                    _save_animation(frames, temporary, clip.fps * export.speed, export, recipe)
        except OSError as error:
            raise from_os_error(error, "exporting the clip", target) from error
    progress(1.0)
    return target


class _Frames:
    """The frames to write, in order, scaled; both sizes are even, as H.264 wants them."""

    def __init__(
        self, clip: ClipReader, export: ClipExport, progress: Callable[[float], None], should_stop: Callable[[], bool]
    ) -> None:
        last = clip.frames - 1 if export.last is None else min(export.last, clip.frames - 1)
        if not 0 <= export.first <= last:
            raise BadFile("This part of the clip holds no frames.", "Choose another in and out point.")
        self._clip, self._first, self._last = clip, export.first, last
        self._back = export.to_and_fro
        self._progress, self._should_stop = progress, should_stop
        count = last - export.first + 1
        self.total = 2 * count - 2 if export.to_and_fro and count > 1 else count
        self.width = max(2, round(clip.width * export.scale / 2) * 2)
        self.height = max(2, round(clip.height * export.scale / 2) * 2)

    def __iter__(self) -> Iterator[Pixels]:
        kept: list[Pixels] = []
        number = 0
        for pixels in self._forward():
            self._tell(number)
            number += 1
            if self._back:
                kept.append(pixels)
            yield pixels
        for pixels in reversed(kept[1:-1]):
            self._tell(number)
            number += 1
            yield pixels

    def _forward(self) -> Iterator[Pixels]:
        for index, frame in enumerate(self._clip):
            if index > self._last:
                return
            if index >= self._first:
                yield to_rgb(frame.reformat(self.width, self.height))
            elif self._should_stop():
                raise _stopped()

    def _tell(self, number: int) -> None:
        if self._should_stop():
            raise _stopped()
        self._progress(0.98 * number / self.total)


def _stopped() -> Cancelled:
    return Cancelled("The export was stopped.", "Nothing was written.")


def _save_animation(frames: _Frames, target: Path, fps: float, export: ClipExport, recipe: Recipe | None) -> None:
    """Durations are whole hundredths in GIF, whole milliseconds in WebP, spread so that the whole stays in time."""
    from PIL import Image

    pictures = (Image.fromarray(pixels) for pixels in frames)
    try:
        first = next(pictures)
    except StopIteration:
        raise BadFile("This part of the clip holds no frames.", "Choose another in and out point.") from None
    unit = 10 if export.format == "gif" else 1
    each = max(Fraction(SHORTEST_MS), Fraction(1000) / Fraction(fps).limit_denominator(1001))
    ends = [round(each * (number + 1) / unit) * unit for number in range(frames.total)]
    durations = [end - begin for begin, end in zip([0, *ends], ends, strict=False)]
    options: dict[str, object] = {"save_all": True, "append_images": pictures, "duration": durations, "loop": 0}
    if export.format == "gif":
        comment = animation.comment_of(recipe.to_json()) if recipe else b""
        first.save(target, "GIF", optimize=False, disposal=1, comment=comment, **options)
    else:
        xmp = animation.xmp_of(recipe.to_json()) if recipe else b""
        first.save(target, "WEBP", quality=export.quality, method=4, xmp=xmp, **options)
