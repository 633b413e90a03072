"""What only ComfyUI's editor writes: groups of nodes in one, values sent everywhere, what is muted, named or led around."""

from __future__ import annotations

import copy
import uuid
from typing import Any

from tests.corpus.graph_case import SAMPLING, SD, Collection, empty, loaded, rest, saved, text
from tests.corpus.graphs import G, Made, Out

case = Collection(SD)
UI = ("ui", "modern")

# --- reroutes, names, mutes


@case("reroutes", UI)
def reroutes(g: G) -> None:
    ckpt = loaded(g)
    model = g("Reroute", **{"": ckpt["MODEL"]})
    again = g("Reroute (rgthree)", **{"": model[0]})
    rest(g, ckpt, model=again[0])


@case("set-and-get", UI)
def set_and_get(g: G) -> None:
    ckpt = loaded(g)
    for name, out in (("model", ckpt["MODEL"]), ("vae", ckpt["VAE"])):
        g("SetNode", **{"": out}, name=name, widgets=[name])
    model, vae = (g("GetNode", name=name, widgets=[name]) for name in ("model", "vae"))
    rest(g, ckpt, model=model[0], vae=vae[0])


@case("set-and-get-value", UI, steps=33)
def set_and_get_value(g: G) -> None:
    g("SetNode", **{"": g("INTConstant", value=33)["value"]}, name="steps", widgets=["steps"])
    rest(g, steps=g("GetNode", name="steps", widgets=["steps"])[0])


@case("muted-branch", UI, lost=["SaveImage #7 is muted", "Not part of this picture"])
def muted_branch(g: G) -> None:
    ckpt = loaded(g)
    sides = {"positive": text(g, ckpt["CLIP"], "a red kite"), "negative": text(g, ckpt["CLIP"], "blurry")}
    for seed, mode in ((5, 2), (77, 0)):
        sampler = g("KSampler", model=ckpt["MODEL"], latent_image=empty(g), **sides, **SAMPLING | {"seed": seed})
        g("SaveImage", images=g("VAEDecode", samples=sampler["LATENT"], vae=ckpt["VAE"])["IMAGE"], mode=mode)
    g("Note", text="the first is off")
    g("Fast Groups Muter (rgthree)")


@case("shown-on-the-way", ("api", "ui", "modern"))
def shown_on_the_way(g: G) -> None:
    ckpt = loaded(g)
    g("Display Any (rgthree)", source=ckpt["VAE"])
    rest(g, ckpt)


# --- everywhere


@case("everywhere", UI)
def everywhere(g: G) -> None:
    ckpt = loaded(g)
    for name in ("MODEL", "CLIP", "VAE"):
        g("Anything Everywhere", anything=ckpt[name])
    _open(g)


@case("everywhere-three", UI)
def everywhere_three(g: G) -> None:
    ckpt = loaded(g)
    g("Anything Everywhere3", anything=ckpt["MODEL"], anything2=ckpt["CLIP"], anything3=ckpt["VAE"])
    _open(g)


def _open(g: G, **sides: Out) -> None:
    """A sampler with its model, its texts' CLIP and its decoder's VAE not wired."""
    if not sides:
        sides = {
            "positive": g("CLIPTextEncode", text="a red kite")[0],
            "negative": g("CLIPTextEncode", text="blurry")[0],
        }
    sampler = g("KSampler", latent_image=empty(g), **sides, **SAMPLING)
    g("SaveImage", images=g("VAEDecode", samples=sampler["LATENT"])["IMAGE"])


@case("everywhere-prompts", UI)
def everywhere_prompts(g: G) -> None:
    ckpt = loaded(g)
    g("Prompts Everywhere", **{"+ve": text(g, ckpt["CLIP"], "a red kite"), "-ve": text(g, ckpt["CLIP"], "blurry")})
    sampler = g("KSampler", model=ckpt["MODEL"], latent_image=empty(g), **SAMPLING)
    saved(g, sampler["LATENT"], ckpt["VAE"])


