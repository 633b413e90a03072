"""The pictures that a generation is given, as pixels of the recipe's size."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.files import PICTURE_LIMIT, read_regular
from engine.media import pictures
from engine.protocol.commands import Generate
from engine.protocol.errors import BadRecipe
from engine.protocol.inputs import Role
from engine.protocol.recipe import Recipe


def pinned(job: Generate) -> Recipe:
    """The job's recipe with the hash of each of its inputs, where it has none yet: results say what they came from.

    Raises ``BadRecipe`` where a file is gone, ``BadFile`` where it is too large.
    """
    recipe = job.recipe
    inputs = [
        one if one.sha256 else one.replace(sha256=hashlib.sha256(read_content(file)).hexdigest())
        for one, file in zip(recipe.inputs, files_of(job), strict=True)
    ]
    return recipe.replace(inputs=tuple(inputs))


def files_of(job: Generate) -> tuple[Path, ...]:
    """The file of each input, in their order."""
    return tuple(Path(one.path) for one in job.input_files or job.recipe.inputs)


def read_input(job: Generate, *roles: Role) -> Tensor:
    """The first input in one of ``roles``, as ``read_picture`` reads it, held to its content."""
    recipe = job.recipe
    one, file = next((one, file) for one, file in zip(recipe.inputs, files_of(job), strict=True) if one.role in roles)
    return read_picture(file, recipe.width, recipe.height, one.sha256)


def read_picture(path: Path, width: int, height: int, sha256: str = "") -> Tensor:
    """[height, width, 3] uint8 RGB. Of a picture of another shape the middle is taken, scaled to cover the size.

    A picture of the very size is not touched; transparency lies on white. Raises ``BadFile``, or ``BadRecipe`` where
    the file is gone or its content is not that of ``sha256``.
    """
    from PIL import Image, ImageOps

    rgb = pictures.decode(read_content(path, sha256), path)
    if rgb.size != (width, height):
        rgb = ImageOps.fit(rgb, (width, height), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(rgb))


def read_content(path: Path, sha256: str = "") -> bytes:
    """Of an input's file. Raises ``BadRecipe`` where it is gone or is not that of ``sha256``."""
    try:
        content = read_regular(path, PICTURE_LIMIT)
    except FileNotFoundError as error:
        raise BadRecipe(
            f"The picture to start from is not there: {path}.", "Choose it again, or take it out.", field="inputs"
        ) from error
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        reason = getattr(error, "strerror", None) or str(error)
        raise BadRecipe(
            f"The picture to start from, {path}, cannot be read: {reason}.",
            "Choose another picture, or take it out.",
            field="inputs",
        ) from error
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise BadRecipe(
            f"{path} is no longer the picture that the recipe was made with.",
            "Choose the picture again.",
            field="inputs",
        )
    return content
