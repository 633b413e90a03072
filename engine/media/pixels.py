"""The fingerprint of a result: SHA-256 over its shape and its uint8 pixels, before any file format touches them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# A string: the window imports this module before it may import numpy.
Pixels: TypeAlias = "npt.NDArray[np.uint8]"


def pixels_sha256(array: npt.NDArray[Any]) -> str:
    """Hex SHA-256 of ``array``: uint8, shape [H, W, 3] (a picture) or [T, H, W, 3] (a clip), RGB.

    The digest covers ``b"uint8 "``, the sizes as decimal numbers joined by ``x``, a newline, and the bytes in C order,
    so two arrays with the same bytes but another shape differ. Raises ``ValueError`` for any other array.
    """
    import numpy as np

    if array.dtype != np.uint8 or array.ndim not in (3, 4) or array.shape[-1] != 3:
        raise ValueError(f"pixels are uint8 [H, W, 3] or [T, H, W, 3], not {array.dtype} {list(array.shape)}")
    digest = hashlib.sha256(b"uint8 " + "x".join(map(str, array.shape)).encode() + b"\n")
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def parts_sha256(parts: Iterable[str]) -> str:
    """Hex SHA-256 over the digests of a clip's frames, or of its parts, in order: for one that is too long to hold."""
    digest = hashlib.sha256(b"parts\n")
    for part in parts:
        digest.update(part.encode() + b"\n")
    return digest.hexdigest()
