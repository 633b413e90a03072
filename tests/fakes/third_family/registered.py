"""The family among the others, for as long as a test needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.families import registry
from engine.families.base import Family

from . import FAMILY


@contextmanager
def registered() -> Iterator[Family]:
    """Within: known as one that ships is. Every table is what it was afterwards."""
    tables = [value for value in vars(registry).values() if isinstance(value, dict) and value is not vars(registry)]
    before = [dict(table) for table in tables]
    registry.register(FAMILY)
    try:
        yield FAMILY
    finally:
        for table, kept in zip(tables, before, strict=True):
            table.clear()
            table.update(kept)
