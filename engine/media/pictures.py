"""Pictures that come in, of any common format, as 8-bit sRGB: the one reader for all of them.

Start pictures, control pictures, masks, what is made larger, what is trained on and what is dropped go through here.
The file may come from anyone: its kind is told by its content, its size is checked before its pixels are decoded.
"""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.files import PICTURE_LIMIT, open_regular, read_regular
from engine.protocol.errors import BadFile

if TYPE_CHECKING:
    from types import ModuleType

    from PIL.Image import Image

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".heic", ".heif", ".hif", ".tif", ".tiff", ".bmp", ".gif")
MAX_PIXELS = 128 * 1024 * 1024
KINDS = "PNG, JPEG, WebP, AVIF, HEIC, TIFF, BMP, GIF"
WHITE = (255, 255, 255)

_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "HEIF", "TIFF", "BMP", "DIB", "GIF")
_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"GIF87a", b"GIF89a")
_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
_ORIENTATION = 0x0112
START_BYTES = 16
"""What ``is_picture`` has to see."""


def is_picture(start: bytes) -> bool:
    """Whether a file that begins so claims to be a picture that ``read`` knows."""
    if start[4:8] == b"ftyp":
        return start[8:12] in _BRANDS
    if start.startswith(b"BM"):
        return start[6:10] == bytes(4)  # which no text has
    return start.startswith(_STARTS) or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")


def size_of(path: Path) -> tuple[int, int]:
    """Width and height as it is looked at (EXIF's orientation counts), nothing decoded. Raises ``BadFile``."""
    try:
        with open_regular(path) as file:
            image = _opened(file, path)
            is_lying = image.format != "TIFF" and _orientation(image) >= 5  # Pillow turns TIFFs itself
            return image.size[::-1] if is_lying else image.size
    except OSError as error:
        raise _unread(path) from error


def read(path: Path, background: tuple[int, int, int] = WHITE) -> Image:
    """As ``decode``, of the file's content."""
    try:
        content = read_regular(path, PICTURE_LIMIT)
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.", "Check the name and your permission.") from error
    return decode(content, path, background)


def decode(content: bytes, path: Path, background: tuple[int, int, int] = WHITE) -> Image:
    """The picture (of an animation the first) in mode RGB: 8 bits, sRGB, upright, transparency on ``background``.

    16 bits are rounded to 8; ICC profiles, and the code points and gamma that a file states, count; light beyond white
    (PQ, HLG) becomes white. Numbers with a point are taken from 0 to 1, or to 255. ``path`` names it in sentences.
    Raises ``BadFile``.
    """
    image = _opened(io.BytesIO(content), path)
    try:
        image.load()
        turned = _orientation(image)
        flat = _flat(_in_srgb(_in_8_bits(image, path), content), background)
        return _upright(flat, turned)
    except BadFile:
        raise
    except Exception as error:  # the readers of so many formats raise whatever damaged bytes lead them to
        raise _unread(path) from error


def exif_of(path: Path) -> bytes:
    """The EXIF of a picture as the TIFF structure that it is; empty where there is none. Raises ``BadFile``."""
    try:
        with open_regular(path) as file:
            image = _opened(file, path)
            raw = image.info.get("exif")
            if image.format == "TIFF":
                with suppress(Exception):
                    raw = image.getexif().tobytes()
    except OSError as error:
        raise _unread(path) from error
    return raw.removeprefix(b"Exif\0\0") if isinstance(raw, bytes) else b""


