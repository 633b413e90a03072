"""The picture that a generation starts from, as pixels of the recipe's size."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import Tensor

from engine.files import PICTURE_LIMIT, read_regular
from engine.protocol.errors import BadFile, BadRecipe
from engine.protocol.recipe import InputMedia, Recipe

MAX_PIXELS = 128 * 1024 * 1024


def pinned(recipe: Recipe) -> Recipe:
    """``recipe`` with the hash of its picture, where it has none yet: results say which picture they came from.

    Raises ``BadRecipe`` where the file is gone.
    """
    media = recipe.input
    if media is None or media.sha256:
        return recipe
    digest = hashlib.sha256(_content(media)).hexdigest()
    return recipe.replace(input=msgspec.structs.replace(media, sha256=digest))


def read_picture(media: InputMedia, width: int, height: int) -> Tensor:
    """[height, width, 3] uint8 RGB. Of a picture of another shape the middle is taken, scaled to cover the size.

    A picture of the very size is not touched; transparency lies on white. Raises ``BadFile``, or ``BadRecipe`` where
    the file is gone or is no longer the one that the recipe names.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    content = _content(media)
    try:
        with Image.open(io.BytesIO(content)) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise BadFile(
                    f"{media.path} is {picture.width} × {picture.height}: too large.", "Choose a smaller one."
                )
            upright = ImageOps.exif_transpose(picture)
            if upright.has_transparency_data:
                layer = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
            rgb = upright.convert("RGB")
            if rgb.size != (width, height):
                rgb = ImageOps.fit(rgb, (width, height), Image.Resampling.LANCZOS)
            return torch.from_numpy(np.array(rgb))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise BadFile(f"{media.path} cannot be read as a picture.", "Choose another picture.") from error


def _content(media: InputMedia) -> bytes:
    path = Path(media.path)
    try:
        content = read_regular(path, PICTURE_LIMIT)
    except FileNotFoundError as error:
        raise BadRecipe(
            f"The picture to start from is not there: {path}.", "Choose it again, or take it out.", field="input"
        ) from error
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        reason = getattr(error, "strerror", None) or str(error)
        raise BadRecipe(
            f"The picture to start from, {path}, cannot be read: {reason}.",
            "Choose another picture, or take it out.",
            field="input",
        ) from error
    if media.sha256 and hashlib.sha256(content).hexdigest() != media.sha256:
        raise BadRecipe(
            f"{path} is no longer the picture that the recipe was made with.",
            "Choose the picture again.",
            field="input",
        )
    return content
