"""What only ComfyUI's editor writes: things folded, muted, bypassed or merely drawn."""

from __future__ import annotations

import copy
import json
from typing import Any

from tests.engine.interop.comfy_nodes import NODES, Graph
from tests.engine.interop.corpus_parts import SD3, Expected, Parts, minimal
from tests.engine.interop.corpus_sampling import cogvideox

File = tuple[str, bytes, Expected]  # ending, content, what is expected


Ui = dict[str, Any]


def _json(data: Any) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()


def _node(ui: Ui, kind: str) -> Ui:
    found: Ui = next(node for node in ui["nodes"] if node["type"] == kind)
    return found


def _insert(ui: Ui, link_id: int, node: Ui, type_: str) -> None:
    """Put a node with one input and one output into a link."""
    link = next(link for link in ui["links"] if link[0] == link_id)
    new = 1 + max(other[0] for other in ui["links"])
    ui["links"].append([new, node["id"], 0, link[3], link[4], type_])
    target = next(other for other in ui["nodes"] if other["id"] == link[3])
    target["inputs"][link[4]]["link"] = new
    link[3], link[4] = node["id"], 0
    node["inputs"][0]["link"] = link_id
    node["outputs"][0]["links"] = [new]
    ui["nodes"].append(node)


def _plain_node(id: int, kind: str, type_: str, **more: Any) -> Ui:
    node = {
        "id": id,
        "type": kind,
        "mode": 0,
        "inputs": [{"name": "", "type": "*", "link": None}],
        "outputs": [{"name": "", "type": type_, "links": []}],
        "properties": {},
        "widgets_values": [],
    }
    return node | more


def reroutes() -> File:
    ui = minimal()[0].ui()
    latent = _node(ui, "KSampler")["inputs"][3]["link"]
    _insert(ui, latent, _plain_node(100, "Reroute", "LATENT"), "LATENT")
    _insert(ui, latent, _plain_node(101, "Reroute", "LATENT"), "LATENT")
    return "json", _json(ui), Expected(SD3)


def primitives() -> File:
    """Widgets turned into inputs, fed by primitives; the old value stays in the list of widgets."""
    graph, _ = minimal()
    kind, inputs = graph.nodes["6"]
    graph.nodes["6"] = (kind, inputs | {"seed": ("90", 0), "steps": ("91", 0)})
    ui = graph_with_primitives(graph, {"90": (123, "INT"), "91": (33, "INT")})
    return "json", _json(ui), Expected(SD3 | {"seed": 123, "steps": 33})


def graph_with_primitives(graph: Graph, values: dict[str, tuple[Any, str]]) -> Ui:
    for id, (value, _) in values.items():
        graph.nodes[id] = ("PrimitiveNode", {"value": value})
        graph.modes[id] = 0
    NODES["PrimitiveNode"] = ({}, ["*"], ["value!"])
    return graph.ui()


def notes() -> File:
    ui = minimal()[0].ui()
    for id, kind in ((70, "Note"), (71, "MarkdownNote")):
        ui["nodes"].append(_plain_node(id, kind, "*", inputs=[], outputs=[], widgets_values=["# Read me"]))
    return "json", _json(ui), Expected(SD3)


def muted_branch() -> File:
    p = Parts()
    p.saved(p.sampled(seed=99))
    ui = p.saved(p.sampled()).ui()
    first = next(node for node in ui["nodes"] if node["type"] == "SaveImage")
    first["mode"] = 2
    return (
        "json",
        _json(ui),
        Expected(
            SD3,
            ignored=["SaveImage #8 is muted", "Not part of this picture: CLIPTextEncode #3"],
            understood=["Of 2 samplers KSampler #12"],
        ),
    )


def bypassed_lora() -> File:
    p = Parts()
    lora = p.g.add(
        "LoraLoader", mode=4, model=p.model, clip=p.clip, lora_name="ink.safetensors", strength_model=1, strength_clip=1
    )
    p.model, p.clip = (lora, 0), (lora, 1)
    return "json", _json(p.saved(p.sampled()).ui()), Expected(SD3, ignored=["LoraLoader #3 is bypassed"])


