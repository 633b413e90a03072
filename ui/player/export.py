"""Writing what is seen: a frame of a clip as PNG with its recipe, and copies of files. Called on worker threads."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

from engine.files import OWN_LIMIT, read_regular
from engine.protocol.errors import from_os_error
from engine.protocol.recipe import Recipe

if TYPE_CHECKING:
    from engine.media.export import ClipExport

KEPT_FRAMES = 40
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".mp4", ".mov", ".webm", ".mkv", ".avi")


def frame_name(clip: Path, index: int) -> str:
    """``index`` counts from 0; the name, like the window, from 1."""
    return f"{clip.stem}-frame-{index + 1:04}.png"


def named_as(path: Path, suffix: str) -> Path:
    """Where a file of kind ``suffix`` goes when ``path`` was chosen: never in the place of a file that nobody asked
    about. An ending of another kind is replaced; what merely has a full stop in its name keeps all of it."""
    if path.suffix.lower() == suffix:
        return path
    from engine.library.naming import unused

    is_ending = path.suffix.lower() in ENDINGS
    return unused(path.with_suffix(suffix) if is_ending else path.with_name(path.name + suffix))


def save_frame(image: QImage, path: Path, recipe: Recipe | None, new: bool = False) -> Path:
    """Write the frame with its clip's recipe inside; ``new`` takes a free name beside ``path`` rather than replace what
    another clip of the same name left there. Raises ``NoSpace`` or ``NotWritable``."""
    import numpy as np

    from engine.media import atomic, png, tags

    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    pixels = lines[:, : rgb.width() * 3].reshape(rgb.height(), rgb.width(), 3)
    texts = {tags.RECIPE: recipe.for_files().to_json()} if recipe is not None else {}
    data = png.encode(np.ascontiguousarray(pixels), texts)
    try:
        if not new:
            atomic.write_bytes(path, data)
            return path
        from engine.library.naming import numbered

        for free in numbered(path):
            with suppress(FileExistsError):
                if not (free.is_file() and read_regular(free, OWN_LIMIT) == data):  # the very frame is there already
                    atomic.write_bytes(free, data, new=True)
                return free
    except OSError as error:
        raise from_os_error(error, "saving the frame", path) from error
    raise AssertionError("unreachable: the numbers do not end")


def frame_to_drag(image: QImage, folder: Path, name: str, recipe: Recipe | None) -> Path:
    """A frame as a file that can be dragged. The last ``KEPT_FRAMES`` stay: a target may read late."""
    _make_room(folder)
    return save_frame(image, folder / name, recipe, new=True)


def _make_room(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = (path for path in folder.iterdir() if path.is_file())
        old = sorted(files, key=lambda path: path.stat().st_mtime)
        for path in old[: max(0, len(old) - KEPT_FRAMES + 1)]:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise from_os_error(error, "saving the frame", folder) from error


def clip_to_drag(source: Path, folder: Path, export: ClipExport) -> Path:
    """A part of a clip as a file that can be dragged; the last ``KEPT_FRAMES`` files stay."""
    from engine.media.export import SUFFIXES, export_clip

    _make_room(folder)
    last = "end" if export.last is None else str(export.last + 1)
    name = f"{source.stem}-{export.first + 1}-{last}{SUFFIXES[export.format]}"
    from engine.library.naming import unused

    return export_clip(source, unused(folder / name), export)


def copy_file(source: Path, target: Path) -> Path:
    """A copy beside nothing: whole or not at all. Raises ``NoSpace`` or ``NotWritable``."""
    from engine.media import atomic

    try:
        if target.exists() and source.samefile(target):
            return target
        with atomic.replacing(target) as temporary:
            shutil.copyfile(source, temporary)
    except OSError as error:
        raise from_os_error(error, "saving the copy", target) from error
    return target
