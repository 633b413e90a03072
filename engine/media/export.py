"""A part of a clip as MP4, GIF or animated WebP, for wherever the clip itself cannot go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
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
KEPT_BYTES = 2 * 2**30
"""Of frames that are shown backwards or again: they are held in memory."""
SAME = 3.0
"""Mean difference of 255, below which two frames show the same."""
SHORTEST_MS = 20  # viewers show a GIF that is faster at a tenth of its speed


class ClipExport(msgspec.Struct, frozen=True):
    """Frames ``first`` to ``last`` (None: to the end), at ``speed`` times the clip's rate, ``scale`` times its size.

    ``backwards`` shows them from the last to the first, ``to_and_fro`` adds the way back, and all of it comes ``times``
    times. GIF and WebP begin again for ever.
    """

    format: Format = "mp4"
    first: int = 0
    last: int | None = None
    speed: float = 1.0
    scale: float = 1.0
    to_and_fro: bool = False
    backwards: bool = False
    times: int = 1
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
    return export_clips([source], target, export, progress, should_stop)


def export_clips(
    sources: Sequence[Path],
    target: Path,
    export: ClipExport,
    progress: Callable[[float], None] = lambda _fraction: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Path:
    """As ``export_clip``, of several clips one after another, at the first one's size and rate and with its recipe.

    Where one begins with the picture that the one before ends with, it is shown once. ``first`` and ``last`` count
    through all of them.
    """
    recipe = metadata.read(sources[0]).recipe
    recipe = recipe.for_files() if recipe is not None else None
    with ExitStack() as stack:
        clips = [stack.enter_context(ClipReader(source)) for source in sources]
        frames = _Frames(clips, export, progress, should_stop)
        fps = clips[0].fps * export.speed
        try:
            with atomic.replacing(target) as temporary:
                if export.format == "mp4":
                    texts = {tags.RECIPE: recipe.to_json(), tags.COMMENT: recipe.to_json()} if recipe else {}
                    mp4.encode_frames(frames, frames.width, frames.height, temporary, fps, texts)
                else:
                    _save_animation(frames, temporary, fps, export, recipe)
        except OSError as error:
            raise from_os_error(error, "exporting the clip", target) from error
    progress(1.0)
    return target


class _Frames:
    """The frames to write, in order, scaled; both sizes are even, as H.264 wants them."""

    def __init__(
        self,
        clips: Sequence[ClipReader],
        export: ClipExport,
        progress: Callable[[float], None],
        should_stop: Callable[[], bool],
    ) -> None:
        counts = [max(1, round(clip.frames * clips[0].fps / clip.fps)) for clip in clips]
        end = sum(counts) - 1
        last = end if export.last is None else min(export.last, end)
        if not 0 <= export.first <= last:
            raise BadFile("This part of the clip holds no frames.", "Choose another in and out point.")
        self._clips, self._first, self._last, self._export = clips, export.first, last, export
        self._progress, self._should_stop = progress, should_stop
        self.width = max(2, round(clips[0].width * export.scale / 2) * 2)
        self.height = max(2, round(clips[0].height * export.scale / 2) * 2)
        self._count = last - export.first + 1
        self.total = self._turns(self._count)
        self._is_kept = export.to_and_fro or export.backwards or export.times > 1
        if self._is_kept and self._count * self.width * self.height * 3 > KEPT_BYTES:
            raise BadFile(
                f"{self._count} frames of {self.width} × {self.height} are too many to be shown backwards or again.",
                "Choose a shorter part, or a smaller size.",
            )

    def __iter__(self) -> Iterator[Pixels]:
        for number, pixels in enumerate(self._ordered()):
            self._tell(number)
            yield pixels

    def _turns(self, count: int) -> int:
        once = 2 * count - 2 if self._export.to_and_fro and count > 1 else count
        return once * self._export.times

    def _ordered(self) -> Iterator[Pixels]:
        export = self._export
        if not self._is_kept:
            yield from self._forward()
            return
        if export.times == 1 and not export.backwards:
            kept = []
            for pixels in self._forward():
                kept.append(pixels)
                yield pixels
            yield from reversed(kept[1:-1])
            return
        kept = list(self._forward())
        if export.backwards:
            kept.reverse()
        once = [*kept, *reversed(kept[1:-1])] if export.to_and_fro else kept
        self.total = len(once) * export.times
        for _turn in range(export.times):
            yield from once

    def _forward(self) -> Iterator[Pixels]:
        """From the first to the last that are asked for; of clips with another rate each is shown as long as there."""
        index = -1
        before: Pixels | None = None
        for clip_number, clip in enumerate(self._clips):
            ratio = self._clips[0].fps / clip.fps
            made = 0
            for number, frame in enumerate(clip):
                if self._should_stop():
                    raise _stopped()
                due = round((number + 1) * ratio) - made
                if due <= 0:
                    continue
                pixels = to_rgb(frame.reformat(self.width, self.height))
                is_double = clip_number > 0 and number == 0 and before is not None and _is_same(before, pixels)
                made += due
                before = pixels
                for _repeat in range(due - is_double):
                    index += 1
                    if index > self._last:
                        return
                    if index >= self._first:
                        yield pixels

    def _tell(self, number: int) -> None:
        if self._should_stop():
            raise _stopped()
        self._progress(min(0.98, 0.98 * number / max(1, self.total)))


def _is_same(one: Pixels, other: Pixels) -> bool:
    """As pictures, whatever their encoding made of them."""
    return float(abs(one.astype("int16") - other).mean()) < SAME


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
