"""Exceptions as errors that a person can act on."""

from __future__ import annotations

import traceback

import torch

from engine.protocol.errors import LaternaError, OutOfMemory, UnknownFailure, from_os_error

_CPU_ALLOCATION_FAILED = ("can't allocate memory", "not enough memory", "Cannot allocate memory", "bad alloc")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a host or device allocation failed; PyTorch's CPU allocator raises a plain ``RuntimeError``."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError | OSError) and any(sign in str(error) for sign in _CPU_ALLOCATION_FAILED)


def named(error: Exception) -> LaternaError:
    """``error`` as a ``LaternaError``; what nobody foresaw becomes ``UnknownFailure`` with its traceback."""
    if isinstance(error, LaternaError):
        return error
    detail = "".join(traceback.format_exception(error))[-20_000:]
    if is_out_of_memory(error):
        where = "the graphics card's memory" if isinstance(error, torch.OutOfMemoryError) else "memory"
        return OutOfMemory(
            f"There is not enough of {where} for this." if where == "memory" else f"This does not fit into {where}.",
            "Choose a smaller size, fewer frames or a smaller batch, or close other programs.",
            detail=detail,
        )
    if isinstance(error, OSError) and error.errno is not None:
        known = from_os_error(error, "working with files", error.filename)
        known.detail = detail
        return known
    return UnknownFailure(
        f"Something went wrong that Laterna did not expect: {type(error).__name__}: {error}",
        "Try again; if it happens again, report it with the details.",
        detail=detail,
    )