def set_and_get() -> File:
    ui = minimal()[0].ui()
    latent = _node(ui, "KSampler")["inputs"][3]["link"]
    _insert(ui, latent, _plain_node(80, "SetNode", "LATENT", widgets_values=["latent"]), "LATENT")
    ui["nodes"].append(_plain_node(81, "GetNode", "LATENT", inputs=[], widgets_values=["latent"]))
    out = next(link for link in ui["links"] if link[1] == 80)
    out[1] = 81
    return "json", _json(ui), Expected(SD3)


def _folded(ui: Ui, ids: list[int], uuid: str) -> Ui:
    """The nodes ``ids`` put into a subgraph, as the editor does it: links by object, its edges at -10 and -20."""
    inside = [node for node in ui["nodes"] if node["id"] in ids]
    outside = [node for node in ui["nodes"] if node["id"] not in ids]
    inputs, outputs, inner, outer = [], [], [], []
    for link in ui["links"]:
        id, origin, slot, target, target_slot, type_ = link
        if origin in ids and target in ids:
            pass
        elif target in ids:
            inputs.append({"id": f"in{id}", "name": f"in{id}", "type": type_, "linkIds": [id]})
            outer.append([id + 1000, origin, slot, 500, len(inputs) - 1, type_])
            origin, slot = -10, len(inputs) - 1
        elif origin in ids:
            outputs.append({"id": f"out{id}", "name": f"out{id}", "type": type_, "linkIds": [id]})
            outer.append([id + 1000, 500, len(outputs) - 1, target, target_slot, type_])
            next(node for node in outside if node["id"] == target)["inputs"][target_slot]["link"] = id + 1000
            target, target_slot = -20, len(outputs) - 1
        else:
            outer.append(link)
            continue
        inner.append(
            {
                "id": id,
                "origin_id": origin,
                "origin_slot": slot,
                "target_id": target,
                "target_slot": target_slot,
                "type": type_,
            }
        )
    instance = {
        "id": 500,
        "type": uuid,
        "mode": 0,
        "inputs": [{"name": item["name"], "type": item["type"], "link": item["linkIds"][0] + 1000} for item in inputs],
        "outputs": [{"name": item["name"], "type": item["type"], "links": []} for item in outputs],
        "properties": {"proxyWidgets": []},
        "widgets_values": [],
    }
    definition = {
        "id": uuid,
        "version": 1,
        "name": "Sampling",
        "inputNode": {"id": -10, "bounding": [0, 0, 1, 1]},
        "outputNode": {"id": -20, "bounding": [0, 0, 1, 1]},
        "inputs": inputs,
        "outputs": outputs,
        "widgets": [],
        "nodes": inside,
        "links": inner,
    }
    folded = ui | {"nodes": [*outside, instance], "links": outer}
    old = ui.get("definitions", {"subgraphs": []})["subgraphs"]
    folded["definitions"] = {"subgraphs": [*old, definition]}
    return folded


UUID = "31d70bc1-12a1-4af4-8a84-c335621fe232"


UUID2 = "5a0c3d1e-0b0a-4c5f-9d0c-0d8f6d7b1e11"


def subgraph() -> File:
    return "json", _json(_folded(minimal()[0].ui(), [3, 4, 5, 6], UUID)), Expected(SD3)


def subgraph_with_widgets() -> File:
    """What the subgraph's node shows on its face counts, not what is left inside."""
    ui = _folded(minimal()[0].ui(), [3, 4, 5, 6], UUID)
    instance = next(node for node in ui["nodes"] if node["id"] == 500)
    instance["properties"]["proxyWidgets"] = [["6", "seed"], ["3", "text"], ["6", "steps"]]
    instance["widgets_values"] = [321, "a green boat", 12]
    return "json", _json(ui), Expected(SD3 | {"seed": 321, "prompt": "a green boat", "steps": 12})


