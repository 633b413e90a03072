"""Colours of a picture file brought to sRGB: by its ICC profile, or by the code points and gamma that it states.

Sources: ITU-T H.273 for code points, ITU-R BT.2100 for PQ and HLG, BT.2408 for 203 cd/m² as the white of papers and
windows, IEC 61966-2-1 for sRGB.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL.Image import Image

    Floats = npt.NDArray[np.float32]

Primaries = tuple[float, float, float, float, float, float]
"""x and y of red, green and blue; white is D65."""

BT709: Primaries = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_PRIMARIES: dict[int, Primaries] = {
    1: BT709,
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
_PQ, _HLG, _LINEAR = 16, 18, 8
_GAMMAS = {4: 2.2, 5: 2.8}
_WHITE = 203.0
_SAME = 2
"""Steps of 255 by which a profile may differ from sRGB and is sRGB: its versions round differently."""
_ROWS = 256


class Coding(NamedTuple):
    """How a file's numbers mean light. ``transfer`` is a code point, or 0 for the exponent ``gamma``."""

    primaries: Primaries
    transfer: int
    gamma: float = 0.0


def by_profile(image: Image, profile: bytes) -> Image:
    """``image`` in sRGB ("RGB", or "RGBA" where it has alpha), by its ICC ``profile``; as it is where that is damaged
    or for another kind of picture."""
    from PIL import Image as images
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip().lower()
        mode = {"rgb": "RGB", "gray": "L", "cmyk": "CMYK", "lab": "LAB"}[space]
        if (mode in ("CMYK", "LAB")) != (image.mode in ("CMYK", "LAB")) or (mode == "L") != (image.mode in _GREYS):
            return image
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if mode == "RGB" and _is_srgb(lambda sample: ImageCms.applyTransform(sample, transform) or sample):
            return image
        alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
        colours = ImageCms.applyTransform(image.convert(mode), transform)
    except (ImageCms.PyCMSError, OSError, ValueError, KeyError, TypeError):
        return image
    if colours is None:
        return image
    if alpha is not None:
        colours = images.merge("RGBA", (*colours.split(), alpha))
    return colours


_GREYS = ("1", "L", "LA", "La")


def _is_srgb(convert: Callable[[Image], Image]) -> bool:
    import numpy as np
    from PIL import Image as images

    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    sample = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(27, 27, 3)
    converted = np.asarray(convert(images.fromarray(sample)), np.int16)
    return bool(np.abs(converted - sample).max() <= _SAME)


def stated(content: bytes, info: Mapping[Any, Any]) -> Coding | None:
    """What a PNG's cICP, gAMA and cHRM or an AVIF's or HEIC's nclx state; None where that is sRGB, or nothing."""
    if content.startswith(b"\x89PNG"):
        place = content.find(b"cICP", 0, max(content.find(b"IDAT"), 0))
        if place > 0:
            return _of_code_points(content[place + 4], content[place + 5])
        if "srgb" in info or not isinstance(gamma := info.get("gamma"), float) or not 0.1 < gamma < 10:
            return None
        primaries, said = BT709, info.get("chromaticity")
        if isinstance(said, tuple) and len(said) == 8 and _is_d65(said[0], said[1]) and max(said) < 1:
            primaries = said[2:]
        is_usual = abs(gamma - 1 / 2.2) < 0.02 and max(abs(a - b) for a, b in zip(primaries, BT709, strict=True)) < 0.01
        return None if is_usual else Coding(primaries, 0, 1 / gamma)
    if content[4:8] == b"ftyp":
        place = content.find(b"colrnclx", 0, 1 << 20)
        if 0 < place < len(content) - 12:
            points = content[place + 8 : place + 12]
            return _of_code_points(int.from_bytes(points[:2], "big"), int.from_bytes(points[2:], "big"))
    return None


def _of_code_points(primaries: int, transfer: int) -> Coding | None:
    known = _PRIMARIES.get(primaries, BT709)
    if transfer in (_PQ, _HLG, _LINEAR):
        return Coding(known, transfer)
    if transfer in _GAMMAS:
        return Coding(known, 0, _GAMMAS[transfer])
    return Coding(known, 0, 0.0) if known != BT709 else None


def _is_d65(x: float, y: float) -> bool:
    return abs(x - 0.3127) < 0.005 and abs(y - 0.3290) < 0.005


def by_coding(image: Image, coding: Coding) -> Image:
    """``image`` ("RGB") in sRGB, as ``coding`` says; light beyond white is white."""
    import numpy as np
    from PIL import Image as images

    values = np.asarray(image)
    light = _light(coding, np.linspace(0, 1, 256, dtype=np.float32))
    matrix = (np.linalg.inv(_to_xyz(BT709)) @ _to_xyz(coding.primaries)).astype(np.float32)
    luminance = _to_xyz(coding.primaries)[1].astype(np.float32)
    made = np.empty_like(values)
    for start in range(0, len(values), _ROWS):
        rgb = light[values[start : start + _ROWS]]
        if coding.transfer == _HLG:  # BT.2100's OOTF for a screen of 1000 cd/m²
            rgb = rgb * (np.maximum(rgb @ luminance, 1e-6) ** 0.2)[..., None] * (1000 / _WHITE)
        made[start : start + _ROWS] = _encoded(np.clip(rgb @ matrix.T, 0, 1))
    return images.fromarray(made)


def _encoded(light: Floats) -> npt.NDArray[np.uint8]:
    import numpy as np

    return (np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055) * 255).round().astype("u1")


def _light(coding: Coding, values: Floats) -> Floats:
    """Linear light for each of ``values``, 1 being white (for HLG: the scene's light, 1 being the most there is)."""
    import numpy as np

    if coding.transfer == _PQ:
        power = values ** np.float32(32 / 2523)
        nits = 10000 * (np.maximum(power - 107 / 128, 0) / (2413 / 128 - 2392 / 128 * power)) ** np.float32(
            16384 / 2610
        )
        return np.asarray(nits / _WHITE, np.float32)
    if coding.transfer == _HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        return np.where(values <= 0.5, values**2 / 3, (np.exp((values - c) / a) + b) / 12).astype(np.float32)
    if coding.transfer == _LINEAR:
        return values
    if coding.gamma:
        return np.asarray(values ** np.float32(coding.gamma), np.float32)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _to_xyz(primaries: Primaries) -> npt.NDArray[np.float64]:
    """[3, 3]: from linear RGB of these primaries and white D65 to CIE XYZ."""
    import numpy as np

    columns = [[x / y, 1.0, (1 - x - y) / y] for x, y in zip(primaries[::2], primaries[1::2], strict=True)]
    matrix = np.array(columns).T
    white = np.array([0.3127 / 0.3290, 1.0, (1 - 0.3127 - 0.3290) / 0.3290])
    return np.asarray(matrix * np.linalg.solve(matrix, white))
