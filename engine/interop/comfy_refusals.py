"""When a graph gives no recipe, and what is said then: an honest refusal is better than a wrong reading."""

from __future__ import annotations

from engine.interop.comfy_foreign import by_file, by_nodes
from engine.interop.comfy_pass import ModelChain
from engine.interop.comfy_reader import Reader
from engine.interop.graph import Graph
from engine.interop.report import Notes, file_name, listed, shown
from engine.protocol.recipe import Recipe


class Refusals:
    def __init__(self, graph: Graph, reader: Reader) -> None:
        self._graph = graph
        self._reader = reader
        self._notes = reader.notes

    def without_sampler(self) -> None:
        """Say what the graph is, or which of its nodes might be the sampler."""
        if self._says_foreign(*by_nodes(self._graph.values())):
            return
        likely = [node.label for node in self._graph.values() if "sampler" in node.type.lower()]
        if likely:
            self._notes.ignored(f"Laterna cannot read {listed(likely)}, so there is no recipe in this workflow.")
        else:
            self._notes.ignored("This workflow has no sampler, so there is no recipe in it.")

    def is_foreign(self, chain: ModelChain, on_the_way: list[str]) -> bool:
        """Whether the model is of a family that Laterna does not make; that is said."""
        if chain.id or chain.family:
            return False
        nodes = [self._graph[id] for id in on_the_way]
        if self._says_foreign(by_file(chain.file), chain.nodes[-1].label if chain.nodes else "", chain.file):
            return True
        return self._says_foreign(*by_nodes(nodes))

    def _says_foreign(self, name: str, label: str, file: str = "") -> bool:
        if not name:
            return False
        what = f"{label}, {shown(file_name(file))}" if file else label
        self._notes.only(f"This is a workflow for {name} ({what}); Laterna makes none of these.")
        return True

    def unreadable(self) -> bool:
        """Whether a node that counts has values that fit no version of it: no recipe is better than a wrong one."""
        bad = [node for node in self._graph.values() if not node.readable and node.id in self._reader.used]
        for node in bad:
            self._notes.ignored(
                f"The values of {node.label} fit no version of it that Laterna knows, so it cannot be read."
            )
        return bool(bad)


def empty_prompt(recipe: Recipe, notes: Notes) -> None:
    """Say it where there are no words: what stands in the form then says nothing."""
    said = (entry for entry in recipe.positive_entries() if not entry.zero)
    if not any((text or "").strip() for words in said for text in (words.text, words.clip_l, words.clip_g)):
        notes.approximated("The prompt is empty: write one before you generate.")
