"""A recipe as a ComfyUI API graph: what ``/prompt`` of a server takes, and what its editor opens.

The graph is the plain one that a person would build. What ComfyUI has no node for goes into the extras (see there), and
``ExportResult.differences`` says where its picture will differ.
"""

from __future__ import annotations

from typing import Any

import msgspec

from engine.interop.comfy_families import nodes_of
from engine.interop.comfy_graph import GraphWriter, input_file, lora_file
from engine.interop.comfy_import import import_workflow
from engine.interop.extras import Extras, difference
from engine.interop.model_files import KnownModels
from engine.models.catalog import FAMILIES, family_of
from engine.protocol.family_info import CAPABILITIES, FamilyInfo
from engine.protocol.inputs import InputRule
from engine.protocol.recipe import Recipe
from engine.protocol.sampling_names import SAMPLERS, SCHEDULERS

_WHAT_DIFFERS = {
    "sampler": "ComfyUI has no such sampler; the graph runs its nearest relative.",
    "scheduler": "ComfyUI has no such scheduler; the graph runs its nearest relative.",
    "text_encoding": "ComfyUI reads any length of text and pads T5 to 77 tokens; Laterna's recipe pads and cuts.",
    "t5_mask": "ComfyUI does not mask T5's padding.",
    "step_caching": "ComfyUI runs every step; its EasyCache node skips others.",
    "inpainting": "The graph has no mask; it makes the whole picture anew.",
    "upscaling": "The graph makes the result in its own size; ComfyUI's upscale nodes make it larger.",
    "latents": "ComfyUI keeps latents in fp32 between the steps.",
    "weights": "ComfyUI runs the weights as they are in its file.",
    "dynamic_guidance": "ComfyUI keeps guidance the same over the steps.",
    "skip_layer_guidance": "ComfyUI's window of skip-layer guidance is in sigma, not in steps.",
    "batch": "ComfyUI's nodes make one clip at a time.",
}


class ExportResult(msgspec.Struct, frozen=True):
    """``graph`` is the API graph; ``differences`` are sentences."""

    graph: dict[str, Any]
    differences: tuple[str, ...] = ()


def export_workflow(recipe: Recipe) -> ExportResult:
    """The graph for ``recipe``, which ``import_workflow`` reads as the same recipe.

    Raises ``BadRecipe`` for a family that is not known."""
    family_of(recipe)
    graph, family = GraphWriter(), nodes_of(recipe.family)
    last = family.export(graph, recipe)
    extras = _extras(graph.nodes, recipe)
    notes = [_WHAT_DIFFERS[name] for name in extras.recipe if name in _WHAT_DIFFERS]
    if any(node["class_type"] == "KSamplerAdvanced" for node in graph.nodes.values()):
        notes.append("Guidance changes from sampler to sampler, so multistep samplers and noise start anew each time.")
    notes += [f"Put {name} into ComfyUI's input folder." for name in dict.fromkeys(map(input_file, recipe.inputs))]
    notes += [f"Put {lora_file(one)} into ComfyUI's {family.lora_folder} folder." for one in recipe.adapters]
    if extras.recipe:
        graph.nodes[last]["_meta"]["laterna"] = msgspec.to_builtins(extras)
    return ExportResult(graph.nodes, tuple(notes))


def everything(info: FamilyInfo) -> FamilyInfo:
    """``info`` as if the family offered all that a recipe can say: for reading a recipe as it stands."""
    schedulers = tuple(named.id for named in SCHEDULERS)
    return msgspec.structs.replace(
        info,
        samplers={named.id: schedulers for named in SAMPLERS},
        capabilities=CAPABILITIES,
        inputs=info.inputs or (InputRule("start", has_strength=True),),
        text_encodings=("diffusers", "comfyui"),
    )


def _extras(nodes: dict[str, Any], recipe: Recipe) -> Extras:
    known = KnownModels({recipe.model: recipe.family})
    rules = {id: everything(info) for id, info in FAMILIES.items()}
    read = import_workflow(nodes, known, rules, fitted=False).recipe
    return difference(recipe, read) if read is not None else Extras()