@case("everywhere-matching", UI, lost=["Not part of this picture: CheckpointLoaderSimple #2."])
def everywhere_matching(g: G) -> None:
    first, second = loaded(g), loaded(g, "sd3.5_medium.safetensors")
    g("Anything Everywhere?", anything=second["MODEL"], title_regex="Other", input_regex=".*", group_regex=".*")
    g("Anything Everywhere?", anything=first["MODEL"], title_regex="KSampler", input_regex=".*", group_regex=".*")
    g("Anything Everywhere", anything=first["CLIP"])
    g("Anything Everywhere", anything=first["VAE"])
    _open(g)


@case("everywhere-seed", UI, seed=9)
def everywhere_seed(g: G) -> None:
    ckpt = loaded(g)
    seed = g("Seed Everywhere", seed=9)
    rest(g, ckpt, seed=seed[0])


# --- subgraphs, and the group nodes before them


def _folded(
    data: dict[str, Any],
    inside: list[int],
    shown: dict[str, tuple[int, str, Any]] | None = None,
    null_origins: bool = False,
) -> None:
    """Put nodes into a subgraph as the editor does. ``shown`` maps the subgraph's own inputs to (node, widget, value)
    whose widgets the instance shows."""
    id = str(uuid.UUID(int=7))
    nodes = {node["id"]: node for node in data["nodes"]}
    instance = max(nodes) + 100
    inputs: list[dict[str, Any]] = []
    outputs: list[dict[str, Any]] = []
    inner: list[dict[str, Any]] = []
    outer: list[list[Any]] = []
    wires: list[dict[str, Any]] = []
    by_source: dict[tuple[int, int], int] = {}
    for number, origin, slot, target, target_slot, type_ in data["links"]:
        made = {
            "id": number,
            "origin_id": origin,
            "origin_slot": slot,
            "target_id": target,
            "target_slot": target_slot,
            "type": type_,
        }
        if origin in inside and target in inside:
            inner.append(made)
        elif target in inside:
            place = by_source.setdefault((origin, slot), len(inputs))
            if place == len(inputs):
                inputs.append(
                    {
                        "id": str(uuid.UUID(int=100 + place)),
                        "name": f"{type_.lower()}_{place}",
                        "type": type_,
                        "linkIds": [],
                    }
                )
                outer.append([5000 + place, origin, slot, instance, place, type_])
                wires.append({"name": inputs[place]["name"], "type": type_, "link": 5000 + place})
                for link in nodes[origin]["outputs"][slot]["links"]:
                    assert link
                nodes[origin]["outputs"][slot]["links"].append(5000 + place)
            inputs[place]["linkIds"].append(number)
            inner.append(made | {"origin_id": None if null_origins else -10, "origin_slot": place})
        elif origin in inside:
            place = len(outputs)
            outputs.append({"id": str(uuid.UUID(int=200 + place)), "name": type_, "type": type_, "linkIds": [number]})
            inner.append(made | {"target_id": -20, "target_slot": place})
            outer.append([number + 3000, instance, place, target, target_slot, type_])
            nodes[target]["inputs"][target_slot]["link"] = number + 3000
        else:
            outer.append([number, origin, slot, target, target_slot, type_])
    values: list[Any] = []
    for name, (node, widget, value) in (shown or {}).items():
        place = len(inputs)
        inputs.append(
            {"id": str(uuid.UUID(int=300 + place)), "name": name, "type": "STRING", "linkIds": [7000 + place]}
        )
        inner.append({"id": 7000 + place, "origin_id": -10, "origin_slot": place, "target_id": node,
                      "target_slot": len(nodes[node]["inputs"]), "type": "STRING"})  # fmt: skip
        nodes[node]["inputs"].append(
            {"name": widget, "type": "STRING", "widget": {"name": widget}, "link": 7000 + place}
        )
        wires.append({"name": name, "type": "STRING", "widget": {"name": name}, "link": None})
        values.append(value)
    definition = {
        "id": id, "version": 1, "name": "Make a kite", "inputNode": {"id": -10}, "outputNode": {"id": -20},
        "inputs": inputs, "outputs": outputs, "widgets": [], "nodes": [nodes[one] for one in inside], "links": inner,
    }  # fmt: skip
    data["definitions"] = {"subgraphs": [definition]}
    data["nodes"] = [node for one, node in nodes.items() if one not in inside] + [{
        "id": instance, "type": id, "pos": [0, 0], "mode": 0, "inputs": wires,
        "outputs": [{"name": out["name"], "type": out["type"], "links": [link[0] for link in outer if link[1] == instance]}
                    for out in outputs],
        "properties": {}, "widgets_values": values,
    }]  # fmt: skip
    data["links"] = outer


