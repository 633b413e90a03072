"""What a derivation is made from: its facts without decoding it, and its frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from engine.derive.kind import Medium, Read
from engine.derive.kinds import kind_of
from engine.files import open_regular
from engine.media import metadata, mp4, pictures, png
from engine.media.frames import ClipReader, to_rgb
from engine.media.known import CLIP_LIMIT, KnownMedia
from engine.media.pixels import Pixels
from engine.protocol.derivation import Derivation, Source
from engine.protocol.errors import BadFile
from engine.protocol.recipe import Recipe

_WHOLE = 0.98
"""Part of the frames that a clip claims which have to be there: edit lists hide a few."""


class Origin(msgspec.Struct, frozen=True):
    """A file and what it says of how it came to be; ``recipe`` and ``derivation`` None where it says nothing."""

    medium: Medium
    recipe: Recipe | None = None
    derivation: Derivation | None = None


def origin_of(path: Path) -> Origin:
    """Raises ``BadFile`` with a sentence for what is neither a picture nor a clip, or is too large to read."""
    try:
        with open_regular(path) as file:
            start = file.read(16)
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.", "Check the name and your permission.") from error
    if start.startswith(png.SIGNATURE) or not pictures.is_picture(start):
        found = metadata.read(path)
        if found.kind == "video":
            ClipReader(path).close()  # whose limits hold
        medium = Medium(found.kind, found.width, found.height, found.frames, found.fps)
        _limit(medium, path)
        return Origin(medium, found.recipe, found.derivation)
    return Origin(Medium("image", *pictures.size_of(path), 1, 0.0))


def settled(derivation: Derivation, known: KnownMedia, beside: Sequence[Path] = ()) -> tuple[Derivation, Path, Origin]:
    """``derivation`` with the content of its source and with what made that in its turn, the source's file (where it
    says, among ``beside``, or where this content was seen), and what that is.

    Raises ``BadRecipe`` where it is not there or has changed, and what ``origin_of`` and ``Kind.result`` raise.
    """
    source = derivation.source
    path = known.locate(source.path, source.sha256, beside)
    origin = origin_of(path)
    known_source = Source(str(path), known.remember(path, CLIP_LIMIT), origin.derivation)
    derivation = derivation.replace(source=known_source)
    kind_of(derivation).result(derivation, origin.medium)
    return derivation, path, origin


def _limit(medium: Medium, path: Path) -> None:
    if medium.pixels > pictures.MAX_PIXELS:
        raise BadFile(f"{path.name} is {medium.width} × {medium.height}: too large.", "Choose a smaller one.")


def reader_of(path: Path, medium: Medium, check: Callable[[], None]) -> Read:
    """The frames of ``path``. A clip's are counted from its first each time: their times may be uneven."""

    import numpy as np

    def read(start: int) -> Iterator[Pixels]:
        if medium.kind == "image":
            yield from [np.asarray(pictures.read(path))][start:]
            return
        number = -1
        with ClipReader(path) as clip:
            for number, frame in enumerate(clip):
                check()
                if number >= start:
                    yield to_rgb(frame)
        if number + 1 < clip.frames * _WHOLE:
            raise mp4.damaged(f"it ends after {number + 1} of {clip.frames} frames")

    return read