def subgraph_with_own_text() -> File:
    """A text that is an input of the subgraph, unconnected: its value stands at the subgraph's node."""
    ui = _folded(minimal()[0].ui(), [3, 4, 5, 6], UUID)
    definition = ui["definitions"]["subgraphs"][0]
    definition["inputs"].append({"id": "t", "name": "text", "type": "STRING", "linkIds": [77]})
    place = len(definition["inputs"]) - 1
    encode = next(node for node in definition["nodes"] if node["id"] == 3)
    encode["inputs"].append({"name": "text", "type": "STRING", "link": 77, "widget": {"name": "text"}})
    definition["links"].append(
        {"id": 77, "origin_id": -10, "origin_slot": place, "target_id": 3, "target_slot": 1, "type": "STRING"}
    )
    instance = next(node for node in ui["nodes"] if node["id"] == 500)
    instance["inputs"].append({"name": "text", "type": "STRING", "link": None, "widget": {"name": "text"}})
    instance["properties"]["proxyWidgets"] = [["-1", "text"]]
    instance["widgets_values"] = ["a blue boat"]
    return "json", _json(ui), Expected(SD3 | {"prompt": "a blue boat"})


def nested_subgraph() -> File:
    """A subgraph around the sampler's subgraph."""
    once = _folded(minimal()[0].ui(), [5, 6], UUID2)
    instance = next(node for node in once["nodes"] if node["id"] == 500)
    instance["id"] = 50
    for link in once["links"]:
        link[1], link[3] = (50 if id == 500 else id for id in (link[1], link[3]))
    return "json", _json(_folded(once, [3, 4, 50], UUID)), Expected(SD3)


def bypassed_subgraph() -> File:
    p = Parts()
    shift = p.g.add("ModelSamplingSD3", model=p.model, shift=9.0)
    p.model = (shift, 0)
    ui = _folded(p.saved(p.sampled()).ui(), [int(shift)], UUID)
    next(node for node in ui["nodes"] if node["id"] == 500)["mode"] = 4
    return "json", _json(ui), Expected(SD3, ignored=[f"{UUID} #500 is bypassed"])


def group_node() -> File:
    """The old way of folding: nodes by index under ``extra``, the instance's widgets all in one list."""
    ui = minimal()[0].ui()
    inside = [copy.deepcopy(node) for node in ui["nodes"] if node["id"] in (3, 4)]
    ui["nodes"] = [node for node in ui["nodes"] if node["id"] not in (3, 4)]
    clips = [link for link in ui["links"] if link[3] in (3, 4)]
    outs = {link[1]: link for link in ui["links"] if link[1] in (3, 4)}
    ui["links"] = [link for link in ui["links"] if link not in clips]
    for place, link in enumerate((outs[3], outs[4])):
        link[1], link[2] = 40, place
    ui["links"] += [[901, 2, 0, 40, 0, "CLIP"], [902, 2, 0, 40, 1, "CLIP"]]
    for node in inside:
        node["widgets_values"] = ["left over"]
    ui["extra"]["groupNodes"] = {
        "Prompts": {"nodes": inside, "links": [], "external": [[0, 0, "CONDITIONING"], [1, 0, "CONDITIONING"]]}
    }
    ui["nodes"].append(
        {
            "id": 40,
            "type": "workflow/Prompts",
            "mode": 0,
            "inputs": [
                {"name": "clip", "type": "CLIP", "link": 901},
                {"name": "CLIPTextEncode 2 clip", "type": "CLIP", "link": 902},
            ],
            "outputs": [{"name": "a", "type": "CONDITIONING"}, {"name": "b", "type": "CONDITIONING"}],
            "properties": {},
            "widgets_values": ["a red boat", "blurry"],
        }
    )
    return "json", _json(ui), Expected(SD3)


def link_objects() -> File:
    """Newer schemas write links as objects."""
    ui = minimal()[0].ui()
    names = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    ui["links"] = [dict(zip(names, link, strict=True)) for link in ui["links"]]
    return "json", _json(ui | {"version": 1}), Expected(SD3)