def pillow() -> ModuleType:
    """``PIL.Image``, with HEIC, and without its own limit of pixels, which warns where ours refuses."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    if "HEIF" not in Image.OPEN:
        import pillow_heif

        pillow_heif.register_heif_opener(thumbnails=False)
    return Image


def _opened(file: Any, path: Path) -> Image:
    images = pillow()
    try:
        image: Image = images.open(file, formats=_FORMATS)
        size = image.size
    except Exception as error:
        raise _unread(path) from error
    if size[0] * size[1] > MAX_PIXELS:
        raise BadFile(f"{path.name} is {size[0]} × {size[1]}: too large.", "Choose a smaller one.")
    if min(size) < 1:
        raise _unread(path)
    return image


def _unread(path: Path) -> BadFile:
    return BadFile(f"{path.name} cannot be read as a picture.", f"Choose one that opens elsewhere: {KINDS}.")


def _orientation(image: Image) -> int:
    """EXIF's number for how the camera was held: 1 upright … 8. A damaged EXIF says nothing."""
    with suppress(Exception):
        said = image.getexif().get(_ORIENTATION, 1)
        return said if isinstance(said, int) and 1 <= said <= 8 else 1
    return 1


def _upright(image: Image, turned: int) -> Image:
    ways = pillow().Transpose
    way = {
        2: ways.FLIP_LEFT_RIGHT,
        3: ways.ROTATE_180,
        4: ways.FLIP_TOP_BOTTOM,
        5: ways.TRANSPOSE,
        6: ways.ROTATE_270,
        7: ways.TRANSVERSE,
        8: ways.ROTATE_90,
    }.get(turned)
    return image if way is None else image.transpose(way)


def _in_8_bits(image: Image, path: Path) -> Image:
    """Grey of more than 8 bits as "L"; everything else as it is, for Pillow brings colours of 16 bits to 8 itself."""
    import numpy as np

    if image.mode not in ("F", "I") and not image.mode.startswith("I;"):
        return image
    values = np.asarray(image)
    if image.mode.startswith("I;"):
        words = values.astype(np.uint16)
        grey = (words // 257 + (words % 257 > 128)).astype(np.uint8)
    else:
        most = float(values.max())
        if not np.isfinite(values).all() or values.min() < 0 or (image.mode == "F" and most > 255):
            raise BadFile(
                f"{path.name} holds brightness that no screen shows, as numbers with a point do.",
                "Save it with 8 or 16 bits.",
            )
        if image.mode == "F":
            white = 1.0 if most <= 1.0 else 255.0
        else:
            white = next(full for full in (255.0, 65535.0, 2.0**31 - 1) if most <= full)
        grey = (values * np.float32(255.0 / white) + np.float32(0.5)).astype(np.uint8)
    made: Image = pillow().fromarray(grey)
    made.info.update({key: image.info[key] for key in ("icc_profile", "gamma") if key in image.info})
    return made


def _in_srgb(image: Image, content: bytes) -> Image:
    """In mode RGB or RGBA."""
    from engine.media import colour  # the window asks for endings before it is shown, for colours never

    info = image.info
    has_alpha = image.has_transparency_data
    if image.mode in ("P", "PA", "RGBa", "RGBX"):
        image = image.convert("RGBA" if has_alpha else "RGB")
    elif image.mode == "La":
        image = image.convert("LA")
    if isinstance(profile := info.get("icc_profile"), bytes) and profile:
        image = colour.by_profile(image, profile)
    elif (coding := colour.stated(content, info)) is not None:
        alpha = image.convert("RGBA").getchannel("A") if has_alpha else None
        image = colour.by_coding(image.convert("RGB"), coding)
        if alpha is not None:
            image.putalpha(alpha)
    if image.mode == "LAB":
        image = _of_lab(image)
    if image.mode in ("RGB", "RGBA"):
        return image
    return image.convert("RGBA" if has_alpha else "RGB")


def _of_lab(image: Image) -> Image:
    from PIL import ImageCms

    to = ImageCms.createProfile("sRGB")
    made = ImageCms.profileToProfile(image, ImageCms.createProfile("LAB"), to, outputMode="RGB")
    return image if made is None else made


def _flat(image: Image, background: tuple[int, int, int]) -> Image:
    if image.mode == "RGB":
        return image
    images = pillow()
    below = images.new("RGBA", image.size, (*background, 255))
    flat: Image = images.alpha_composite(below, image).convert("RGB")
    return flat
