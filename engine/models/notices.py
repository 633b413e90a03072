"""What the model service tells whoever listens: the window, or the command line."""

from __future__ import annotations

import msgspec

from engine.models.download import DownloadProgress
from engine.models.verify import Verification
from engine.protocol.errors import ErrorInfo


class ModelsChanged(msgspec.Struct, frozen=True):
    """What is on this machine is another now: read the cards again."""


class DownloadQueued(msgspec.Struct, frozen=True):
    name: str


class DownloadEnded(msgspec.Struct, frozen=True):
    """``error`` says why it stopped before its end; None where the model is ready."""

    name: str
    error: ErrorInfo | None = None


class VerifyProgressed(msgspec.Struct, frozen=True):
    """``done`` of ``total`` bytes."""

    name: str
    done: int
    total: int


class VerifyEnded(msgspec.Struct, frozen=True):
    name: str
    result: Verification | None = None
    error: ErrorInfo | None = None


class MoveProgressed(msgspec.Struct, frozen=True):
    done: int
    total: int


class MoveEnded(msgspec.Struct, frozen=True):
    folder: str
    error: ErrorInfo | None = None


class UpdatesFound(msgspec.Struct, frozen=True):
    """The names of installed models whose repositories have other files now."""

    names: tuple[str, ...]


ModelNotice = (
    ModelsChanged
    | DownloadQueued
    | DownloadProgress
    | DownloadEnded
    | VerifyProgressed
    | VerifyEnded
    | MoveProgressed
    | MoveEnded
    | UpdatesFound
)
