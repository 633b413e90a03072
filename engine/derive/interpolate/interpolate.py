"""Interpolate: ``settings`` are ``fps``, the frames in a second that the clip shall have; it stays as long as it is."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from engine.derive.kind import DerivationForecast, Medium, Read, Workplace
from engine.media.pixels import Pixels
from engine.models.upscalers import UpscalerFacts
from engine.protocol.derivation import Derivation, Source
from engine.protocol.errors import BadFile, BadRecipe
from engine.protocol.upscaling import Upscaling

LEAST_FPS, MOST_FPS = 1.0, 240.0
MOST_FRAMES = 1_000_000
_BYTES_PER_PIXEL = 140
_SECONDS_PER_PAIR, _SECONDS_PER_FRAME = 0.4, 0.1
_DISK_PER_PIXEL = 0.4
"""By the pixels of a frame, seconds by megapixels of it, measured on two cores: the motion between two frames, and each
frame of the result with its encoding."""


def interpolated(path: str, fps: float, sha256: str = "", before: Derivation | None = None) -> Derivation:
    """The derivation that gives the clip at ``path`` so many frames in a second."""
    return Derivation("interpolate", Source(path, sha256, before), {"fps": fps})


class Interpolate:
    id = "interpolate"

    def result(self, derivation: Derivation, source: Medium) -> Medium:
        fps = _fps(derivation)
        if source.kind == "image" or source.fps <= 0:
            raise BadFile("A picture has no frames to be made smoother.", "Choose a clip.")
        frames = max(1, round(source.frames * fps / source.fps))
        if frames > MOST_FRAMES:
            raise BadFile(
                f"At {fps:g} frames a second it would have {frames} frames: too many.",
                "Take fewer, or a shorter clip.",
                field="fps",
            )
        width, height = source.width - source.width % 2, source.height - source.height % 2  # as H.264 takes them
        return msgspec.structs.replace(source, width=width, height=height, frames=frames, fps=fps)

    def network(self, derivation: Derivation) -> Upscaling | None:
        return None

    def forecast(
        self, derivation: Derivation, source: Medium, network: UpscalerFacts | None = None
    ) -> DerivationForecast:
        made = self.result(derivation, source)
        total = made.pixels * made.frames
        return DerivationForecast(
            memory=made.pixels * _BYTES_PER_PIXEL,
            seconds=(source.pixels * source.frames * _SECONDS_PER_PAIR + total * _SECONDS_PER_FRAME) / 1e6,
            disk=int(total * _DISK_PER_PIXEL),
        )

    def stem(self, derivation: Derivation) -> str:
        name = derivation.source.name
        return f"{name.rpartition('.')[0] or name}_{_fps(derivation):g}fps"

    def frames(
        self, derivation: Derivation, source: Medium, read: Read, start: int, work: Workplace
    ) -> Iterator[Pixels]:
        from engine.derive.interpolate.flow import Pair

        made = self.result(derivation, source)
        number, step = start, source.fps / made.fps
        begin = int(number * step)
        before: Pixels | None = None
        last = begin - 1
        for last, frame in enumerate(read(begin), begin):
            pair: Pair | None = None
            while before is not None and number * step < last and number < made.frames:
                time = number * step - (last - 1)
                if time > 0 and pair is None:
                    work.check()
                    pair = Pair.of(before, frame)
                work.check()
                yield pair.between(time) if pair is not None and time > 0 else before
                number += 1
            before = frame
        while before is not None and number < made.frames and number * step < last + 1:
            yield before  # it is shown as long as the last one was
            number += 1


def _fps(derivation: Derivation) -> float:
    fps = derivation.settings.get("fps")
    is_number = isinstance(fps, int | float) and not isinstance(fps, bool)
    if not is_number or not LEAST_FPS <= float(fps) <= MOST_FPS:  # type: ignore[arg-type]
        raise BadRecipe(
            f"{fps} frames a second cannot be made; it must be from {LEAST_FPS:g} to {MOST_FPS:g}.",
            "Choose another number.",
            field="fps",
        )
    return float(fps)  # type: ignore[arg-type]
