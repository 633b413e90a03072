"""Samplers whose schedules ComfyUI's KSampler shortens, in graphs that give the schedule themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.interop.open_file import Importer

CUSTOM = Path(__file__).parent / "corpus" / "custom-api.json"


@pytest.mark.parametrize(("sampler", "differs"), [("uni_pc", True), ("dpm_2", True), ("heun", False)])
def test_a_whole_schedule_is_said_to_differ(sampler: str, differs: bool) -> None:
    graph = json.loads(CUSTOM.read_text("utf-8"))
    (node,) = (
        id
        for id, node in graph.items()
        if node["class_type"].startswith(("KSamplerSelect", "Sampler")) and "sampler" not in node["inputs"]
    )
    graph[node] = {"class_type": "KSamplerSelect", "inputs": {"sampler_name": sampler}}
    result = Importer().text(json.dumps(graph))
    assert result.recipe is not None and result.recipe.sampler == sampler
    assert any("last sigma but one" in sentence for sentence in result.approximated) == differs
