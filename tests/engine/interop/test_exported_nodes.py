"""Every node that an export writes is one that a ComfyUI takes: known inputs, all that are required, fitting values."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given

from engine.interop.comfy_export import export_workflow
from engine.interop.comfy_import import import_workflow
from engine.interop.model_files import KnownModels
from engine.models.catalog import MODELS
from engine.protocol.inputs import Input
from engine.protocol.recipe import Adapter, Recipe
from tests.engine.interop.node_definitions import DEFINITIONS, FILES, Range
from tests.engine.interop.recipes import cogvideox_recipes, few, sd3_recipes

TYPES: dict[str, type | tuple[type, ...]] = {"INT": int, "FLOAT": (int, float), "STRING": str, "BOOLEAN": bool}


def problems(graph: dict[str, Any]) -> list[str]:
    """What a server would refuse."""
    found = []
    for id, node in graph.items():
        kind, inputs = node["class_type"], node["inputs"]
        definition = DEFINITIONS.get(kind)
        if definition is None:
            found.append(f"{kind} is unknown")
            continue
        known = definition.required | definition.optional
        found += [f"{kind} #{id} lacks {name}" for name in definition.required if name not in inputs]
        found += [f"{kind} #{id} has no {name}" for name in inputs if name not in known]
        found += [
            f"{kind} #{id}: {name} is {value!r}"
            for name, value in inputs.items()
            if name in known and not fits(known[name], value, graph)
        ]
    return found


def fits(wanted: Any, value: Any, graph: dict[str, Any]) -> bool:
    if isinstance(value, list):
        source = graph[value[0]]
        outputs = DEFINITIONS[source["class_type"]].outputs
        return value[1] < len(outputs) and outputs[value[1]] == wanted
    if isinstance(wanted, list):
        return value in wanted
    if isinstance(wanted, Range):
        right = isinstance(value, int) if wanted.type is int else isinstance(value, int | float)
        return right and not isinstance(value, bool) and wanted.low <= value <= wanted.high
    if wanted == FILES:
        return isinstance(value, str) and "." in value
    return wanted in TYPES and isinstance(value, TYPES[wanted])


def test_the_check_finds_what_is_wrong() -> None:
    graph = export_workflow(MODELS["cogvideox-5b"].recipe("a kite")).graph
    assert problems(graph) == []
    sampler = next(id for id, node in graph.items() if node["class_type"] == "CogVideoSampler")
    loader = next(id for id, node in graph.items() if node["class_type"] == "DownloadAndLoadCogVideoModel")
    for name, value in (("scheduler", "DDIMM"), ("steps", 0), ("model", [loader, 1]), ("shift", 3.0), ("seed", 1.5)):
        wrong = {**graph, sampler: {**graph[sampler], "inputs": {**graph[sampler]["inputs"], name: value}}}
        assert len(problems(wrong)) == 1, name


@few
@given(sd3_recipes())
def test_any_recipe_of_sd3(recipe: Recipe) -> None:
    assert problems(export_workflow(recipe).graph) == []


@few
@given(cogvideox_recipes())
def test_any_recipe_of_cogvideox(recipe: Recipe) -> None:
    assert problems(export_workflow(recipe).graph) == []


@pytest.mark.parametrize("id", [id for id, model in MODELS.items() if not id.startswith("laterna")])
def test_every_model_of_the_catalogue_with_loras(id: str) -> None:
    model = MODELS[id]
    adapters = (Adapter("kites", strength=0.5), Adapter("orbit_left.safetensors", sha256="ab" * 32, strength=1.5))
    inputs = (Input("first_frame", "stag.png"),) if id.endswith("i2v") else ()
    recipe = model.recipe("a kite", adapters=adapters, inputs=inputs)
    exported = export_workflow(recipe)
    assert problems(exported.graph) == []
    names = [
        node["inputs"].get("lora", node["inputs"].get("lora_name"))
        for node in exported.graph.values()
        if node["class_type"] in ("CogVideoLoraSelect", "LoraLoader")
    ]
    assert names == ["kites.safetensors", "orbit_left.safetensors"]
    assert sum("loras folder" in line for line in exported.differences) == 2
    plain = {key: {**node, "_meta": {}} for key, node in exported.graph.items()}  # as another program would keep it
    read = import_workflow(plain, KnownModels({id: model.family})).recipe
    assert read is not None
    assert [(one.name, one.strength) for one in read.adapters] == [
        ("kites.safetensors", 0.5),
        ("orbit_left.safetensors", 1.5),
    ]
    again = import_workflow(exported.graph, KnownModels({id: model.family})).recipe
    assert again is not None and msgspec.to_builtins(again.adapters) == msgspec.to_builtins(adapters)