def _ids(data: dict[str, Any], *kinds: str) -> list[int]:
    return [node["id"] for node in data["nodes"] if node["type"] in kinds]


@case("subgraph", UI, after=lambda data: _folded(data, _ids(data, "KSampler", "VAEDecode")))
def subgraph(g: G) -> None:
    rest(g)


@case(
    "subgraph-texts",
    UI,
    after=lambda data: _folded(data, _ids(data, "CLIPTextEncode", "KSampler", "EmptySD3LatentImage")),
)
def subgraph_texts(g: G) -> None:
    rest(g)


@case(
    "subgraph-null-origins",
    UI,
    after=lambda data: _folded(data, _ids(data, "KSampler", "VAEDecode"), null_origins=True),
)
def subgraph_null(g: G) -> None:
    rest(g)


@case("subgraph-shown", UI, prompt="a blue kite",
      after=lambda data: _folded(data, _ids(data, "CLIPTextEncode", "KSampler"),
                                 {"prompt": (_ids(data, "CLIPTextEncode")[0], "text", "a blue kite")}))  # fmt: skip
def subgraph_shown(g: G) -> None:
    rest(g)


@case("subgraph-everything", UI,
      after=lambda data: _folded(data, _ids(data, "CheckpointLoaderSimple", "CLIPTextEncode", "EmptySD3LatentImage", "KSampler", "VAEDecode")))  # fmt: skip
def subgraph_everything(g: G) -> None:
    rest(g)


def _twice(data: dict[str, Any]) -> None:
    """A subgraph in a subgraph."""
    _folded(data, _ids(data, "KSampler"))
    inner = data["definitions"]["subgraphs"][0]
    instance = data["nodes"][-1]["id"]
    _folded(data, [instance, *_ids(data, "VAEDecode")])
    outer = data["definitions"]["subgraphs"][0]
    outer["id"] = str(uuid.UUID(int=8))
    data["nodes"][-1]["type"] = outer["id"]
    data["definitions"]["subgraphs"] = [outer, inner]


@case("subgraph-nested", UI, after=_twice)
def subgraph_nested(g: G) -> None:
    rest(g)


def _grouped(data: dict[str, Any], inside: list[int], null: bool) -> None:
    """Put nodes into a group node of 2023: nodes by index, inputs and widgets one after the other."""
    nodes = {node["id"]: node for node in data["nodes"]}
    index = {id: place for place, id in enumerate(inside)}
    instance, name = max(nodes) + 100, "Kite"
    links, outer, inputs, external = [], [], [], []
    outputs: list[dict[str, Any]] = []
    for id in inside:
        for place, slot in enumerate(nodes[id]["inputs"]):
            found = next((link for link in data["links"] if link[0] == slot["link"]), None)
            if found is None:
                continue
            number, origin, origin_slot, _, _, type_ = found
            if origin in index:
                links.append([index[origin], origin_slot, index[id], place, origin, type_])
                continue
            if null:
                links.append([None, origin_slot, index[id], place, origin, type_])
            outer.append([number, origin, origin_slot, instance, len(inputs), type_])
            label = (
                f"{nodes[id]['type']} {slot['name']}"
                if any(one["name"] == slot["name"] for one in inputs)
                else slot["name"]
            )
            inputs.append({"name": label, "type": type_, "link": number})
    for id in inside:
        for place, slot in enumerate(nodes[id]["outputs"]):
            leaving = [link for link in data["links"] if link[1] == id and link[2] == place and link[3] not in index]
            staying = [link for link in data["links"] if link[1] == id and link[2] == place and link[3] in index]
            if leaving or not staying:
                outputs.append({"name": slot["name"], "type": slot["type"], "links": [link[0] for link in leaving]})
                outer += [[link[0], instance, len(outputs) - 1, *link[3:]] for link in leaving]
                if staying:
                    external.append([index[id], place, slot["type"]])
    outer += [link for link in data["links"] if link[1] not in index and link[3] not in index]
    values = [value for id in inside for value in nodes[id]["widgets_values"]]
    inner = [copy.deepcopy(nodes[id]) | {"index": index[id]} for id in inside]
    for node in inner:
        for slot in node["inputs"]:
            slot["link"] = None
    data["nodes"] = [node for id, node in nodes.items() if id not in index] + [{
        "id": instance, "type": f"workflow/{name}", "mode": 0, "inputs": inputs, "outputs": outputs, "pos": [0, 0],
        "properties": {"Node name for S&R": f"workflow/{name}"}, "widgets_values": values,
    }]  # fmt: skip
    data["links"] = outer
    data["extra"]["groupNodes"] = {name: {"nodes": inner, "links": links, "external": external}}


