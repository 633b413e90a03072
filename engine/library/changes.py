"""What a write to the library changed; each view refreshes only what is concerned."""

from __future__ import annotations

import msgspec


class LibraryChanged(msgspec.Struct, frozen=True):
    """``added``, ``removed`` and ``changed`` are row ids; ``everything`` means read it all again."""

    added: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()
    changed: tuple[int, ...] = ()
    everything: bool = False
