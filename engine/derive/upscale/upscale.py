"""Plain upscale: ``settings`` are ``scale`` (2, 3 or 4) and ``method`` (``lanczos``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from engine.derive.kind import Forecast, Medium, Read
from engine.media.pixels import Pixels
from engine.protocol.derivation import Derivation, Source
from engine.protocol.errors import BadFile, BadRecipe

SCALES = (2, 3, 4)
MAX_PIXELS = 128 * 1024 * 1024
"""Of a picture that comes of it: what Laterna opens again."""
MAX_FRAME_PIXELS = 64 * 1024 * 1024
MAX_CLIP_SIDE = 16_384
"""Of a clip: what its reader takes and H.264 holds."""
_BYTES_PER_PIXEL = {"image": 12, "video": 90}
_SECONDS_PER_MEGAPIXEL = {"image": 0.15, "video": 0.06}
_DISK_PER_PIXEL = {"image": 3.1, "video": 0.4}
"""By the pixels of the result (a clip's memory: of one frame, the encoder's queue included), measured on two cores."""


def upscaled(path: str, scale: int, sha256: str = "", before: Derivation | None = None) -> Derivation:
    """The derivation that makes the file at ``path`` ``scale`` times as wide and high."""
    return Derivation("upscale", Source(path, sha256, before), {"scale": scale, "method": "lanczos"})


class Upscale:
    id = "upscale"

    def result(self, derivation: Derivation, source: Medium) -> Medium:
        scale = _scale(derivation)
        width, height = source.width * scale, source.height * scale
        if source.kind == "video":  # H.264 takes even sizes only: the last column or row of an odd one is left out
            width, height = width - width % 2, height - height % 2
            fits = width * height <= MAX_FRAME_PIXELS and max(width, height) <= MAX_CLIP_SIDE
        else:
            fits = width * height <= MAX_PIXELS
        if not fits:
            raise BadFile(
                f"{scale} times {source.width} × {source.height} would be {width * height / 1e6:.0f} megapixels:"
                " too large.",
                "Take a smaller scale, or a smaller source.",
                field="scale",
            )
        return msgspec.structs.replace(source, width=width, height=height)

    def forecast(self, derivation: Derivation, source: Medium) -> Forecast:
        made = self.result(derivation, source)
        total = made.pixels * made.frames
        return Forecast(
            memory=made.pixels * _BYTES_PER_PIXEL[made.kind],
            seconds=total / 1e6 * _SECONDS_PER_MEGAPIXEL[made.kind],
            disk=int(total * _DISK_PER_PIXEL[made.kind]),
        )

    def stem(self, derivation: Derivation) -> str:
        return f"{derivation.source.name.rpartition('.')[0] or derivation.source.name}_x{_scale(derivation)}"

    def frames(self, derivation: Derivation, read: Read, start: int, check: Callable[[], None]) -> Iterator[Pixels]:
        from engine.derive.upscale.lanczos import enlarge

        for frame in read(start):
            yield enlarge(frame, _scale(derivation), check)


def _scale(derivation: Derivation) -> int:
    scale, method = derivation.settings.get("scale"), derivation.settings.get("method", "lanczos")
    if scale not in SCALES or isinstance(scale, bool) or not isinstance(scale, int):
        raise BadRecipe(f"The scale is {scale}; it must be 2, 3 or 4.", "Choose one of them.", field="scale")
    if method != "lanczos":
        raise BadRecipe(f"This Laterna cannot enlarge by “{method}”.", "Update Laterna.", field="method")
    return scale
