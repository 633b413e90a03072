"""What the job service is told, by its callers and by the engine's reader thread, in the order it happened."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from engine.library.changes import LibraryChanged
from engine.protocol.errors import LaternaError
from engine.protocol.events import Event


class Ask(msgspec.Struct, frozen=True):
    """A caller wants something done on the service's thread."""

    action: Callable[[], None]


class EngineSaid(msgspec.Struct, frozen=True):
    """``generation`` tells this engine's words from a former one's."""

    generation: int
    event: Event
    blob: bytes


class EngineExited(msgspec.Struct, frozen=True):
    generation: int
    error: LaternaError | None


class LibraryReconciled(msgspec.Struct, frozen=True):
    """The library was compared with its folder; ``error`` says why that failed."""

    change: LibraryChanged | None
    error: LaternaError | None = None


Message = Ask | EngineSaid | EngineExited | LibraryReconciled
