"""ComfyUI's editor file as a plain graph: what ComfyUI's own "Export (API)" does, without ComfyUI.

Subgraphs and group nodes are unfolded; reroutes, primitives, Set/Get pairs, muted and bypassed nodes go. What goes
becomes a *forward*: a table from an output slot to where its value really comes from, followed until a real node.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from engine.interop.comfy_outputs import output_type
from engine.interop.dynamic_prompt import resolve_dynamic_prompts
from engine.interop.everywhere import BROADCASTS, Constant, Everywhere, Slot, Source
from engine.interop.graph import MAX_INPUTS, MAX_NODES, Graph, Link, Node
from engine.interop.report import Notes, shown, too_much
from engine.interop.widgets import is_known, widget_values

MAX_DEPTH = 16
MUTED, BYPASSED = 2, 4
INPUT_NODE, OUTPUT_NODE = -10, -20
REROUTES = ("Reroute", "Reroute (rgthree)", "ReroutePrimitive|pysssss", "Reroute [cg]")
NOTES = ("Note", "MarkdownNote", "Label (rgthree)", "Fast Groups Bypasser (rgthree)", "Fast Groups Muter (rgthree)")
_GROUP_PREFIXES = ("workflow/", "workflow>")


@dataclass
class _Scope:
    """One level of the file: the root, or the inside of one subgraph or group node."""

    prefix: str
    nodes: list[dict[str, Any]]
    origins: dict[Any, tuple[Any, int]]  # link id to the node and slot that it starts at
    outputs: dict[int, tuple[Any, int]] = field(default_factory=dict)  # slot of the subgraph to where it comes from
    overrides: dict[str, dict[str, Any]] = field(default_factory=dict)  # node id to widget values set from outside

    def key(self, id: Any) -> str:
        return f"{self.prefix}{id}"


def is_ui_graph(data: Any) -> bool:
    return isinstance(data, dict) and isinstance(data.get("nodes"), list)


def from_ui(data: dict[str, Any], notes: Notes) -> Graph:
    """Unfold an editor file. Raises ``BadFile`` for what is too large, nested without end or in circles."""
    return _Unfolding(data, notes).run()


class _Unfolding:
    def __init__(self, data: dict[str, Any], notes: Notes) -> None:
        self._data = data
        self._notes = notes
        self._nodes: dict[str, Node] = {}
        self._sources: dict[str, dict[str, Source]] = {}
        self._forwards: dict[str, dict[int, Source]] = {}
        self._set_nodes: dict[str, Source] = {}
        self._get_nodes: dict[str, str] = {}
        self._count = 0
        self._everywhere = Everywhere()
        definitions = _dict(data.get("definitions")) or _dict(_dict(data.get("extra")).get("definitions"))
        self._subgraphs = {str(item.get("id")): item for item in _dicts(definitions.get("subgraphs"))}
        self._groups = _dict(_dict(data.get("extra")).get("groupNodes"))

    def run(self) -> Graph:
        self._unfold(_Scope("", _dicts(self._data.get("nodes")), _origins(self._data.get("links"))), 0)
        for key, name in self._get_nodes.items():
            self._forwards[key] = {0: self._set_nodes.get(name)}
        self._everywhere.connect(self._sources, self._data, self._type_of)
        for node in self._nodes.values():
            for name, source in self._sources[node.id].items():
                value = self._follow(source)
                if isinstance(value, Link):
                    node.inputs[name] = value
                elif isinstance(value, Constant):
                    node.inputs[name] = value.value
        return self._nodes

    def _type_of(self, source: Source) -> str:
        found = self._follow(source)
        return output_type(self._nodes[found.node], found.slot) if isinstance(found, Link) else ""

    def _follow(self, source: Source) -> Source:
        """Through reroutes and the like to a real node or a value."""
        seen = set()
        while isinstance(source, Link) and source.node in self._forwards:
            if source in seen:
                raise too_much("goes in circles through its reroutes")
            seen.add(source)
            source = self._forwards[source.node].get(source.slot)
        return source if isinstance(source, Constant) or (source and source.node in self._nodes) else None

    def _unfold(self, scope: _Scope, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise too_much(f"has subgraphs more than {MAX_DEPTH} deep, or one that holds itself")
        self._count += len(scope.nodes)
        if self._count > MAX_NODES:
            raise too_much(f"has {self._count:,} nodes or more; Laterna reads up to {MAX_NODES:,}")
        for raw in scope.nodes:
            self._take(raw, scope, depth)

    def _take(self, raw: dict[str, Any], scope: _Scope, depth: int) -> None:
        key, kind, mode = scope.key(raw.get("id")), str(raw.get("type"))[:200], raw.get("mode")
        slots = _slots(raw, scope)
        sources = {name: source for name, _, source in slots}
        declared = [str(_dict(slot.get("widget")).get("name")) for slot in _inputs(raw) if slot.get("widget")]
        read = widget_values(kind, raw.get("widgets_values"), declared, [name for name, _, source in slots if source])
        widgets = {} if read is None else read
        known = is_known(kind)
        widgets.update(scope.overrides.get(str(raw.get("id")), {}))
        if kind in NOTES:
            return
        if mode == MUTED:
            self._forwards[key] = {}
            self._notes.ignored(f"{shown(kind)} #{key} is muted.")
        elif mode == BYPASSED:
            self._forwards[key] = _bypass(raw, slots)
            self._notes.ignored(f"{shown(kind)} #{key} is bypassed.")
        elif kind in REROUTES:
            self._forwards[key] = {0: slots[0][2] if slots else None}
        elif kind in BROADCASTS:
            values = raw.get("widgets_values")
            self._everywhere.take(kind, slots, widgets, values)
            self._forwards[key] = {0: Constant(values[0]) if isinstance(values, list) and values else None}
        elif kind == "PrimitiveNode":
            values = raw.get("widgets_values")
            self._forwards[key] = {0: Constant(values[0]) if isinstance(values, list) and values else None}
        elif kind == "SetNode":
            name = _first_text(raw)
            self._set_nodes[name] = slots[0][2] if slots else None
            self._forwards[key] = {0: self._set_nodes[name]}
        elif kind == "GetNode":
            self._get_nodes[key] = _first_text(raw)
        elif kind in self._subgraphs:
            self._unfold_subgraph(raw, key, slots, depth)
        elif kind.startswith(_GROUP_PREFIXES) and kind[9:] in self._groups:
            self._unfold_group(raw, key, kind[9:], slots, depth)
        else:
            resolve_dynamic_prompts(f"{shown(kind)} #{key}", kind, widgets, self._notes)
            self._nodes[key] = Node(
                key,
                kind,
                widgets,
                hashes=_hashes(raw),
                outputs=_outputs(raw),
                readable=read is not None or not known,
                unnamed=read is None and not known,
            )
            self._sources[key] = sources
            widget_slots = {str(slot.get("name")) for slot in _inputs(raw) if slot.get("widget")}
            title = str(raw.get("title") or kind)[:200]
            self._everywhere.wanted(key, title, slots, widget_slots)

    def _unfold_subgraph(self, raw: dict[str, Any], key: str, slots: list[Slot], depth: int) -> None:
        """A subgraph's inputs come from its instance's links, or from the values that the instance shows for them."""
        definition = self._subgraphs[str(raw["type"])]
        inner = _Scope(f"{key}:", _dicts(definition.get("nodes")), _origins(definition.get("links"), INPUT_NODE))
        shown_values: dict[str, Any] = {}
        for name, node, value in _promoted(raw):
            if node in ("-1", str(INPUT_NODE)):
                shown_values[name] = value
            else:
                inner.overrides.setdefault(node, {})[name] = value
        sources = {name: source for name, _, source in slots}
        self._forwards[inner.key(INPUT_NODE)] = {
            i: sources.get(name) or (Constant(shown_values[name]) if name in shown_values else None)
            for i, name in enumerate(str(slot.get("name")) for slot in _dicts(definition.get("inputs")))
        }
        self._unfold(inner, depth + 1)
        self._forwards[key] = {}
        for i, slot in enumerate(_dicts(definition.get("outputs"))):
            ids = slot.get("linkIds")
            origin = inner.origins.get(ids[-1]) if isinstance(ids, list) and ids and _hashable(ids[-1]) else None
            origin = origin or _origin_at(definition.get("links"), OUTPUT_NODE, i)
            self._forwards[key][i] = Link(inner.key(origin[0]), origin[1]) if origin else None

    def _unfold_group(self, raw: dict[str, Any], key: str, name: str, slots: list[Slot], depth: int) -> None:
        """An old group node: nodes by index, its inputs and widgets those of its nodes, one after the other."""
        group = _dict(self._groups[name])
        nodes = [dict(node, id=i) for i, node in enumerate(_dicts(group.get("nodes")))]
        links = [link for link in _lists(group.get("links")) if len(link) >= 4]
        inner = _Scope(f"{key}:", nodes, {})
        values = raw.get("widgets_values")
        left = iter(values if isinstance(values, list) else [])
        widget_slots = {str(slot.get("name")) for slot in _inputs(raw) if slot.get("widget")}
        outer = [slot for slot in slots if slot[0] not in widget_slots]
        filled = {
            (link[2], link[3])
            for link in links
            if _hashable(link[0]) and _hashable(link[2]) and _hashable(link[3])  # null is the outside
        }
        for i, node in enumerate(nodes):
            own = node.get("widgets_values")
            if isinstance(own, list) and isinstance(values, list) and values:
                node["widgets_values"] = [next(left, value) for value in own]
            inputs = _inputs(node)
            for j, slot in enumerate(inputs):
                slot["link"] = f"{i}:{j}"
                if (i, j) in filled:
                    continue
                source = _outside(slot, slots, widget_slots) if slot.get("widget") else _next_outside(slot, outer)
                if source is not None:
                    self._forwards.setdefault(inner.key("in"), {})[len(inner.origins)] = source
                    inner.origins[f"{i}:{j}"] = ("in", len(inner.origins))
            node["inputs"] = inputs
        for link in links:
            if _hashable(link[0]) and isinstance(link[1], int):
                inner.origins[f"{link[2]}:{link[3]}"] = (link[0], link[1])
        self._unfold(inner, depth + 1)
        inside = {(link[0], link[1]) for link in links if _hashable(link[0]) and _hashable(link[1])}
        exposed = {
            (item[0], item[1])
            for item in _lists(group.get("external"))
            if len(item) > 1 and _hashable(item[0]) and _hashable(item[1])
        }
        outputs = [
            Link(inner.key(i), j)
            for i, node in enumerate(nodes)
            for j, _ in enumerate(_dicts(node.get("outputs")))
            if (i, j) not in inside or (i, j) in exposed
        ]
        self._forwards[key] = dict(enumerate(outputs))


def _next_outside(slot: dict[str, Any], outer: list[Slot]) -> Source:
    """What is wired from outside into an inner node's input: the next one of its type, as ComfyUI lists them."""
    kind = str(slot.get("type"))
    place = next((i for i, (_, type_, _) in enumerate(outer) if type_ == kind), 0)
    return outer.pop(place)[2] if outer else None


