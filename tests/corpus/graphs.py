"""Builds a graph once and writes it as the server gets it, and as the editor of either generation saves it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.corpus.nodes import NODES, Definition


class Out(NamedTuple):
    node: int
    slot: int


@dataclass
class Made:
    """A node in a graph; ``made["MODEL"]`` or ``made[1]`` is one of its outputs."""

    id: int
    definition: Definition

    def __getitem__(self, name: str | int) -> Out:
        names = [out for out, _ in self.definition.outputs]
        return Out(self.id, names.index(name) if isinstance(name, str) else name)


@dataclass
class G:
    """``g("KSampler", model=loader["MODEL"], seed=5)`` adds a node; ``mode`` 2 mutes it and 4 bypasses it."""

    nodes: dict[int, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    modes: dict[int, int] = field(default_factory=dict)
    titles: dict[int, str] = field(default_factory=dict)
    values: dict[int, list[Any]] = field(default_factory=dict)  # lists of widgets as older versions have them
    last: int = 0

    def __call__(
        self, kind: str, mode: int = 0, title: str = "", widgets: list[Any] | None = None, **inputs: Any
    ) -> Made:
        self.last += 1
        self.nodes[self.last] = (kind, inputs)
        self.modes[self.last] = mode
        if title:
            self.titles[self.last] = title
        if widgets is not None:
            self.values[self.last] = widgets
        return Made(self.last, NODES[kind])

    def api(self) -> dict[str, Any]:
        return {
            str(id): {
                "inputs": {name: [str(value.node), value.slot] if isinstance(value, Out) else value
                           for name, value in (NODES[kind].defaults | inputs).items()},
                "class_type": kind,
                "_meta": {"title": self.titles.get(id, kind)},
            }
            for id, (kind, inputs) in self.nodes.items()
        }  # fmt: skip

    def ui(self, modern: bool = False) -> dict[str, Any]:
        """``modern`` editors list every widget as an input too; older ones only those that have a link."""
        links: list[list[Any]] = []
        nodes = [self._node(id, links, modern) for id in self.nodes]
        for link in links:
            outputs = next(node for node in nodes if node["id"] == link[1])["outputs"]
            outputs[link[2]]["links"].append(link[0])
        return {
            "last_node_id": self.last, "last_link_id": len(links), "nodes": nodes, "links": links, "groups": [],
            "config": {}, "extra": {"ds": {"scale": 0.8, "offset": [12.5, -40]}}, "version": 0.4,
        }  # fmt: skip

    def _node(self, id: int, links: list[list[Any]], modern: bool) -> dict[str, Any]:
        kind, values = self.nodes[id]
        definition = NODES[kind]
        widgets = [name.rstrip("!") for name in definition.widgets]
        extra = [(name, "*") for name in values if name not in widgets and name not in dict(definition.inputs)]
        slots: list[dict[str, Any]] = [{"name": name, "type": type_} for name, type_ in (*definition.inputs, *extra)]
        slots += [
            {"name": name, "type": _type(values.get(name)), "widget": {"name": name}}
            for name in widgets
            if modern or isinstance(values.get(name), Out)
        ]
        slots = [slot for slot in slots if isinstance(values.get(slot["name"]), Out) or slot["type"] != "*" or modern]
        for place, slot in enumerate(slots):
            value = values.get(slot["name"])
            slot["link"] = None
            if isinstance(value, Out):
                source = NODES[self.nodes[value.node][0]].outputs[value.slot][1]
                links.append([len(links) + 1, value.node, value.slot, id, place, source])
                slot["link"] = len(links)
        listed: list[Any] = []
        for name in definition.widgets:
            value = values.get(name.rstrip("!"), definition.defaults.get(name.rstrip("!"), 0))
            listed.append(definition.defaults.get(name.rstrip("!"), 0) if isinstance(value, Out) else value)
            if name.endswith("!"):
                listed.append("fixed")
        node = {
            "id": id, "type": kind, "pos": [60 * id, 80], "size": [315, 98], "flags": {}, "order": id - 1,
            "mode": self.modes[id], "inputs": slots,
            "outputs": [{"name": name, "type": type_, "links": []} for name, type_ in definition.outputs],
            "properties": {"Node name for S&R": kind}, "widgets_values": self.values.get(id, listed),
        }  # fmt: skip
        return node | ({"title": self.titles[id]} if id in self.titles else {})


def _type(value: Any) -> str:
    return "STRING" if isinstance(value, str) else "BOOLEAN" if isinstance(value, bool) else "INT"


def compact(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
