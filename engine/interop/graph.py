"""A ComfyUI graph in one form, whichever way it was written: nodes by id, inputs by name, each a value or a link."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engine.interop.report import shown, too_much

MAX_NODES = 10_000
MAX_INPUTS = 200


class Link(NamedTuple):
    """Output ``slot`` of ``node``."""

    node: str
    slot: int


@dataclass
class Node:
    """``inputs`` maps a name to a ``Link`` or to a plain value; ``extras`` is what Laterna's export put there;
    ``hashes`` has the SHA-256 of model files by name, where the editor knew them. ``outputs`` are (name, type) as the
    file says them, empty where it does not. ``readable`` is False where the values of its widgets fit no layout known.
    ``unnamed`` says that it has values, but nothing tells which is which. ``part_of`` names the node of the file that
    this one stands for a part of."""

    id: str
    type: str
    inputs: dict[str, Any] = field(default_factory=dict)
    extras: Any = None
    hashes: dict[str, str] = field(default_factory=dict)
    outputs: tuple[tuple[str, str], ...] = ()
    readable: bool = True
    unnamed: bool = False
    part_of: str = ""

    @property
    def label(self) -> str:
        """How sentences name it: the type and the id that ComfyUI shows."""
        if self.part_of:
            return self.part_of
        return f"{shown(self.type)} #{shown(self.id)}"

    def link(self, name: str) -> Link | None:
        value = self.inputs.get(name)
        return value if isinstance(value, Link) else None

    def links(self) -> Iterator[tuple[str, Link]]:
        return ((name, value) for name, value in self.inputs.items() if isinstance(value, Link))


Graph = dict[str, Node]


def is_api_graph(data: Any) -> bool:
    return (
        isinstance(data, dict)
        and bool(data)
        and any(isinstance(node, dict) and "class_type" in node for node in data.values())
    )


def from_api(data: dict[str, Any]) -> Graph:
    """The graph that was sent to the server: every input by name, ``[node id, slot]`` for a link."""
    if len(data) > MAX_NODES:
        raise too_much(f"has {len(data):,} nodes; Laterna reads up to {MAX_NODES:,}")
    graph: Graph = {}
    for id, raw in data.items():
        if not isinstance(raw, dict):
            continue  # what some programs put beside the nodes
        kind, inputs, meta = raw.get("class_type"), raw.get("inputs"), raw.get("_meta")
        if not isinstance(kind, str):
            continue
        node = Node(str(id), kind[:200], extras=meta.get("laterna") if isinstance(meta, dict) else None)
        if isinstance(inputs, dict):
            for name, value in list(inputs.items())[:MAX_INPUTS]:
                node.inputs[str(name)] = _api_link(value, data) or value
        graph[node.id] = node
    return graph


def _api_link(value: Any, data: dict[str, Any]) -> Link | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    node, slot = value
    if isinstance(node, bool) or not isinstance(node, str | int) or isinstance(slot, bool) or not isinstance(slot, int):
        return None
    return Link(str(node), slot) if isinstance(node, str) or str(node) in data else None


def ancestors(graph: Graph, start: str) -> list[str]:
    """``start`` and every node that it depends on, nearest first. Raises ``BadFile`` where they go in circles."""
    order, seen, waiting = [], {start}, deque([start])
    while waiting:
        id = waiting.popleft()
        order.append(id)
        for _, link in graph[id].links():
            if link.node in graph and link.node not in seen:
                seen.add(link.node)
                waiting.append(link.node)
    _refuse_circles(graph, start)
    return order


def _refuse_circles(graph: Graph, start: str) -> None:
    """Depth first without recursion: a link back to a node on the way is a circle."""
    on_the_way, done = {start}, set()
    stack = [(start, graph[start].links())]
    while stack:
        id, links = stack[-1]
        following = next((link.node for _, link in links if link.node in graph and link.node not in done), None)
        if following is None:
            on_the_way.discard(id)
            done.add(id)
            stack.pop()
        elif following in on_the_way:
            raise too_much(f"goes in circles at {graph[following].label}")
        else:
            on_the_way.add(following)
            stack.append((following, graph[following].links()))
