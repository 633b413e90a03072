"""What the graphs of a family have of their own: its nodes, its export, and what its files are called. Each family
says it in its module ``comfy`` (``Family.comfy``), whose ``NODES`` is one of these."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from typing import ClassVar, NamedTuple, Protocol

from engine.families.registry import FAMILIES
from engine.interop.comfy_graph import GraphWriter
from engine.interop.comfy_pass import ModelChain, Pass
from engine.interop.graph import Link, Node
from engine.interop.report import Notes
from engine.interop.widget_tables import Layout
from engine.protocol.recipe import Recipe


class ModelFile(NamedTuple):
    """A model of the catalogue, the file that a ComfyUI user has of it, and a pattern over file names (lower case,
    dashes between words); names with ``unless`` in them are another model's."""

    model: str
    file: str
    pattern: str
    unless: str = ""


class FamilyReader(Protocol):
    """What the nodes of a graph say (``comfy_reader.Reader``)."""

    @property
    def notes(self) -> Notes: ...

    def node(self, link: Link | None) -> Node | None: ...

    def text(self, node: Node, name: str, default: str) -> str: ...

    def number(self, node: Node, name: str, default: float) -> float: ...

    def integer(self, node: Node, name: str, default: int) -> int: ...

    def seed(self, node: Node, name: str) -> int: ...


class Names(Protocol):
    """What sampler nodes say, as Laterna's names and numbers."""

    def steps(self, node: Node, default: int) -> int: ...

    def sampler(self, name: str, node: Node) -> str: ...


class Strengths(Protocol):
    def strength(self, node: Node, name: str) -> float: ...


class FamilyNodes:
    """``files`` are those of its models, ``vae_files`` a pattern over names of its VAE, ``lora_folder`` where ComfyUI
    looks for its LoRAs.

    Of nodes that only this family's graphs have: ``loaders`` with the input that names the model, ``samplers``,
    ``texts`` with the input that holds the prompt, ``pictures`` that encode one, with its input, ``decoders``, and
    ``marks``, other nodes by which its graphs are known. ``widgets``: every layout of such a node in the editor, the
    newest first.
    """

    files: ClassVar[tuple[ModelFile, ...]] = ()
    vae_files: ClassVar[str] = ""
    loaders: ClassVar[Mapping[str, str]] = {}
    samplers: ClassVar[tuple[str, ...]] = ()
    texts: ClassVar[Mapping[str, str]] = {}
    pictures: ClassVar[Mapping[str, str]] = {}
    decoders: ClassVar[tuple[str, ...]] = ()
    marks: ClassVar[tuple[str, ...]] = ()
    lora_folder: ClassVar[str] = "models/loras"
    widgets: ClassVar[Mapping[str, tuple[Layout, ...]]] = {}

    def file_of(self, model: str) -> str:
        """The file that a ComfyUI user has of a model of the catalogue; a guess by its id for any other."""
        return next((one.file for one in self.files if one.model == model), f"{model}.safetensors")

    def export(self, graph: GraphWriter, recipe: Recipe) -> str:
        """Write the graph of ``recipe``; returns the node that saves the result."""
        raise NotImplementedError

    def is_marked(self, node: Node) -> bool:
        """Whether a graph with ``node`` is one of this family."""
        return node.type in self.marks

    def read_loader(self, reader: FamilyReader, strengths: Strengths, node: Node, chain: ModelChain) -> None:
        """What one of ``loaders`` says besides the model's name."""

    def read_sampler(self, reader: FamilyReader, names: Names, node: Node) -> Pass:
        """One of ``samplers``."""
        raise NotImplementedError


def nodes_of(family: str) -> FamilyNodes:
    """Those of a family; of one that has no module ``comfy``, none."""
    module = FAMILIES[family].comfy
    found = importlib.import_module(module).NODES if module else FamilyNodes()
    assert isinstance(found, FamilyNodes)
    return found


def every() -> dict[str, FamilyNodes]:
    """By family."""
    return _every(tuple(FAMILIES))


def owner(node: Node, of: str) -> str:
    """The family whose ``of`` (the name of an attribute) has the type of ``node``; "" where none has."""
    return _owners(tuple(FAMILIES), of).get(node.type, "")


@cache
def _every(families: tuple[str, ...]) -> dict[str, FamilyNodes]:
    return {family: nodes_of(family) for family in families}


@cache
def _owners(families: tuple[str, ...], of: str) -> dict[str, str]:
    return {kind: family for family, nodes in _every(families).items() for kind in getattr(nodes, of)}