def _outside(slot: dict[str, Any], slots: list[Slot], widget_slots: set[str]) -> Source:
    """What is wired from outside into a widget; the group shows it under its name, or with its node's before it."""
    name = str(_dict(slot.get("widget")).get("name") or slot.get("name"))
    found = [source for outer, _, source in slots if outer in widget_slots and outer.split(" ")[-1] == name]
    return found[0] if len(found) == 1 else None


def _slots(raw: dict[str, Any], scope: _Scope) -> list[Slot]:
    slots: list[Slot] = []
    for slot in _inputs(raw):
        link = slot.get("link")
        origin = scope.origins.get(link) if link is not None and _hashable(link) else None
        source = Link(scope.key(origin[0]), origin[1]) if origin else None
        slots.append((str(slot.get("name"))[:200], str(slot.get("type"))[:200], source))
    return slots


def _bypass(raw: dict[str, Any], slots: list[Slot]) -> dict[int, Source]:
    """A bypassed node passes on, for each output, the input of the same type: that of the same place if it fits."""
    forwards: dict[int, Source] = {}
    for i, output in enumerate(_dicts(raw.get("outputs"))):
        kind = str(output.get("type"))
        same_place = slots[i : i + 1]
        fitting = [slot for slot in (*same_place, *slots) if slot[1] == kind and slot[2] is not None]
        forwards[i] = fitting[0][2] if fitting else None
    return forwards


