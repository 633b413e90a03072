"""Upscale: ``settings`` are ``scale`` (2, 3 or 4) and ``method``: ``lanczos``, or ``network`` with the fields of
``Upscaling`` that say which."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from engine.derive.kind import DerivationForecast, Medium, Read, Workplace
from engine.media.pixels import Pixels
from engine.models.upscalers import UpscalerFacts
from engine.protocol.derivation import Derivation, Source
from engine.protocol.errors import BadFile, BadRecipe
from engine.protocol.family_info import MAX_SAVED_FRAME_PIXELS, MAX_SAVED_PIXELS
from engine.protocol.upscaling import Upscaling, check_upscaling

MAX_CLIP_SIDE = 16_384
"""Of a clip: what its reader takes and H.264 holds."""
_BYTES_PER_PIXEL = {"image": 12, "video": 90}
_SECONDS_PER_MEGAPIXEL = {"image": 0.15, "video": 0.06}
_DISK_PER_PIXEL = {"image": 3.1, "video": 0.4}
"""By the pixels of the result (a clip's memory: of one frame, the encoder's queue included), measured on two cores."""


def upscaled(path: str, how: Upscaling | int, sha256: str = "", before: Derivation | None = None) -> Derivation:
    """The derivation that makes the file at ``path`` larger; a bare scale means by Lanczos resampling."""
    how = how if isinstance(how, Upscaling) else Upscaling(how)
    settings: dict[str, int | float | str | bool] = {"scale": how.scale, "method": "lanczos"}
    if how.network:
        settings = msgspec.structs.asdict(how) | {"method": "network"}
    return Derivation("upscale", Source(path, sha256, before), settings)


class Upscale:
    id = "upscale"

    def result(self, derivation: Derivation, source: Medium) -> Medium:
        scale = upscaling_of(derivation).scale
        width, height = source.width * scale, source.height * scale
        if source.kind == "video":  # H.264 takes even sizes only: the last column or row of an odd one is left out
            width, height = width - width % 2, height - height % 2
            fits = width * height <= MAX_SAVED_FRAME_PIXELS and max(width, height) <= MAX_CLIP_SIDE
        else:
            fits = width * height <= MAX_SAVED_PIXELS
        if not fits:
            raise BadFile(
                f"{scale} times {source.width} × {source.height} would be {width * height / 1e6:.0f} megapixels:"
                " too large.",
                "Take a smaller scale, or a smaller source.",
                field="scale",
            )
        return msgspec.structs.replace(source, width=width, height=height)

    def network(self, derivation: Derivation) -> Upscaling | None:
        how = upscaling_of(derivation)
        return how if how.network else None

    def forecast(
        self, derivation: Derivation, source: Medium, network: UpscalerFacts | None = None
    ) -> DerivationForecast:
        made = self.result(derivation, source)
        total = made.pixels * made.frames
        memory, seconds = 0.0, 0.0
        if network is not None:
            memory = network.tile_memory + source.pixels * network.scale**2 * 3
            seconds = source.pixels * source.frames / 1e6 * network.seconds
        return DerivationForecast(
            memory=int(made.pixels * _BYTES_PER_PIXEL[made.kind] + memory),
            seconds=total / 1e6 * _SECONDS_PER_MEGAPIXEL[made.kind] + seconds,
            disk=int(total * _DISK_PER_PIXEL[made.kind]),
        )

    def stem(self, derivation: Derivation) -> str:
        name = derivation.source.name
        return f"{name.rpartition('.')[0] or name}_x{upscaling_of(derivation).scale}"

    def frames(
        self, derivation: Derivation, source: Medium, read: Read, start: int, work: Workplace
    ) -> Iterator[Pixels]:
        how = upscaling_of(derivation)
        for frame in read(start):
            yield work.enlarged(frame, how)


def upscaling_of(derivation: Derivation) -> Upscaling:
    """Its settings. Raises ``BadRecipe``."""
    settings = dict(derivation.settings)
    method = settings.pop("method", "lanczos")
    if method not in ("lanczos", "network"):
        raise BadRecipe(f"This Laterna cannot enlarge by “{method}”.", "Update Laterna.", field="method")
    if settings.get("scale") is None:
        settings["scale"] = 0
    try:
        how = msgspec.convert(settings, Upscaling)
    except msgspec.ValidationError as error:
        raise BadRecipe(
            f"What this is to be made larger by cannot be read: {error}.", "Choose the upscaler again.", field="scale"
        ) from error
    check_upscaling(how)
    if (method == "network") != bool(how.network):
        raise BadRecipe("No upscaler is named for it.", "Choose one.", field="method")
    return how