def other_family() -> File:
    """A template of another family, with a node for each file's hash: nothing of it is here."""
    p = Parts()
    p.g = Graph()
    p.model = (p.g.add("UNETLoader", unet_name="z_image_turbo_bf16.safetensors", weight_dtype="default"), 0)
    p.clip = (p.g.add("CLIPLoader", clip_name="qwen_3_4b.safetensors", type="lumina2", device="default"), 0)
    p.vae = (p.g.add("VAELoader", vae_name="ae.safetensors"), 0)
    ui = p.saved(p.sampled()).ui()
    return (
        "json",
        _json(ui),
        Expected(
            {},
            ignored=["This is a workflow for Z-Image (UNETLoader #1, z_image_turbo_bf16.safetensors)"],
        ),
    )


def renamed_file_with_hash() -> File:
    ui = minimal()[0].ui()
    loader = _node(ui, "CheckpointLoaderSimple")
    loader["widgets_values"] = ["renamed.safetensors"]
    loader["properties"]["models"] = [{"name": "renamed.safetensors", "hash": "AB" * 32, "hash_type": "SHA256"}]
    return "json", _json(ui), Expected(SD3)


def dynamic_prompt() -> File:
    """Alternatives and comments as they stand in the editor's text."""
    p = Parts()
    text = "a {red|blue} {{small|large}|} boat /* or ship */// at sea"
    return (
        "json",
        _json(p.saved(p.sampled(positive=p.text(text))).ui()),
        Expected(SD3 | {"prompt": "a red small boat "}, ["CLIPTextEncode #3 draws one of several texts"]),
    )


def without_control_values() -> File:
    """Some programs leave out what the editor puts after a seed."""
    ui = minimal()[0].ui()
    sampler = _node(ui, "KSampler")
    sampler["widgets_values"] = [value for value in sampler["widgets_values"] if value != "randomize"]
    return "json", _json(ui), Expected(SD3)


def nan_of_comfyui() -> File:
    """ComfyUI writes ``is_changed: [NaN]`` beside nodes that always run: no JSON, but it is what is in the files."""
    graph = minimal()[0].api()
    graph["6"]["is_changed"] = ["@"]
    return "json", _json(graph).replace(b'"@"', b"NaN"), Expected(SD3)


def request() -> File:
    """What goes over the wire to a server."""
    body = {"prompt": minimal()[0].api(), "client_id": "x", "extra_data": {}}
    return "json", _json(body), Expected(SD3)


def no_sampler() -> File:
    g = Graph()
    image = g.add("LoadImage", image="a.png")
    g.add("SaveImage", images=(image, 0), filename_prefix="x")
    return "json", _json(g.api()), Expected({}, ignored=["has no sampler"])


def old_cogvideox() -> File:
    """The wrapper's first versions had the size in the sampler; VideoHelperSuite writes its widgets by name."""
    ui = cogvideox()[0].ui()
    sampler = _node(ui, "CogVideoSampler")
    sampler["widgets_values"] = [480, 720, 25, 40, 5.0, 11, "fixed", "DPM++", 16, 8]
    sampler["inputs"][3]["link"] = None
    combine = _node(ui, "VHS_VideoCombine")
    combine["widgets_values"] = {"frame_rate": 12, "loop_count": 0, "videopreview": {"params": {}}}
    loader = _node(ui, "DownloadAndLoadCogVideoModel")
    loader["widgets_values"] = ["THUDM/CogVideoX-5b", "bf16", "enabled", "disabled", False]
    recipe = cogvideox()[1].recipe | {
        "frames": 25,
        "steps": 40,
        "guidance": 5.0,
        "seed": 11,
        "sampler": "dpmpp_2m_log_snr",
        "fps": 12,
    }
    return (
        "json",
        _json(ui),
        Expected(
            recipe,
            ["#1 runs reduced weights"],
            ["#7 decodes in tiles", "Not part of this picture: EmptyLatentImage #5"],
        ),
    )


FILES = (
    *(reroutes, primitives, notes, muted_branch, bypassed_lora, set_and_get, subgraph, subgraph_with_widgets),
    *(subgraph_with_own_text, nested_subgraph, bypassed_subgraph, group_node, link_objects, other_family),
    *(renamed_file_with_hash, dynamic_prompt, without_control_values, nan_of_comfyui, request, no_sampler),
    old_cogvideox,
)