def _outputs(raw: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    outputs = _dicts(raw.get("outputs"))[:MAX_INPUTS]
    return tuple((str(slot.get("name"))[:100].lower(), str(slot.get("type"))[:100].upper()) for slot in outputs)


def _hashes(raw: dict[str, Any]) -> dict[str, str]:
    """SHA-256 by file name of the models that a template says its node needs."""
    models = _dicts(_dict(raw.get("properties")).get("models"))[:20]
    return {
        str(model.get("name")): str(model["hash"])
        for model in models
        if model.get("hash") and str(model.get("hash_type", "SHA256")).upper() == "SHA256"
    }


def _promoted(raw: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """(widget, inner node, value) of what a subgraph's instance shows; "-1" for the subgraph's own inputs."""
    values = raw.get("widgets_values")
    proxies = _lists(_dict(raw.get("properties")).get("proxyWidgets"))
    pairs = [(str(pair[1]), str(pair[0])) for pair in proxies if len(pair) >= 2]
    if not pairs:
        pairs = [(str(slot.get("name")), "-1") for slot in _inputs(raw) if slot.get("widget")]
    if isinstance(values, list):
        for (name, node), value in zip(pairs, values, strict=False):
            if value is not None:
                yield name, node, value


def _origins(links: Any, outside: int | None = None) -> dict[Any, tuple[Any, int]]:
    return {id: (node, slot) for id, node, slot, _, _ in _links(links, outside)}


def _origin_at(links: Any, target: int, target_slot: int) -> tuple[Any, int] | None:
    """Where the link into a node's slot starts."""
    found = (link[1:3] for link in _links(links, INPUT_NODE) if link[3] == target and link[4] == target_slot)
    return next(found, None)


def _links(links: Any, outside: int | None = None) -> Iterator[tuple[Any, Any, int, Any, Any]]:
    """(id, origin, its slot, target, its slot) of links in either spelling: a list of six, or an object. ``outside``
    takes the place of an origin that is null: what comes into a subgraph."""
    if isinstance(links, dict):
        links = list(links.values())
    for link in links if isinstance(links, list) else ():
        if isinstance(link, list) and len(link) >= 5:
            id, origin, slot, target, target_slot = link[:5]
        elif isinstance(link, dict):
            id, origin, slot = link.get("id"), link.get("origin_id"), link.get("origin_slot")
            target, target_slot = link.get("target_id"), link.get("target_slot")
        else:
            continue
        origin = outside if origin is None else origin
        if _hashable(id) and _hashable(origin) and isinstance(slot, int):
            yield id, origin, slot, target, target_slot


def _hashable(value: Any) -> bool:
    return isinstance(value, str | int)


def _first_text(raw: dict[str, Any]) -> str:
    values = raw.get("widgets_values")
    return str(values[0])[:200] if isinstance(values, list) and values else ""


def _inputs(raw: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(slot) for slot in _dicts(raw.get("inputs"))[:MAX_INPUTS]]


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        value = list(value.values())
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _lists(value: Any) -> list[list[Any]]:
    return [item for item in value if isinstance(item, list)] if isinstance(value, list) else []
