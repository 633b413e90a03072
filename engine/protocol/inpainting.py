"""``Inpainting``: how the part of a picture that its mask names is made anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

Fill = Literal["stretch", "blur", "noise"]
MOST_PIXELS = 8192
"""Of a margin, a feather, or what is added at one side."""


class Inpainting(msgspec.Struct, frozen=True, omit_defaults=True):
    """All lengths are in pixels of the picture, which keeps its own size; what is worked on is scaled to the recipe's.

    ``only_masked``: the masked part with ``margin`` around it is worked on, so that a small face gets all of the
    model's pixels; otherwise the whole picture. ``feather``: over this width within the mask's edge old goes over into
    new; outside of the mask nothing changes.

    ``left``, ``top``, ``right`` and ``bottom`` are added at the picture's sides, and made anew (outpainting); they
    begin from the edge ``stretch``ed, from a ``blur`` of it, or from ``noise``.
    """

    only_masked: bool = False
    margin: int = 32
    feather: int = 8
    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0
    fill: Fill = "stretch"

    @property
    def grows(self) -> bool:
        return bool(self.left or self.top or self.right or self.bottom)


def check_inpainting(
    how: Inpainting | None, has_picture: bool, has_mask: bool, refuse: Callable[[str, str, str], None]
) -> None:
    """Call ``refuse`` with field, sentence and remedy for what makes no sense."""
    if (has_mask or how is not None) and not has_picture:
        refuse("inputs", "A mask says which part of a picture is made anew; there is no picture.", "Choose one.")
    if how is None:
        return
    if not has_mask and not how.grows:
        refuse("inputs", "Nothing says which part of the picture is to be made anew.", "Choose a mask.")
    lengths = (how.margin, how.feather, how.left, how.top, how.right, how.bottom)
    if not all(0 <= length <= MOST_PIXELS for length in lengths):
        refuse(
            "inpainting",
            f"Margin, feather and what is added at the sides must be from 0 to {MOST_PIXELS} pixels.",
            "Choose other values.",
        )
