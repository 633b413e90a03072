"""The size at which a model works on a picture of any size, when a part of it is made anew."""

from __future__ import annotations

from engine.protocol.family_info import FamilyInfo, nearest_size
from engine.protocol.inpainting import Inpainting


def working_size(
    how: Inpainting, picture: tuple[int, int], usual: tuple[int, int], info: FamilyInfo
) -> tuple[int, int]:
    """Width and height: the model's ``usual`` ones for the masked part alone; for the whole picture as many pixels, in
    the picture's shape, or the picture's own size where the model takes it."""
    if how.only_masked:
        return usual
    width, height = picture[0] + how.left + how.right, picture[1] + how.top + how.bottom
    most, step = usual[0] * usual[1], info.size_multiple
    if width % step == height % step == 0 and width * height <= most and min(width, height) >= info.min_size:
        return width, height
    factor = (most / (width * height)) ** 0.5
    return nearest_size(info, round(width * factor)), nearest_size(info, round(height * factor))
