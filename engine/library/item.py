"""One picture or clip in the library."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from engine.protocol.derivation import Derivation
from engine.protocol.recipe import Recipe


class Item(msgspec.Struct, frozen=True):
    """A row. ``created`` and ``deleted`` in seconds since the epoch; ``recipe`` None where the file carries none;
    ``rating`` 0 (none) to 5. ``path`` is where the file belongs, ``trashed`` where in the trash it lies. ``derivation``
    is what made it from another file; ``recipe`` is then that of the first of its line. ``program`` names another
    program that made the file: then ``recipe`` is what Laterna reads of it, None where it has no model of the kind,
    though the prompt may be known."""

    id: int
    path: Path
    kind: Literal["image", "video"]
    width: int
    height: int
    frames: int
    fps: float
    created: float
    size: int
    recipe: Recipe | None
    favourite: bool = False
    missing: bool = False
    rating: int = 0
    tags: tuple[str, ...] = ()
    albums: tuple[str, ...] = ()
    trashed: Path | None = None
    deleted: float = 0.0
    derivation: Derivation | None = None
    prompt: str = ""
    negative_prompt: str = ""
    program: str = ""

    @property
    def file(self) -> Path:
        """Where the file lies now."""
        return self.path if self.trashed is None else self.trashed

    @property
    def seconds(self) -> float:
        """Length of a clip; 0 for a picture."""
        return self.frames / self.fps if self.kind == "video" and self.fps else 0.0
