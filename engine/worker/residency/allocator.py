"""How the C library gives memory back that tensors on a CPU have let go of."""

from __future__ import annotations

import ctypes
import sys

M_MMAP_THRESHOLD = -3
LARGE = 16 * 2**20
"""Bytes from which an allocation goes back to the system as soon as it is freed. With 4 MiB a transformer takes a tenth
longer, since fresh memory has to be cleared; with 16 MiB none of that was measured, and a VAE needs no more."""


def give_back_freed_memory() -> bool:
    """Have every large tensor's memory go back at once; whether the C library takes the wish.

    glibc raises its threshold by itself up to 32 MiB, as tensors are freed, and keeps what is smaller in a heap with
    holes. A VAE's activations lie in that range: decoding then takes a third more memory than its tensors.
    """
    if sys.platform != "linux":
        return False
    try:
        return bool(ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE))
    except (OSError, AttributeError):  # another C library
        return False
