"""One picture or clip in the library."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from engine.protocol.recipe import Recipe


class Item(msgspec.Struct, frozen=True):
    """A row. ``created`` in seconds since the epoch; ``recipe`` None where the file carries none."""

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

    @property
    def seconds(self) -> float:
        """Length of a clip; 0 for a picture."""
        return self.frames / self.fps if self.kind == "video" and self.fps else 0.0
