"""A folder of captioned pictures or clips: `cat.png` and what it shows in `cat.txt` beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.files import open_regular
from engine.media import pictures
from engine.media.frames import ClipReader, to_rgb
from engine.protocol.errors import BadArguments, BadFile, from_os_error
from engine.texts import text_of
from engine.worker.pictures import read_picture

PICTURES = pictures.ENDINGS
CLIPS = (".mp4", ".mov", ".webm", ".mkv")
MAX_CAPTION_BYTES = 64 * 1024
BROKEN = "\ufffd"
"""What stands for bytes that are no text: nothing is trained on such a caption."""


@dataclass(frozen=True)
class Example:
    path: Path
    caption: str


def read_examples(folder: Path, caption: str = "", clips: bool = False) -> list[Example]:
    """The folder's pictures (with `clips` also clips) in the order of their names, those in folders below it included.

    `caption` is for those without a text file of their own. Raises `BadArguments` or `BadFile` with what is wrong.
    """
    suffixes = PICTURES + CLIPS if clips else PICTURES
    try:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes and path.is_file())
        if not folder.is_dir():
            raise BadArguments(f"There is no folder {folder}.", "Name the folder with the pictures: --data FOLDER.")
    except OSError as error:
        raise from_os_error(error, "reading the pictures", folder) from error
    if not paths:
        raise BadArguments(f"{folder} holds no pictures.", f"Put some there: {', '.join(suffixes)}.")
    return [Example(path, _caption(path, caption)) for path in paths]


def _caption(path: Path, otherwise: str) -> str:
    text = path.with_suffix(".txt")
    if not text.is_file():
        if otherwise:
            return otherwise
        raise BadArguments(
            f"{path.name} has no caption.",
            f"Write what it shows into {text.name}, or give one for all: --caption TEXT.",
        )
    try:
        with open_regular(text) as file:
            raw = file.read(MAX_CAPTION_BYTES)
    except OSError as error:
        raise from_os_error(error, "reading the caption", text) from error
    read = text_of(raw)
    if len(raw) == MAX_CAPTION_BYTES:
        read = read.removesuffix(BROKEN)  # cut within a character
    if BROKEN in read:
        raise BadFile(f"{text} is no text that can be read.", "Save it as UTF-8.")
    return " ".join(read.split()) or otherwise


def nearest_size(path: Path, sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The `(width, height)` among `sizes` whose shape is nearest to the picture's or clip's."""
    if len(sizes) == 1:
        return sizes[0]
    if path.suffix.lower() in CLIPS:
        with ClipReader(path) as reader:
            shape = reader.width / reader.height
    else:
        width, height = pictures.size_of(path)
        shape = width / height
    return min(sizes, key=lambda size: abs(np.log(size[0] / size[1] / shape)))


def read_pixels(path: Path, size: tuple[int, int], frames: int = 1) -> np.ndarray:
    """`[T, height, width, 3]` uint8; a picture is one frame, a clip its first `frames`. Raises `BadFile`."""
    width, height = size
    if path.suffix.lower() not in CLIPS:
        return read_picture(path, width, height).numpy()[None]
    from PIL import Image, ImageOps

    found: list[np.ndarray] = []
    with ClipReader(path) as reader:
        for frame in reader:
            if len(found) == frames:
                break
            found.append(np.array(ImageOps.fit(Image.fromarray(to_rgb(frame)), size, Image.Resampling.LANCZOS)))
    if len(found) < frames:
        raise BadFile(f"{path.name} has {len(found)} frames; {frames} are needed.", "Take it out, or train on fewer.")
    return np.stack(found)
