"""Nodes that are several in one, as the plain nodes they stand for: loaders with prompts and size, samplers that
decode, stacks of LoRAs. Only what passes on is left to ``comfy_passing``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from engine.interop.comfy_passing import Found, Passing
from engine.interop.comfy_values import Unknown, Values
from engine.interop.everywhere import Constant
from engine.interop.graph import Graph, Link, Node
from engine.interop.report import Notes, as_integer, as_number

MAX_LORAS = 64
_LOADERS = ("Efficient Loader", "easy fullLoader", "easy comfyLoader", "easy a1111Loader")
_SAMPLERS = ("KSampler (Efficient)", "KSampler //Inspire")
_ADVANCED = ("KSampler Adv. (Efficient)", "KSamplerAdvanced //Inspire")
_PIPE_SAMPLERS = {
    "ImpactKSamplerBasicPipe": "basic_pipe",
    "easy kSampler": "pipe",
    "easy fullkSampler": "pipe",
}
_POWER, _RGTHREE_STACK = "Power Lora Loader (rgthree)", "Lora Loader Stack (rgthree)"
_APPLIED_STACKS = ("CR Apply LoRA Stack", "easy loraStackApply")
_STACKS = ("CR LoRA Stack", "LoRA Stacker", "easy loraStack")
_STACK_LINKS = ("lora_stack", "optional_lora_stack")
_SAMPLING = ("seed", "steps", "cfg", "sampler_name", "scheduler", "denoise")
_NONE = (None, "", "None", "none")


class _Lora(NamedTuple):
    name: Any
    model: Any
    clip: Any


def unfold(graph: Graph, notes: Notes) -> set[str]:
    """Put plain nodes in the place of every such node, and lead every link to what makes its value. Returns the nodes
    that said something on the way: those that choose, and stacks."""
    made: dict[str, dict[str, Found]] = {}
    used: set[str] = set()
    passing = Passing(graph, notes, made)
    unfolding = _Unfolding(graph, passing, made, Values(graph, used))
    passing.read_values_with(unfolding.value)
    for node in list(graph.values()):
        unfolding.loaders(node)
    for node in list(graph.values()):
        unfolding.samplers(node)
    passing.run()
    for id in made:
        graph.pop(id, None)
    return used | unfolding.used


class _Unfolding:
    def __init__(self, graph: Graph, passing: Passing, made: dict[str, dict[str, Found]], values: Values) -> None:
        self._graph = graph
        self._passing = passing
        self._made = made
        self._values = values
        self.used: set[str] = set()

    def value(self, node: Node, name: str) -> Any:
        try:
            return self._values.of(node, name)
        except Unknown:
            return None

    def loaders(self, node: Node) -> None:
        if not node.readable:
            return
        if node.type in _LOADERS:
            self._loader(node)
        elif node.type in (_POWER, _RGTHREE_STACK, *_APPLIED_STACKS, "LoraLoader|pysssss", "CR Load LoRA"):
            loras = list(self._loras(node))
            model, clip = node.inputs.get("model"), node.inputs.get("clip", node.inputs.get("optional_clip"))
            self._made[node.id] = dict(zip(("model", "clip"), self._chained(node, loras, model, clip), strict=True))
        elif node.type == "CheckpointLoader|pysssss":
            loader = self._part(
                node, "model", "CheckpointLoaderSimple", ckpt_name=_content(node.inputs.get("ckpt_name"))
            )
            self._made[node.id] = {"model": Link(loader, 0), "clip": Link(loader, 1), "vae": Link(loader, 2)}
        elif node.type == "ImpactWildcardEncode":
            text = node.inputs.get("populated_text") or node.inputs.get("wildcard_text")
            encoded = self._part(node, "text", "CLIPTextEncode", text=text, clip=node.inputs.get("clip"))
            self._made[node.id] = {
                "model": node.link("model"),
                "clip": node.link("clip"),
                "conditioning": Link(encoded, 0),
                "populated_text": Constant(text) if isinstance(text, str) else None,
            }

    def samplers(self, node: Node) -> None:
        if not node.readable:
            return
        inputs = dict(node.inputs)
        if node.type in _PIPE_SAMPLERS:
            for name in ("model", "clip", "vae", "positive", "negative", "latent", *_SAMPLING):
                if name in inputs:
                    continue
                found = self._passing.carried(node, name)
                if found is not None:
                    inputs[name] = found.value if isinstance(found, Constant) else found
        names: tuple[str, ...]
        if node.type in (*_SAMPLERS, *_PIPE_SAMPLERS):
            kind, names = "KSampler", _SAMPLING
        elif node.type in _ADVANCED:
            kind = "KSamplerAdvanced"
            names = ("add_noise", "noise_seed", "steps", "cfg", "sampler_name", "scheduler")
            names = (*names, "start_at_step", "end_at_step", "return_with_leftover_noise")
        else:
            return
        wired = {name: inputs.get(name) for name in (*names, "model", "positive", "negative")}
        wired["latent_image"] = inputs.get("latent_image", inputs.get("latent"))
        if inputs.get("image") is not None and wired["latent_image"] is None:
            pixels = self._part(node, "encode", "VAEEncode", pixels=inputs["image"], vae=inputs.get("vae"))
            wired["latent_image"] = Link(pixels, 0)
        sampler = Link(self._part(node, "sampler", kind, **wired), 0)
        vae = inputs.get("vae", inputs.get("optional_vae"))
        image = Link(self._part(node, "decode", "VAEDecode", samples=sampler, vae=vae), 0)
        same = {name: value for name in ("model", "positive", "negative", "vae", "clip") if (value := inputs.get(name))}
        self._made[node.id] = {**same, "latent": sampler, "image": image}

    def _part(self, node: Node, name: str, kind: str, **inputs: Any) -> str:
        id = f"{node.id}/{name}"
        kept = {key: value for key, value in inputs.items() if value is not None}
        self._graph[id] = Node(id, kind, kept, hashes=node.hashes, part_of=node.label)
        return id

    def _loader(self, node: Node) -> None:
        given = node.inputs.get
        loader = self._part(node, "model", "CheckpointLoaderSimple", ckpt_name=given("ckpt_name"))
        model, clip, vae = (
            given("model_override") or Link(loader, 0),
            given("clip_override") or Link(loader, 1),
            given("vae_override") or Link(loader, 2),
        )
        if given("vae_name") not in (*_NONE, "Baked VAE", "Baked-VAE"):
            vae = Link(self._part(node, "vae", "VAELoader", vae_name=given("vae_name")), 0)
        loras = list(self._stack(node))
        if given("lora_name") not in _NONE:
            loras.append(_Lora(given("lora_name"), given("lora_model_strength", 1.0), given("lora_clip_strength", 1.0)))
        model, clip = self._chained(node, loras, model, clip)
        skip = as_integer(given("clip_skip"))
        if skip not in (None, -1, -2, 0):
            clip = Link(self._part(node, "skip", "CLIPSetLastLayer", clip=clip, stop_at_clip_layer=skip), 0)
        size = self._values.size(node)
        width, height = size or (given("empty_latent_width"), given("empty_latent_height"))
        own = [given(f"empty_latent_{side}") for side in ("width", "height")]
        if any(isinstance(value, Link) for value in own):
            width, height = own
        latent = self._part(
            node, "latent", "EmptyLatentImage", width=width, height=height, batch_size=given("batch_size", 1)
        )
        sides = {
            side: Link(self._part(node, side, "CLIPTextEncode", text=given(side, ""), clip=clip), 0)
            for side in ("positive", "negative")
        }
        self._made[node.id] = {"model": model, "clip": clip, "vae": vae, "latent": Link(latent, 0), **sides}

    def _chained(self, node: Node, loras: list[_Lora], model: Any, clip: Any) -> tuple[Any, Any]:
        for i, lora in enumerate(loras[:MAX_LORAS]):
            id = self._part(
                node,
                f"lora{i}",
                "LoraLoader" if clip is not None else "LoraLoaderModelOnly",
                model=model,
                clip=clip,
                lora_name=lora.name,
                strength_model=lora.model,
                strength_clip=lora.clip,
            )
            model, clip = Link(id, 0), Link(id, 1) if clip is not None else None
        return model, clip

    def _loras(self, node: Node) -> Iterator[_Lora]:
        if node.type == _POWER:
            for value in node.inputs.values():
                if isinstance(value, dict) and value.get("on", True) and value.get("lora") not in _NONE:
                    strength, two = value.get("strength", 1.0), value.get("strengthTwo")
                    yield _Lora(value["lora"], strength, strength if two is None else two)
        elif node.type == _RGTHREE_STACK:
            for i in range(1, 5):
                if node.inputs.get(f"lora_0{i}") not in _NONE:
                    strength = node.inputs.get(f"strength_0{i}", 1.0)
                    yield _Lora(node.inputs[f"lora_0{i}"], strength, strength)
        elif node.type in _APPLIED_STACKS:
            yield from self._stack(node)
        elif _is_on(node.inputs.get("switch", True)) and _content(node.inputs.get("lora_name")) not in _NONE:
            given = node.inputs.get
            strength = given("strength_model", 1.0)
            yield _Lora(_content(given("lora_name")), strength, given("strength_clip", strength))

    def _stack(self, node: Node) -> Iterator[_Lora]:
        """The LoRAs of the stacks that lead into ``node``, the first stacked first."""
        stacks: list[Node] = []
        link = next((node.link(name) for name in _STACK_LINKS if node.link(name)), None)
        while link is not None and len(stacks) < MAX_LORAS:
            found = self._passing.follow(link)
            source = self._graph.get(found.node) if isinstance(found, Link) else None
            if source is None or source.type not in _STACKS or source in stacks:
                break
            self.used.add(source.id)
            stacks.append(source)
            link = next((source.link(name) for name in _STACK_LINKS if source.link(name)), None)
        for stack in reversed(stacks):
            yield from _stacked(stack)


def _stacked(node: Node) -> Iterator[_Lora]:
    given = node.inputs.get
    if node.type == "CR LoRA Stack":
        for i in (1, 2, 3):
            if _is_on(given(f"switch_{i}")) and given(f"lora_name_{i}") not in _NONE:
                yield _Lora(given(f"lora_name_{i}"), given(f"model_weight_{i}", 1.0), given(f"clip_weight_{i}", 1.0))
    elif node.type == "LoRA Stacker":
        simple = given("input_mode", "simple") == "simple"
        for i in range(1, 1 + min(as_integer(given("lora_count", 3)) or 0, MAX_LORAS)):
            if given(f"lora_name_{i}") not in _NONE:
                strengths = ("lora_wt", "lora_wt") if simple else ("model_str", "clip_str")
                yield _Lora(given(f"lora_name_{i}"), *(given(f"{name}_{i}", 1.0) for name in strengths))
    elif given("toggle", True) in (True, "true", "on", "On"):
        simple = given("mode", "simple") == "simple"
        for i in range(1, 1 + min(as_integer(given("num_loras", 1)) or 0, MAX_LORAS)):
            if given(f"lora_{i}_name") not in _NONE:
                ends = ("strength", "strength") if simple else ("model_strength", "clip_strength")
                yield _Lora(given(f"lora_{i}_name"), *(given(f"lora_{i}_{end}", 1.0) for end in ends))


def _is_on(value: Any) -> bool:
    return value in (True, "On", "on", "true") or bool(as_number(value))


def _content(value: Any) -> Any:
    """A name, or an object that has it beside a picture."""
    return value.get("content") if isinstance(value, dict) else value
