"""``Upscaling``: how something is made larger, all that decides the pixels of it."""

from __future__ import annotations

import msgspec

from engine.protocol.errors import BadRecipe

SCALES = (2, 3, 4)
LANCZOS = "Lanczos"


class Upscaling(msgspec.Struct, frozen=True, omit_defaults=True):
    """``scale`` times as wide and high, by the network whose file has the SHA-256 ``network``, or by Lanczos resampling
    where that is "". ``name`` is what the network is called, for people.

    ``tile`` is the side of the squares that the network sees at once, ``overlap`` how far each reaches beyond the part
    of it that is used, in pixels of the source; multiples of 16, since networks with windows begin theirs there.
    """

    scale: int = 2
    network: str = ""
    name: str = ""
    tile: int = 0
    overlap: int = 0

    @property
    def by(self) -> str:
        return self.name or (self.network[:12] if self.network else LANCZOS)


def check_upscaling(how: Upscaling) -> None:
    """Raises ``BadRecipe`` where it makes no sense."""
    if how.scale not in SCALES or isinstance(how.scale, bool):
        raise BadRecipe(f"The scale is {how.scale}; it must be 2, 3 or 4.", "Choose one of them.", field="scale")
    if how.network and not (16 <= how.overlap * 2 < how.tile <= 4096 and how.tile % 16 == how.overlap % 16 == 0):
        raise BadRecipe(
            f"Tiles of {how.tile} pixels that overlap by {how.overlap} cannot be used.",
            "Choose the upscaler again.",
            field="scale",
        )
