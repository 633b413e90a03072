"""A recipe as a ComfyUI API graph: what ``/prompt`` of a server takes, and what its editor opens.

The graph is the plain one that a person would build. What ComfyUI has no node for goes into the extras (see there), and
``ExportResult.differences`` says where its picture will differ.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec

from engine.interop.comfy_import import import_workflow
from engine.interop.extras import Extras, difference
from engine.interop.model_files import KnownModels, comfyui_file, stem_of
from engine.interop.prompt_weights import escape
from engine.interop.report import file_name
from engine.models.catalog import FAMILIES, family_of
from engine.protocol.conditioning import WHOLE, Entry, Words
from engine.protocol.family_info import CAPABILITIES, FamilyInfo
from engine.protocol.inputs import Input, InputRule
from engine.protocol.recipe import Adapter, Recipe
from engine.protocol.sampling_names import SAMPLERS, SCHEDULERS

Out = list[Any]  # [node id, output slot]

# Laterna's names that ComfyUI does not have, and what runs there instead.
_SAMPLERS = {
    "dpmpp_2m_log_snr": "dpmpp_2m",
    "uni_pc_log_snr": "uni_pc",
    "deis_log_snr": "deis",
    "dpm": "dpmpp_sde",
}
_SCHEDULERS = {"trailing": "sgm_uniform"}
_COG_SCHEDULERS = {
    "ddim": "CogVideoXDDIM",
    "dpm": "CogVideoXDPMScheduler",
    "euler": "Euler",
    "euler_ancestral": "Euler A",
    "heun": "HeunDiscreteScheduler",
    "dpmpp_2m_log_snr": "DPM++",
    "uni_pc_log_snr": "UniPCMultistepScheduler",
    "deis_log_snr": "DEISMultistepScheduler",
}
_CLIP_L, _CLIP_G, _T5 = "clip_l.safetensors", "clip_g.safetensors", "t5xxl_fp16.safetensors"
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


class _Graph:
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


def export_workflow(recipe: Recipe) -> ExportResult:
    """The graph for ``recipe``, which ``import_workflow`` reads as the same recipe.

    Raises ``BadRecipe`` for a family that is not known."""
    family_of(recipe)
    graph = _Graph()
    last = _cogvideox(graph, recipe) if recipe.family == "cogvideox" else _sd3(graph, recipe)
    extras = _extras(graph.nodes, recipe)
    notes = [_WHAT_DIFFERS[name] for name in extras.recipe if name in _WHAT_DIFFERS]
    if any(node["class_type"] == "KSamplerAdvanced" for node in graph.nodes.values()):
        notes.append("Guidance changes from sampler to sampler, so multistep samplers and noise start anew each time.")
    folder = "models/CogVideo/loras" if recipe.family == "cogvideox" else "models/loras"
    notes += [f"Put {_lora_file(adapter)} into ComfyUI's {folder} folder." for adapter in recipe.adapters]
    notes += [f"Put {name} into ComfyUI's input folder." for name in dict.fromkeys(map(_file, recipe.inputs))]
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


def _sd3(graph: _Graph, recipe: Recipe) -> str:
    loader = graph.add("CheckpointLoaderSimple", ckpt_name=comfyui_file(recipe.model))
    model: Out = [loader, 0]
    if recipe.use_t5:
        names = {"clip_name1": _CLIP_G, "clip_name2": _CLIP_L, "clip_name3": _T5}
        clip: Out = [graph.add("TripleCLIPLoader", **names), 0]
    else:
        clip = [graph.add("DualCLIPLoader", clip_name1=_CLIP_G, clip_name2=_CLIP_L, type="sd3"), 0]
    for adapter in recipe.adapters:
        text = adapter.strength if adapter.text_strength is None else adapter.text_strength
        lora = graph.add(
            "LoraLoader",
            model=model,
            clip=clip,
            lora_name=_lora_file(adapter),
            strength_model=adapter.strength,
            strength_clip=text,
        )
        model, clip = [lora, 0], [lora, 1]
    model = [graph.add("ModelSamplingSD3", model=model, shift=recipe.shift), 0]
    skip = recipe.skip_layer_guidance
    if skip is not None:
        guided = graph.add(
            "SkipLayerGuidanceSD3",
            model=model,
            layers=", ".join(map(str, skip.layers)),
            scale=skip.scale,
            start_percent=skip.start,
            end_percent=skip.end,
        )
        model = [guided, 0]
    write = str if recipe.text_encoding == "comfyui" else escape
    positive = _side(graph, recipe.positive_entries(), clip, write)
    negative = _side(graph, recipe.negative_entries(), clip, write)
    latent = _sampled(graph, recipe, model, positive, negative, _start(graph, recipe, loader))
    image = graph.add("VAEDecode", samples=latent, vae=[loader, 2])
    return graph.add("SaveImage", images=[image, 0], filename_prefix="Laterna")


def _lora_file(adapter: Adapter) -> str:
    """Its file as ComfyUI lists it, with its ending."""
    name = file_name(adapter.name)
    return name if stem_of(name) != name else f"{name}.safetensors"


def _file(one: Input) -> str:
    return file_name(one.path)


def _picture(graph: _Graph, one: Input, recipe: Recipe) -> Out:
    """``one`` cut and scaled to the recipe's size."""
    image = graph.add("LoadImage", image=_file(one))
    size = {"width": recipe.width, "height": recipe.height}
    return [graph.add("ImageScale", image=[image, 0], upscale_method="lanczos", crop="center", **size), 0]


