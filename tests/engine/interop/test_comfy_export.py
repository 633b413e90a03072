from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given

from engine.interop.comfy_export import everything, export_workflow
from engine.interop.comfy_import import import_workflow
from engine.interop.model_files import KnownModels
from engine.models.catalog import FAMILIES, MODELS
from engine.protocol.conditioning import Conditioning, Entry, GuidancePoint, Mix, Range, Words
from engine.protocol.family_info import validate
from engine.protocol.inputs import Input
from engine.protocol.recipe import Recipe, SkipLayerGuidance
from tests.engine.interop.recipes import cogvideox_recipes, few, sd3_recipes

RULES = {id: everything(info) for id, info in FAMILIES.items()}
SIMPLE = Recipe(
    family="sd35",
    model="sd3.5-large",
    prompt="a lighthouse (at night)",
    negative_prompt="fog",
    negative_range=Range(0.0, 0.1),
    steps=40,
    guidance=4.5,
    sampler="dpmpp_2m",
    scheduler="sgm_uniform",
    seed=2**63 - 1,
    text_encoding="comfyui",
    max_sequence_length=77,
)


def again(recipe: Recipe) -> Recipe:
    """Through a graph as a file, and back."""
    graph = json.loads(json.dumps(export_workflow(recipe).graph))
    read = import_workflow(graph, KnownModels({recipe.model: recipe.family}), RULES).recipe
    assert read is not None
    return read


def told(recipe: Recipe) -> dict[str, Any]:
    """What decides the pixels: a prompt and its entries may be written in more than one way."""
    values = {name: getattr(recipe, name) for name in recipe.__struct_fields__}
    for name in ("conditioning", "negative_range", "prompt", "negative_prompt"):
        del values[name]
    return values | {"positive": recipe.positive_entries(), "negative": recipe.negative_entries()}


@few
@given(sd3_recipes())
def test_any_sd3_recipe_survives(recipe: Recipe) -> None:
    validate(recipe, RULES["sd35"])
    assert told(again(recipe)) == told(recipe)


@few
@given(cogvideox_recipes())
def test_any_cogvideox_recipe_survives(recipe: Recipe) -> None:
    validate(recipe, RULES["cogvideox"])
    assert told(again(recipe)) == told(recipe)


@few
@given(sd3_recipes())
def test_the_graph_itself_says_nearly_everything(recipe: Recipe) -> None:
    """Only what ComfyUI has no node for may stand beside the graph: the rest has to be in the nodes."""
    recipe = recipe.replace(
        text_encoding="comfyui", max_sequence_length=77, t5_mask=False, latents="fp32", model_hashes={}
    )
    if recipe.sampler in ("dpmpp_2m_log_snr", "uni_pc_log_snr", "deis_log_snr", "dpm"):
        recipe = recipe.replace(sampler="euler")
    if recipe.scheduler == "trailing":
        recipe = recipe.replace(scheduler="normal")
    if recipe.skip_layer_guidance is not None:
        recipe = recipe.replace(skip_layer_guidance=msgspec.structs.replace(recipe.skip_layer_guidance, window="sigma"))
    recipe = recipe.replace(inputs=tuple(one.replace(sha256="") for one in recipe.inputs))
    graph = export_workflow(recipe).graph
    beside = [node["_meta"]["laterna"] for node in graph.values() if "laterna" in node["_meta"]]
    allowed = {"guidance_schedule"} if recipe.guidance_schedule else set()
    if recipe.guidance_schedule and recipe.inputs:
        allowed |= {"inputs"}  # the denoise strength, of which a chain of samplers keeps only the number of steps
    assert {name for extras in beside for name in extras["recipe"]} <= allowed


def test_the_published_graph() -> None:
    graph = export_workflow(SIMPLE).graph
    types = [node["class_type"] for node in graph.values()]
    assert types == [
        "CheckpointLoaderSimple",
        "TripleCLIPLoader",
        "ModelSamplingSD3",
        "CLIPTextEncode",
        "CLIPTextEncode",
        "ConditioningSetTimestepRange",
        "ConditioningZeroOut",
        "ConditioningSetTimestepRange",
        "ConditioningCombine",
        "EmptySD3LatentImage",
        "KSampler",
        "VAEDecode",
        "SaveImage",
    ]
    assert graph["1"]["inputs"] == {"ckpt_name": "sd3.5_large.safetensors"}
    assert graph["11"]["inputs"]["sampler_name"] == "dpmpp_2m"
    assert graph["11"]["inputs"]["seed"] == 2**63 - 1
    assert not any("laterna" in node["_meta"] for node in graph.values())


