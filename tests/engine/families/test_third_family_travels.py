"""A third family's recipes to ComfyUI and back, and by the words that other programs leave in pictures."""

from __future__ import annotations

from typing import Any

import pytest

from engine.families.base import Family
from engine.interop.comfy_export import export_workflow
from engine.interop.comfy_import import import_workflow
from engine.interop.model_files import KnownModels, catalogue_id, is_standard_vae
from engine.models.catalog import MODELS
from engine.protocol.recipe import Adapter, Recipe

KNOWN = KnownModels({"twofold-one": "twofold"}, loras=("ink.safetensors",))


def recipe(**changes: Any) -> Recipe:
    return MODELS["twofold-one"].recipe("a red apple", seed=11).replace(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"shift": 3.0, "sampler": "heun", "guidance": 7.5, "width": 96},
        {"scheduler": "simple", "step_caching": 0.1},
        {"adapters": (Adapter("ink.safetensors", "", 0.7),)},
    ],
    ids=lambda changes: ",".join(changes) or "plain",
)
def test_a_recipe_goes_to_comfyui_and_comes_back(twofold: Family, changes: dict[str, Any]) -> None:
    wanted = recipe(**changes)
    made = export_workflow(wanted)
    kinds = {node["class_type"] for node in made.graph.values()}
    assert {"TwofoldLoader", "TwofoldPrompt", "TwofoldSampler", "TwofoldDecode"} <= kinds
    loader = next(node for node in made.graph.values() if node["class_type"] == "TwofoldLoader")
    assert loader["inputs"]["low"] == "twofold_low_noise.safetensors"
    found = import_workflow(made.graph, KNOWN)
    assert found.recipe == wanted
    assert not found.missing


def test_without_what_laterna_wrote_beside_it(twofold: Family) -> None:
    """As ComfyUI saves it: the nodes alone."""
    graph = export_workflow(recipe(guidance=7.5)).graph
    for node in graph.values():
        node["_meta"].pop("laterna", None)
    found = import_workflow(graph, KNOWN).recipe
    assert found is not None
    assert (found.family, found.model, found.guidance, found.steps) == ("twofold", "twofold-one", 7.5, 6)
    assert (found.width, found.height, found.seed, found.prompt) == (64, 64, 11, "a red apple")


def test_its_files_are_known_by_name(twofold: Family) -> None:
    assert catalogue_id("Twofold_Low_Noise.safetensors") == "twofold-one"
    assert is_standard_vae("twofold_vae.safetensors")


def test_its_files_are_strange_where_it_is_not_registered() -> None:
    assert catalogue_id("Twofold_Low_Noise.safetensors") == ""
