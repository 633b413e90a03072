"""Save a result with its recipe inside: the whole file or nothing, durable once the call returns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.media import atomic, mp4, png, tags
from engine.media.environment import Environment
from engine.media.pixels import Pixels, pixels_sha256
from engine.protocol.errors import from_os_error
from engine.protocol.recipe import Recipe


def save_image(
    array: Pixels,
    path: Path,
    recipe: Recipe,
    environment: Environment,
    more: Mapping[str, str] | None = None,
    *,
    new: bool = False,
) -> str:
    """Write ``array`` ([H, W, 3] uint8 RGB) as a PNG and return its ``pixels_sha256``.

    ``more`` are texts for other programs. The folder is made if missing; an existing ``path`` is replaced, or with
    ``new`` a ``FileExistsError``. Raises ``NoSpace`` or ``NotWritable``, and then leaves nothing behind.
    """
    digest = pixels_sha256(array)
    data = png.encode(array, _texts(recipe, environment, digest), more)
    try:
        atomic.write_bytes(Path(path), data, new=new)
    except FileExistsError:
        raise
    except OSError as error:
        raise from_os_error(error, "saving the picture", path) from error
    return digest


def save_video(
    frames: Pixels, path: Path, fps: float, recipe: Recipe, environment: Environment, *, new: bool = False
) -> str:
    """Write ``frames`` ([T, H, W, 3] uint8 RGB, even size) as an MP4 and return the ``pixels_sha256`` of ``frames``.

    H.264 is lossy: the hash is of the frames before encoding, so "reproduce" runs the recipe again and compares the
    new frames with this hash, never with decoded ones. Raises as ``save_image``.
    """
    digest = pixels_sha256(frames)
    texts = _texts(recipe, environment, digest)
    texts[tags.COMMENT] = texts[tags.RECIPE]
    try:
        with atomic.replacing(Path(path), new=new) as temporary:
            mp4.encode(frames, temporary, fps, texts)
    except FileExistsError:
        raise
    except OSError as error:
        raise from_os_error(error, "saving the clip", path) from error
    return digest


def _texts(recipe: Recipe, environment: Environment, digest: str) -> dict[str, str]:
    return {
        tags.RECIPE: recipe.for_files().to_json(),
        tags.ENVIRONMENT: environment.to_json(),
        tags.PIXELS_SHA256: digest,
    }