for _name, _null in (("group", False), ("group-null-links", True)):

    def _after(data: dict[str, Any], null: bool = _null) -> None:
        _grouped(data, _ids(data, "EmptySD3LatentImage", "KSampler", "VAEDecode"), null)

    @case(_name, ("ui",), after=_after)
    def _group(g: G) -> None:
        rest(g)


@case("group-of-texts", ("ui",), after=lambda data: _grouped(data, _ids(data, "CLIPTextEncode", "KSampler"), True))
def group_of_texts(g: G) -> None:
    rest(g)


@case("group-of-all", ("ui",),
      after=lambda data: _grouped(data, _ids(data, "CheckpointLoaderSimple", "CLIPTextEncode", "EmptySD3LatentImage", "KSampler"), False))  # fmt: skip
def group_of_all(g: G) -> None:
    rest(g)


@case("group-loader", ("ui",), after=lambda data: _grouped(data, _ids(data, "CheckpointLoaderSimple", "LoraLoader"), False),
      loras=[["kites.safetensors", 0.7, 0.5]])  # fmt: skip
def group_loader(g: G) -> None:
    ckpt = loaded(g)
    both: Made = g(
        "LoraLoader",
        model=ckpt["MODEL"],
        clip=ckpt["CLIP"],
        lora_name="kites.safetensors",
        strength_model=0.7,
        strength_clip=0.5,
    )
    rest(g, ckpt, model=both["MODEL"], clip=both["CLIP"])


def _objects(data: dict[str, Any]) -> None:
    """Links as objects, as editors of 2025 may write them."""
    names = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    data["links"] = [dict(zip(names, link, strict=True)) for link in data["links"]]


@case("links-as-objects", ("modern",), after=_objects)
def links_as_objects(g: G) -> None:
    rest(g)


def _named_values(data: dict[str, Any]) -> None:
    for node in data["nodes"]:
        if node["type"] == "KSampler":
            node["widgets_values"] = dict(SAMPLING)


@case("values-by-name", ("ui",), after=_named_values)
def values_by_name(g: G) -> None:
    rest(g, seed=1, steps=1)


def _without_control(data: dict[str, Any]) -> None:
    for node in data["nodes"]:
        if node["type"] == "KSampler":
            node["widgets_values"] = list(SAMPLING.values())


@case("without-control", ("ui",), after=_without_control)
def without_control(g: G) -> None:
    rest(g)


def _shifted(data: dict[str, Any]) -> None:
    for node in data["nodes"]:
        if node["type"] == "KSampler":
            node["widgets_values"] = ["euler", 77, "fixed", 28, 4.5, "simple", 1.0, "more", "and more"]


@case("values-fit-nothing", ("ui",), after=_shifted, refused="The values of KSampler #5 fit no version")
def values_fit_nothing(g: G) -> None:
    rest(g)
