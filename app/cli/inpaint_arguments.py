"""The flags that say which part of a picture is made anew."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from app.cli.parser import Namespace
from engine.derive.sources import origin_of
from engine.files import PICTURE_LIMIT, read_regular
from engine.models.installed import InstalledModel
from engine.protocol.errors import BadArguments, BadFile
from engine.protocol.inpainting import Inpainting
from engine.protocol.inputs import Input
from engine.protocol.recipe import Recipe
from engine.protocol.working_size import working_size

_FLAGS = ("only_masked", "margin", "feather", "fill")


def inpainting_changes(
    arguments: Namespace, base: Recipe | None, model: InstalledModel, start: Input | None
) -> dict[str, Any]:
    """Changes of the recipe, without its inputs; empty where no flag asks for any. What is worked on gets the picture's
    shape, or the model's own size, where no flag says otherwise; the result is not made larger by itself."""
    given = {name: value for name in _FLAGS if (value := getattr(arguments, name)) is not None}
    if arguments.expand is not None:
        given |= dict(zip(("left", "top", "right", "bottom"), _sides(arguments.expand), strict=True))
    if not given and arguments.mask is None:
        return {}
    before = (base.inpainting if base is not None else None) or Inpainting()
    how = msgspec.structs.replace(before, **given)
    changes: dict[str, Any] = {"inpainting": how}
    if arguments.upscale is None and base is None:
        changes["upscaling"] = None
    if start is not None and arguments.width is None and arguments.height is None and base is None:
        medium = origin_of(Path(start.path)).medium
        usual = model.info.defaults.width, model.info.defaults.height
        width, height = working_size(how, (medium.width, medium.height), usual, model.family)
        changes |= {"width": width, "height": height}
    return changes


def mask_of(arguments: Namespace, base: Recipe | None) -> Input | None:
    """The mask that the flags name, or that of ``base``."""
    if arguments.mask is None:
        return base.input_of("mask") if base is not None else None
    path = Path(arguments.mask).resolve()
    try:
        return Input("mask", str(path), hashlib.sha256(read_regular(path, PICTURE_LIMIT)).hexdigest())
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error


def _sides(text: str) -> tuple[int, ...]:
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        found = ()
    if len(found) != 4:
        raise BadArguments(f"--expand is {text}.", "Give four numbers: left,top,right,bottom.")
    return found
