"""Writing a graph for ComfyUI: nodes, and those parts of a graph that several families share."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from engine.interop.file_stems import stem_of
from engine.interop.report import file_name
from engine.protocol.conditioning import WHOLE, Entry, Words
from engine.protocol.inputs import Input
from engine.protocol.recipe import Adapter, Recipe

Out = list[Any]  # [node id, output slot]
CLIP_L, CLIP_G, T5 = "clip_l.safetensors", "clip_g.safetensors", "t5xxl_fp16.safetensors"

# Laterna's names that ComfyUI does not have, and what runs there instead.
_SAMPLERS = {
    "dpmpp_2m_log_snr": "dpmpp_2m",
    "uni_pc_log_snr": "uni_pc",
    "deis_log_snr": "deis",
    "dpm": "dpmpp_sde",
}
_SCHEDULERS = {"trailing": "sgm_uniform"}


class GraphWriter:
    """Nodes with ids counted from 1, a node for each distinct set of inputs."""

    def __init__(self) -> None:
        self.nodes: dict[str, Any] = {}

    def add(self, kind: str, **inputs: Any) -> str:
        for id, node in self.nodes.items():
            if node["class_type"] == kind and node["inputs"] == inputs:
                return id
        id = str(len(self.nodes) + 1)
        self.nodes[id] = {"class_type": kind, "inputs": inputs, "_meta": {"title": kind}}
        return id


def lora_file(adapter: Adapter) -> str:
    """Its file as ComfyUI lists it, with its ending."""
    name = file_name(adapter.name)
    return name if stem_of(name) != name else f"{name}.safetensors"


def input_file(one: Input) -> str:
    return file_name(one.path)


def picture(graph: GraphWriter, one: Input, recipe: Recipe) -> Out:
    """``one`` cut and scaled to the recipe's size."""
    image = graph.add("LoadImage", image=input_file(one))
    size = {"width": recipe.width, "height": recipe.height}
    return [graph.add("ImageScale", image=[image, 0], upscale_method="lanczos", crop="center", **size), 0]


def start(graph: GraphWriter, recipe: Recipe, loader: str) -> Out:
    size = {"width": recipe.width, "height": recipe.height}
    start = recipe.input_of("start")
    if start is None:
        return [graph.add("EmptySD3LatentImage", **size, batch_size=recipe.batch), 0]
    latent: Out = [graph.add("VAEEncode", pixels=picture(graph, start, recipe), vae=[loader, 2]), 0]
    if recipe.batch > 1:
        latent = [graph.add("RepeatLatentBatch", samples=latent, amount=recipe.batch), 0]
    return latent


def sampled(graph: GraphWriter, recipe: Recipe, model: Out, positive: Out, negative: Out, latent: Out) -> Out:
    """One KSampler; for guidance that changes, a KSamplerAdvanced for each stretch of steps with one scale."""
    common = {
        "model": model,
        "positive": positive,
        "negative": negative,
        "sampler_name": _SAMPLERS.get(recipe.sampler, recipe.sampler),
        "scheduler": _SCHEDULERS.get(recipe.scheduler, recipe.scheduler),
    }
    changed = recipe.input_of("start")
    denoise = changed.strength if changed is not None else 1.0
    scales = [recipe.guidance_at_step(step) for step in range(recipe.steps)]
    if len(set(scales)) == 1:
        sampler = graph.add(
            "KSampler",
            **common,
            latent_image=latent,
            seed=recipe.seed,
            steps=recipe.steps,
            cfg=scales[0],
            denoise=denoise,
        )
        return [sampler, 0]
    total = int(recipe.steps / denoise)
    skipped = total - recipe.steps
    cuts = [0, *(step for step in range(1, recipe.steps) if scales[step] != scales[step - 1]), recipe.steps]
    for start, end in pairwise(cuts):
        sampler = graph.add(
            "KSamplerAdvanced",
            **common,
            latent_image=latent,
            add_noise="enable" if start == 0 else "disable",
            noise_seed=recipe.seed,
            steps=total,
            cfg=scales[start],
            start_at_step=skipped + start,
            end_at_step=skipped + end,
            return_with_leftover_noise="enable" if end < recipe.steps else "disable",
        )
        latent = [sampler, 0]
    return latent


def side(graph: GraphWriter, side: tuple[Entry, ...], clip: Out, write: Any) -> Out:
    """Nodes for one side, its entries combined in order."""
    combined: Out | None = None
    for entry in side:
        one = encoded(graph, entry, clip, write)
        for mix in entry.mix:
            other = encoded(graph, mix.words, clip, write)
            average = graph.add(
                "ConditioningAverage",
                conditioning_to=one,
                conditioning_from=other,
                conditioning_to_strength=mix.keep,
            )
            one = [average, 0]
        if entry.strength != 1.0:
            one = [graph.add("ConditioningSetAreaStrength", conditioning=one, strength=entry.strength), 0]
        if entry.range != WHOLE:
            limits = {"start": entry.range.start, "end": entry.range.end}
            one = [graph.add("ConditioningSetTimestepRange", conditioning=one, **limits), 0]
        if combined is None:
            combined = one
        else:
            combined = [graph.add("ConditioningCombine", conditioning_1=combined, conditioning_2=one), 0]
    return combined or encoded(graph, Words(""), clip, write)


def encoded(graph: GraphWriter, words: Words, clip: Out, write: Any) -> Out:
    text = words.text or ""
    if words.clip_l is None and words.clip_g is None:
        node = graph.add("CLIPTextEncode", text=write(text), clip=clip)
    else:
        clip_l = text if words.clip_l is None else words.clip_l
        clip_g = text if words.clip_g is None else words.clip_g
        texts = {"clip_l": write(clip_l), "clip_g": write(clip_g), "t5xxl": write(text)}
        node = graph.add("CLIPTextEncodeSD3", clip=clip, **texts, empty_padding="empty_prompt")
    return [graph.add("ConditioningZeroOut", conditioning=[node, 0]), 0] if words.zero else [node, 0]
