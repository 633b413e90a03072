"""A library and thumbnails for the panels' tests: any number of rows, made as they are read; every question counted."""

from __future__ import annotations

import threading
from array import array
from pathlib import Path

from engine.library.facets import Facets, Stacks
from engine.library.filters import EVERYTHING, Filter
from engine.library.item import Item
from engine.protocol.recipe import Recipe
from tests.fakes.pictures import jpeg


def make_item(item_id: int, prompt: str = "", **changes: object) -> Item:
    values = {
        "path": Path(f"/nowhere/{item_id}.png"),
        "kind": "image",
        "width": 64,
        "height": 48,
        "frames": 1,
        "fps": 0.0,
        "created": float(item_id),
        "size": 1000,
        "recipe": Recipe(family="sd35", model="mini", prompt=prompt or f"Prompt {item_id}"),
    } | changes
    return Item(id=item_id, **values)  # type: ignore[arg-type]


class FakeLibrary:
    """Ids newest first; counts what is asked for. Rows are made as they are read, so any number costs nothing."""

    def __init__(self, count: int = 0, prompts: dict[int, str] | None = None) -> None:
        self.order = array("q", range(count, 0, -1))
        self.prompts = prompts or {}
        self.special: dict[int, Item] = {}
        self.read: list[int] = []
        self.calls = 0
        self.queries: list[str] = []
        self.known_facets = Facets()
        self.gate = threading.Event()
        self.gate.set()

    def ids(self, text: str = "", filter: Filter = EVERYTHING) -> array[int]:
        assert self.gate.wait(5)
        self.queries.append(text)
        found = self.order
        if text:
            found = array("q", (n for n in found if text.lower() in self._item(n).recipe.prompt.lower()))  # type: ignore[union-attr]
        if filter.kind is not None:
            found = array("q", (n for n in found if self._item(n).kind == filter.kind))
        if filter.favourite is not None:
            found = array("q", (n for n in found if self._item(n).favourite == filter.favourite))
        if filter.rating > 0:
            found = array("q", (n for n in found if self._item(n).rating >= filter.rating))
        if filter.prompt is not None:
            found = array("q", (n for n in found if self._item(n).recipe.prompt == filter.prompt))  # type: ignore[union-attr]
        return array("q", found)

    def stacks(self, text: str = "", filter: Filter = EVERYTHING) -> Stacks:
        """One of each prompt."""
        ids = self.ids(text, filter)
        newest: dict[str, int] = {}
        counts: dict[int, int] = {}
        for n in ids:
            first = newest.setdefault(self._item(n).recipe.prompt, n)  # type: ignore[union-attr]
            counts[first] = counts.get(first, 0) + 1
        return Stacks(array("q", newest.values()), {n: count for n, count in counts.items() if count > 1})

    def facets(self) -> Facets:
        return self.known_facets

    def items(self, ids: list[int]) -> list[Item]:
        self.calls += 1
        self.read.extend(ids)
        known = set(self.order) if len(self.order) < 1000 else None
        return [self._item(n) for n in ids if known is None or n in known]

    def _item(self, item_id: int) -> Item:
        return self.special.get(item_id) or make_item(item_id, self.prompts.get(item_id, ""))


class FakeThumbnails:
    """One small JPEG for everything, counting requests."""

    def __init__(self) -> None:
        self.data = jpeg("teal", width=64, height=48)
        self.asked: list[int] = []
        self.gate = threading.Event()
        self.gate.set()

    def get(self, item: Item, side: int) -> bytes:
        assert self.gate.wait(5)
        self.asked.append(item.id)
        return self.data