def _start(graph: _Graph, recipe: Recipe, loader: str) -> Out:
    size = {"width": recipe.width, "height": recipe.height}
    start = recipe.input_of("start")
    if start is None:
        return [graph.add("EmptySD3LatentImage", **size, batch_size=recipe.batch), 0]
    latent: Out = [graph.add("VAEEncode", pixels=_picture(graph, start, recipe), vae=[loader, 2]), 0]
    if recipe.batch > 1:
        latent = [graph.add("RepeatLatentBatch", samples=latent, amount=recipe.batch), 0]
    return latent


def _sampled(graph: _Graph, recipe: Recipe, model: Out, positive: Out, negative: Out, latent: Out) -> Out:
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


def _side(graph: _Graph, side: tuple[Entry, ...], clip: Out, write: Any) -> Out:
    """Nodes for one side, its entries combined in order."""
    combined: Out | None = None
    for entry in side:
        one = _encoded(graph, entry, clip, write)
        for mix in entry.mix:
            other = _encoded(graph, mix.words, clip, write)
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
    return combined or _encoded(graph, Words(""), clip, write)


def _encoded(graph: _Graph, words: Words, clip: Out, write: Any) -> Out:
    text = words.text or ""
    if words.clip_l is None and words.clip_g is None:
        node = graph.add("CLIPTextEncode", text=write(text), clip=clip)
    else:
        clip_l = text if words.clip_l is None else words.clip_l
        clip_g = text if words.clip_g is None else words.clip_g
        texts = {"clip_l": write(clip_l), "clip_g": write(clip_g), "t5xxl": write(text)}
        node = graph.add("CLIPTextEncodeSD3", clip=clip, **texts, empty_padding="empty_prompt")
    return [graph.add("ConditioningZeroOut", conditioning=[node, 0]), 0] if words.zero else [node, 0]


def _cogvideox(graph: _Graph, recipe: Recipe) -> str:
    """The nodes of the CogVideoX wrapper; its text node reads weights, so plain parentheses are escaped."""
    loras: dict[str, Any] = {}
    for adapter in recipe.adapters:
        before = {"prev_lora": loras["lora"]} if loras else {}
        chosen = graph.add(
            "CogVideoLoraSelect", lora=_lora_file(adapter), strength=adapter.strength, fuse_lora=False, **before
        )
        loras = {"lora": [chosen, 0]}
    loader = graph.add(
        "DownloadAndLoadCogVideoModel",
        model=comfyui_file(recipe.model),
        precision="fp16" if recipe.model == "cogvideox-2b" else "bf16",
        quantization="disabled",
        enable_sequential_cpu_offload=False,
        attention_mode="sdpa",
        load_device="main_device",
        **loras,
    )
    clip = graph.add("CLIPLoader", clip_name=_T5, type="sd3")
    write = str if recipe.text_encoding == "comfyui" else escape
    texts = {}
    for name, entry in (("positive", recipe.positive_entries()[0]), ("negative", recipe.negative_entries()[0])):
        text = graph.add(
            "CogVideoTextEncode", clip=[clip, 0], prompt=write(entry.text or ""), strength=1.0, force_offload=True
        )
        texts[name] = [text, 0]
    size = graph.add("EmptyLatentImage", width=recipe.width, height=recipe.height, batch_size=recipe.batch)
    first_frame = recipe.input_of("first_frame")
    if first_frame is not None:
        texts["image_cond_latents"] = [
            graph.add(
                "CogVideoImageEncode",
                vae=[loader, 1],
                start_image=_picture(graph, first_frame, recipe),
                enable_tiling=False,
                noise_aug_strength=0.0,
            ),
            0,
        ]
    sampler = graph.add(
        "CogVideoSampler",
        model=[loader, 0],
        **texts,
        samples=[size, 0],
        num_frames=recipe.frames,
        steps=recipe.steps,
        cfg=recipe.guidance,
        seed=recipe.seed,
        scheduler=_COG_SCHEDULERS.get(recipe.sampler, "CogVideoXDDIM"),
        denoise_strength=1.0,
    )
    images = graph.add(
        "CogVideoDecode",
        vae=[loader, 1],
        samples=[sampler, 0],
        enable_vae_tiling=False,
        tile_sample_min_height=240,
        tile_sample_min_width=360,
        tile_overlap_factor_height=0.2,
        tile_overlap_factor_width=0.2,
        auto_tile_size=True,
    )
    return graph.add(
        "VHS_VideoCombine",
        images=[images, 0],
        frame_rate=recipe.fps,
        loop_count=0,
        filename_prefix="Laterna",
        format="video/h264-mp4",
        pingpong=False,
        save_output=True,
    )