def test_a_clip_that_begins_with_a_picture() -> None:
    recipe = MODELS["cogvideox-5b-i2v"].recipe("the boat sails away", inputs=(Input("first_frame", "boat.png"),))
    result = export_workflow(recipe)
    encode = next(id for id, node in result.graph.items() if node["class_type"] == "CogVideoImageEncode")
    sampler = next(node for node in result.graph.values() if node["class_type"] == "CogVideoSampler")
    assert sampler["inputs"]["image_cond_latents"] == [encode, 0]
    read = again(recipe)
    assert (read.model, read.inputs) == (recipe.model, recipe.inputs)


def test_every_link_leads_to_a_node() -> None:
    recipe = SIMPLE.replace(
        negative_range=Range(),
        inputs=(Input("start", "in/cat.png", strength=0.4),),
        batch=2,
        skip_layer_guidance=SkipLayerGuidance(),
        guidance_schedule=(GuidancePoint(0.5, 4.5), GuidancePoint(0.5, 1.0)),
        conditioning=Conditioning((Entry(), Entry("b", clip_l="c", mix=(Mix(Words("d"), 0.3),), strength=0.5)), ()),
    )
    graph = export_workflow(recipe).graph
    for node in graph.values():
        for value in node["inputs"].values():
            if isinstance(value, list):
                assert value[0] in graph
                assert int(value[0]) < int(next(id for id, other in graph.items() if other is node))


def test_plain_parentheses_are_escaped_for_comfyui() -> None:
    recipe = SIMPLE.replace(text_encoding="diffusers", max_sequence_length=256)
    exported = export_workflow(recipe)
    assert exported.graph["4"]["inputs"]["text"] == r"a lighthouse \(at night\)"
    assert again(recipe) == recipe
    assert any("77 tokens" in sentence for sentence in exported.differences)


def test_a_change_in_comfyui_beats_what_was_kept_beside_the_graph() -> None:
    recipe = SIMPLE.replace(sampler="dpmpp_2m_log_snr", latents="model")
    graph = export_workflow(recipe).graph
    sampler = next(node for node in graph.values() if node["class_type"] == "KSampler")
    sampler["inputs"]["sampler_name"] = "heun"
    read = import_workflow(graph, families=RULES).recipe
    assert read == recipe.replace(sampler="heun")


def test_weights_written_in_comfyui_count() -> None:
    recipe = SIMPLE.replace(text_encoding="diffusers", max_sequence_length=256)
    graph = export_workflow(recipe).graph
    graph["4"]["inputs"]["text"] = "a (lighthouse:1.3)"
    read = import_workflow(graph, families=RULES).recipe
    assert read is not None
    assert (read.prompt, read.text_encoding) == ("a (lighthouse:1.3)", "comfyui")


@pytest.mark.parametrize(
    "extras", [1, [], {"recipe": 3}, {"recipe": {"steps": "x"}}, {"recipe": {"nope": 1}}, {"a": {}}]
)
def test_damaged_extras_are_passed_over(extras: Any) -> None:
    graph = export_workflow(SIMPLE).graph
    graph["13"]["_meta"]["laterna"] = extras
    assert import_workflow(graph, families=RULES).recipe == SIMPLE


def test_extras_name_no_folders() -> None:
    graph = export_workflow(SIMPLE.replace(inputs=(Input("start", "cat.png", strength=0.5),))).graph
    graph["13"]["_meta"]["laterna"] = {
        "recipe": {"inputs": [{"role": "start", "path": "../../etc/passwd", "strength": 0.5}]}
    }
    read = import_workflow(graph, families=RULES).recipe
    assert read is not None
    assert read.inputs == (Input("start", "passwd", strength=0.5),)


def test_guidance_that_changes_is_a_chain_of_samplers() -> None:
    recipe = SIMPLE.replace(
        steps=10, guidance=7.0, guidance_schedule=(GuidancePoint(0.5, 7.0), GuidancePoint(0.5, 2.0))
    )
    exported = export_workflow(recipe)
    chain = [node["inputs"] for node in exported.graph.values() if node["class_type"] == "KSamplerAdvanced"]
    assert [(one["start_at_step"], one["end_at_step"], one["cfg"]) for one in chain] == [(0, 5, 7.0), (5, 10, 2.0)]
    assert [one["add_noise"] for one in chain] == ["enable", "disable"]
    assert [one["return_with_leftover_noise"] for one in chain] == ["enable", "disable"]
    assert [again(recipe).guidance_at_step(i) for i in range(10)] == [7.0] * 5 + [2.0] * 5


def test_without_t5() -> None:
    graph = export_workflow(SIMPLE.replace(use_t5=False)).graph
    assert graph["2"]["class_type"] == "DualCLIPLoader"
