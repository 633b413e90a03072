"""Values out of a ComfyUI graph: numbers, texts and where a chain of links leads."""

from __future__ import annotations

import re
from typing import TypeVar

from engine.interop.comfy_values import Unknown, Values
from engine.interop.graph import Graph, Link, Node
from engine.interop.report import Notes, as_integer, as_number, drawn, shown
from engine.protocol.conditioning_rules import MAX_PROMPT_CHARS
from engine.texts import cleaned

MAX_CHAIN = 300

Number = TypeVar("Number", int, float)


class Reader:
    """Reads one graph; what it could not follow goes into ``notes``."""

    def __init__(self, graph: Graph, notes: Notes) -> None:
        self.graph = graph
        self.notes = notes
        self.used: set[str] = set()
        self.values = Values(graph, self.used)

    def node(self, link: Link | None) -> Node | None:
        node = self.graph.get(link.node) if link is not None else None
        if node is not None:
            self.used.add(node.id)
        return node

    def number(self, node: Node, name: str, default: float) -> float:
        value = self._value(node, name, f"{default:g}")
        found = as_number(value)
        return self._default(node, name, value, default) if found is None else found

    def integer(self, node: Node, name: str, default: int) -> int:
        value = self._value(node, name, str(default))
        found = as_integer(value)
        return self._default(node, name, value, default) if found is None else found

    def seed(self, node: Node, name: str) -> int:
        """A seed; where the graph leaves it to chance, one drawn now."""
        value = self.integer(node, name, 0)
        return drawn(value, node.label, self.notes)

    def _default(self, node: Node, name: str, value: object, default: Number) -> Number:
        if value is not None:
            self.notes.approximated(f"{node.label} gives no usable number for {name}; {default:g} is used.")
        return default

    def size(self, node: Node) -> tuple[int, int] | None:
        """The size that a node is set to; None, and said, where it cannot be known."""
        own = ("width", "height") if "width" in node.inputs else ("empty_latent_width", "empty_latent_height")
        found = self.values.size(node)
        for name in own:
            if found is None and node.link(name) is not None:
                self._value(node, name, "")
        return found

    def text(self, node: Node, name: str, default: str = "") -> str:
        """A text of any length that a prompt may have; the rest is cut off, and said."""
        value = self._value(node, name, default)
        if value is None:
            return default
        text = cleaned(str(value))
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
        value = self._value(node, name, "on" if default else "off")
        if isinstance(value, str):
            return value.lower() in ("enable", "enabled", "true", "yes", "on")
        return bool(value) if isinstance(value, bool | int) else default

    def _value(self, node: Node, name: str, default: str) -> object:
        """A plain value, through nodes that hold, join or compute one; None, and said, where it cannot be had."""
        value = node.inputs.get(name)
        if value is None and node.unnamed and default:
            self.notes.approximated(
                f"{node.label} saves its values without names; {shown(default)} stands there for {shown(name)}."
            )
        if not isinstance(value, Link):
            return value if isinstance(value, str | int | float | bool) else None
        try:
            found = self.values.of(node, name)
        except Unknown as unknown:
            maker, what, usual = unknown.node.label, shown(name), shown(default)
            if usual:
                self.notes.approximated(
                    f"{maker} makes {what} for {node.label} as it runs; Laterna cannot, and {usual} stands there now."
                )
            else:
                self.notes.approximated(
                    f"{maker} makes {what} for {node.label} as it runs; Laterna cannot, and it stays empty."
                )
            return None
        source = self.graph.get(value.node)
        if source is not None and found is not None and not source.type.startswith("Primitive"):
            self.notes.understood(f"{shown(name)} of {node.label} comes from {source.label}.")
            if source.type == "SDXLPromptStyler" and str(source.inputs.get("style", "base")) not in ("base", ""):
                self.notes.approximated(f"{source.label} adds the words of a style; here the text stands without them.")
        return found
