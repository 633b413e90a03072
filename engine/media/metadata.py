"""What a PNG or MP4 says of itself. The file may come from anyone, so nothing in it is trusted."""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from engine.files import open_regular
from engine.media import animation, mp4, png, tags
from engine.media.environment import Environment
from engine.protocol.derivation import Derivation
from engine.protocol.errors import BadFile, BadRecipe
from engine.protocol.recipe import Recipe

SUFFIXES = {".png": "image", ".mp4": "video"}
_OWN = '{"version":'  # how a recipe begins
RECIPE_SUFFIXES = (*SUFFIXES, ".gif", ".webp")


class MediaInfo(msgspec.Struct, frozen=True):
    """``frames`` is 1 and ``fps`` 0 for a picture; ``recipe`` None where there is none, or where
    ``recipe_problem`` (a sentence) says why it cannot be used. ``pixels_sha256`` is what the file claims ("" if
    nothing): of the source frames for a clip, since MP4 is lossy. ``derivation`` is what made the file from
    another; ``recipe`` is then that of the first of its line."""

    kind: Literal["image", "video"]
    width: int
    height: int
    frames: int
    fps: float
    recipe: Recipe | None
    environment: Environment | None
    pixels_sha256: str
    recipe_problem: str = ""
    derivation: Derivation | None = None


def read(path: Path) -> MediaInfo:
    """Read size and metadata without decoding the pixels. The kind comes from the content, not from the name.

    Raises ``BadFile`` with a sentence for anything that is no sound PNG or MP4; never another exception.
    """
    path = Path(path)
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise BadFile(f"{path} is no file.", "Choose a PNG or MP4.")
        with open_regular(path) as file:
            start = file.read(16)
            file.seek(0)
            if start.startswith(png.SIGNATURE):
                width, height, texts = png.read_header(file)
                return _info("image", mp4.ClipHeader(width, height, 1, 0.0, texts))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadFile(f"{path} cannot be read: {reason}.", "Check the name and your permission.") from error
    if start[4:8] != b"ftyp":
        raise BadFile(f"{path.name} is neither a PNG nor an MP4.", "Choose a file that Laterna made.")
    return _info("video", mp4.read_header(path))


def read_recipe(path: Path) -> tuple[Recipe | None, str]:
    """The recipe in a PNG, MP4, GIF or WebP, or None with a sentence where the one in it cannot be used ("" where there
    is none). Raises ``BadFile`` for any other file, and where it cannot be read."""
    path = Path(path)
    with suppress(OSError), open_regular(path) as file:
        start = file.read(12)
        if animation.is_animation(start):
            text = animation.read_recipe(path)
            return _recipe(text) if text else (None, "")
    info = read(path)
    return info.recipe, info.recipe_problem


def _recipe(text: str) -> tuple[Recipe | None, str]:
    try:
        return Recipe.from_json(text), ""
    except BadRecipe as error:
        return None, str(error)


def _info(kind: Literal["image", "video"], header: mp4.ClipHeader) -> MediaInfo:
    texts = header.texts
    recipe: Recipe | None = None
    problem = ""
    text = texts.get(tags.RECIPE)
    if text is None and kind == "video" and texts.get(tags.COMMENT, "").startswith(_OWN):
        text = texts[tags.COMMENT]  # other programs' comments are JSON of their own
    if text is not None:
        recipe, problem = _recipe(text)
    environment = Environment.from_json(texts[tags.ENVIRONMENT]) if tags.ENVIRONMENT in texts else None
    digest = texts.get(tags.PIXELS_SHA256, "")
    derivation = None
    with suppress(BadRecipe):
        derivation = Derivation.from_json(texts[tags.DERIVATION]) if tags.DERIVATION in texts else None
    size = header.width, header.height, header.frames, header.fps
    return MediaInfo(kind, *size, recipe, environment, digest[:64], problem, derivation)
