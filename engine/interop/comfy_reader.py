"""Values out of a ComfyUI graph: numbers, texts and where a chain of links leads."""

from __future__ import annotations

import re
from typing import TypeVar

from engine.interop.graph import Graph, Link, Node
from engine.interop.report import Notes, as_integer, as_number, shown
from engine.protocol.conditioning_rules import MAX_PROMPT_CHARS

MAX_CHAIN = 300
# What nodes that only hold or pass on a value call it, the likeliest first.
_VALUE_NAMES = ("value", "seed", "noise_seed", "text", "string", "prompt", "int", "float", "number", "boolean", "input")

Number = TypeVar("Number", int, float)


class Reader:
    """Reads one graph; what it could not follow goes into ``notes``."""

    def __init__(self, graph: Graph, notes: Notes) -> None:
        self.graph = graph
        self.notes = notes
        self.used: set[str] = set()

    def node(self, link: Link | None) -> Node | None:
        node = self.graph.get(link.node) if link is not None else None
        if node is not None:
            self.used.add(node.id)
        return node

    def number(self, node: Node, name: str, default: float) -> float:
        value = self._value(node, name)
        found = as_number(value)
        return self._default(node, name, value, default) if found is None else found

    def integer(self, node: Node, name: str, default: int) -> int:
        value = self._value(node, name)
        found = as_integer(value)
        return self._default(node, name, value, default) if found is None else found

    def _default(self, node: Node, name: str, value: object, default: Number) -> Number:
        if value is not None:
            self.notes.approximated(f"{node.label} gives no usable number for {name}; {default:g} is used.")
        return default

    def text(self, node: Node, name: str, default: str = "") -> str:
        """A text of any length that a prompt may have; the rest is cut off, and said."""
        value = self._value(node, name)
        if value is None or isinstance(value, dict | list | Link):
            return default
        text = str(value)
        if len(text) > MAX_PROMPT_CHARS:
            self.notes.approximated(
                f"{node.label} has a text of {len(text):,} characters; the first {MAX_PROMPT_CHARS:,} are used."
            )
        return text[:MAX_PROMPT_CHARS]

    def prompt(self, node: Node, name: str) -> str:
        """A text for an encoder: textual inversions stay words, and that is said."""
        text = self.text(node, name)
        if re.search(r"\bembedding:\S", text):
            self.notes.approximated(f"{node.label} names a textual inversion; Laterna reads its name as plain words.")
        return text

    def flag(self, node: Node, name: str, default: bool) -> bool:
        value = self._value(node, name)
        if isinstance(value, str):
            return value.lower() in ("enable", "enabled", "true", "yes", "on")
        return bool(value) if isinstance(value, bool | int) else default

    def _value(self, node: Node, name: str, depth: int = 0) -> object:
        """A plain value, through nodes that hold, join or pass one on."""
        value = node.inputs.get(name)
        if not isinstance(value, Link):
            return value
        source = self.node(value)
        if source is None or depth > MAX_CHAIN // 10:
            return None
        if source.type == "StringConcatenate":
            parts = (self._value(source, part, depth + 1) for part in ("string_a", "string_b"))
            joined = str(self._value(source, "delimiter", depth + 1) or "").join(
                str(p or "")[:MAX_PROMPT_CHARS] for p in parts
            )
            return joined[: 2 * MAX_PROMPT_CHARS]
        for candidate in (name, *_VALUE_NAMES):
            if candidate in source.inputs:
                found = self._value(source, candidate, depth + 1)
                if isinstance(found, str | int | float):
                    if not source.type.startswith("Primitive"):
                        self.notes.understood(f"{shown(name)} of {node.label} comes from {source.label}.")
                    return found
        self.notes.approximated(
            f"{source.label} computes {shown(name)} for {node.label}; Laterna cannot, and uses its own."
        )
        return None
