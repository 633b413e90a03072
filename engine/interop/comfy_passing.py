"""Nodes that only pass something on, taken out of a graph: pipes and contexts, buses, switches, reroutes.

Every link that leads to one of them is led on to where its value comes from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from engine.interop.comfy_outputs import output_name, plain_name
from engine.interop.everywhere import Constant
from engine.interop.graph import Graph, Link, Node
from engine.interop.report import Notes, as_integer

MAX_STEPS = 300
Found = Link | Constant | None

# Carriers hold several things under names; the inputs that hold those of an earlier one, the latest first.
CARRIERS: dict[str, tuple[str, ...]] = {
    "ToBasicPipe": (),
    "EditBasicPipe": ("basic_pipe",),
    "FromBasicPipe": ("basic_pipe",),
    "FromBasicPipe_v2": ("basic_pipe",),
    "ToDetailerPipe": (),
    "FromDetailerPipe": ("detailer_pipe",),
    "FromDetailerPipe_v2": ("detailer_pipe",),
    "BasicPipeToDetailerPipe": ("basic_pipe",),
    "DetailerPipeToBasicPipe": ("detailer_pipe",),
    "Context (rgthree)": ("base_ctx",),
    "Context Big (rgthree)": ("base_ctx",),
    "Context Switch (rgthree)": (),
    "Context Switch Big (rgthree)": (),
    "Context Merge (rgthree)": (),
    "Context Merge Big (rgthree)": (),
    "Bus Node": ("bus",),
    "easy pipeIn": ("pipe",),
    "easy pipeOut": ("pipe",),
    "easy preSampling": ("pipe",),
    "easy kSampler": ("pipe",),
    "easy fullkSampler": ("pipe",),
    "ImpactKSamplerBasicPipe": ("basic_pipe",),
}
_PIPES = ("basic_pipe", "detailer_pipe", "context", "bus", "pipe")
_REROUTES = ("Reroute", "Reroute (rgthree)", "ReroutePrimitive|pysssss", "Reroute [cg]", "easy clearCacheAll")
_THROUGH = (
    *(
        "easy cleanGpuUsed",
        "easy showAnything",
        "easy convertAnything",
        "VRAM_Debug",
        "PreviewAny",
        "Display Any (rgthree)",
    ),
    *("LayerUtility: PurgeVRAM", "UnloadAllModels", "FreeMemory", "PurgeVRAM", "ImpactExecutionOrderController"),
)
_KINDS = {
    **{name: name for name in ("model", "clip", "vae", "latent", "image")},
    "positive": "conditioning",
    "negative": "conditioning",
}
_BY_NUMBER = re.compile(r"^CR .* Switch$|^CR .*Input Switch.*$")
_BY_FLAG = re.compile(
    r"^(Model|CLIP|VAE|Conditioning|Latent|Image|Text|Number|Upscale Model|Control Net Model) Input Switch$"
)


class Passing:
    """``made`` are the outputs of nodes that stand for several, by node and name."""

    def __init__(self, graph: Graph, notes: Notes, made: dict[str, dict[str, Found]]) -> None:
        self._graph = graph
        self._notes = notes
        self._made = made
        self._value: Callable[[Node, str], Any] = lambda node, name: node.inputs.get(name)

    def read_values_with(self, value: Callable[[Node, str], Any]) -> None:
        """How the choice of a switch is read, which may be computed."""
        self._value = value

    def run(self) -> None:
        for node in self._graph.values():
            for name, link in list(node.links()):
                found = self._by_kind(name, link) or self.follow(link)
                if isinstance(found, Constant):
                    node.inputs[name] = found.value
                elif found is None:
                    del node.inputs[name]
                elif found != link:
                    node.inputs[name] = found
        for id in [id for id, node in self._graph.items() if self._passes(node) and id not in self._made]:
            del self._graph[id]

    def _by_kind(self, wanted: str, link: Link) -> Found:
        """A link into an input of another kind than its output's, such as a model for a latent: some programs number
        the outputs of these nodes otherwise. What is meant is the output of the input's name."""
        made, source = self._made.get(link.node), self._graph.get(link.node)
        if made is None or source is None:
            return None
        name = plain_name(wanted)
        kinds = [_KINDS.get(one) for one in (name, plain_name(output_name(source, link.slot)))]
        return made.get(name) if None not in kinds and kinds[0] != kinds[1] else None

    def _passes(self, node: Node) -> bool:
        kind = node.type
        return kind in CARRIERS or kind in _REROUTES or kind in _THROUGH or self._is_switch(node)

    def follow(self, link: Link) -> Found:
        """Where the value at ``link`` comes from; the link itself where its node makes it."""
        for _ in range(MAX_STEPS):
            found = self._step(link)
            if not isinstance(found, Link) or found == link:
                return found
            link = found
        return None

    def _step(self, link: Link) -> Found:
        node = self._graph.get(link.node)
        if node is None:
            return None
        name = output_name(node, link.slot)
        made = self._made.get(node.id)
        if made is not None:
            names = list(made)
            if not name and 0 <= link.slot < len(names):  # a loader of a kind: model, clip, vae
                name = names[link.slot]
            return made.get(plain_name(name), link)
        if node.type in CARRIERS:
            return link if name in _PIPES or not name else self.carried(node, name)
        if node.type in _REROUTES or node.type in _THROUGH:
            return next((one for _, one in node.links()), None)
        if self._is_switch(node):
            return self._chosen(node, link)
        return link

    def carried(self, node: Node, name: str, depth: int = 0) -> Found:
        """What a carrier holds under ``name``: its own input, or that of an earlier carrier."""
        wanted = plain_name(name)
        made = self._made.get(node.id)
        if made is not None and wanted in made:
            return made[wanted]
        for own, value in node.inputs.items():
            if plain_name(own) == wanted and own not in CARRIERS.get(node.type, ()):
                if isinstance(value, Link):
                    return self.follow(value)
                if value is not None:
                    return Constant(value)
        if depth > MAX_STEPS:
            return None
        for link in self._earlier(node):
            before = self._graph.get(link.node)
            found = self.carried(before, name, depth + 1) if before is not None else None
            if found is not None:
                return found
        return None

    def _earlier(self, node: Node) -> Iterator[Link]:
        """The carriers that a carrier holds: of a switch the first that is there, of a merge the last one first."""
        names: list[str] = list(CARRIERS.get(node.type, ()))
        if "Context Switch" in node.type or "Context Merge" in node.type:
            names = sorted(name for name in node.inputs if name.startswith("ctx_"))
            names = names[::-1] if "Merge" in node.type else names
        for name in names:
            link = node.link(name)
            found = self.follow(link) if link is not None else None
            if isinstance(found, Link):
                yield found
                if "Context Switch" in node.type:
                    return

    def _is_switch(self, node: Node) -> bool:
        return node.type in _SWITCHES or bool(_BY_NUMBER.match(node.type) or _BY_FLAG.match(node.type))

    def _chosen(self, node: Node, link: Link) -> Found:
        names = self._names(node)
        if names is None:
            self._notes.approximated(
                f"{node.label} chooses between inputs as it runs; Laterna cannot, and takes none of them."
            )
            return None
        if link.slot and output_name(node, link.slot) in ("selected_index", "selected_label"):
            return link
        for name in names:
            value = node.inputs.get(name)
            if isinstance(value, Link):
                return self.follow(value)
            if value is not None:
                return Constant(value)
        return None

    def _names(self, node: Node) -> list[str] | None:
        """The inputs that a switch may pass on, the first that is there counts; None where it cannot be known."""
        kind = node.type
        if kind in ("Any Switch (rgthree)", "Any Switch Big (rgthree)"):
            return sorted(name for name in node.inputs if name.startswith("any_"))
        if _BY_FLAG.match(kind):
            flag = _flag(self._value(node, "boolean"))
            ends = None if flag is None else "_a" if flag else "_b"
            return None if ends is None else [name for name in node.inputs if name.endswith(ends)]
        if kind in _FLAGS:
            name, on, off = _FLAGS[kind]
            flag = _flag(self._value(node, name))
            return None if flag is None else [on if flag else off]
        chooser, first = _NUMBERED.get(kind, ("Input", 1))
        number = as_integer(self._value(node, chooser))
        if number is None:
            return None
        if kind in _NUMBERED:
            return [f"{prefix}{number + first - 1}" for prefix in ("input", "value", "text")]
        ends = str(number)
        return [name for name in node.inputs if name != chooser and re.sub(r"\D", "", name) == ends]


# The input that chooses, and what is passed on where it is on and where it is off.
_FLAGS = {
    "Switch any [Crystools]": ("boolean", "on_true", "on_false"),
    "easy ifElse": ("boolean", "on_true", "on_false"),
    "ImpactConditionalBranch": ("cond", "tt_value", "ff_value"),
    "ComfySwitchNode": ("switch", "on_true", "on_false"),
    "LazySwitchKJ": ("switch", "on_true", "on_false"),
}
# The input that chooses, and the number with which the inputs begin.
_NUMBERED = {
    "ImpactSwitch": ("select", 1),
    "LatentSwitch": ("select", 1),
    "SEGSSwitch": ("select", 1),
    "easy anythingIndexSwitch": ("index", 1),
    "easy textSwitch": ("input", 1),
}
_SWITCHES = ("Any Switch (rgthree)", "Any Switch Big (rgthree)", *_FLAGS, *_NUMBERED)


def _flag(value: object) -> bool | None:
    if isinstance(value, str):
        return value.lower() in ("true", "yes", "on", "enable", "enabled", "1")
    return bool(value) if isinstance(value, bool | int | float) else None
