"""What the shapes of tensors say of a network."""

from __future__ import annotations

import re
from collections.abc import Mapping

Shapes = Mapping[str, tuple[int, ...]]


def count(shapes: Shapes, pattern: str) -> int:
    """One more than the highest number that ``pattern`` captures; 0 where nothing matches."""
    found = (re.match(pattern, name) for name in shapes)
    return 1 + max((int(match[1]) for match in found if match), default=-1)
