"""Builds ComfyUI graphs for the tests, in both of ComfyUI's forms, from one description.

The table is ComfyUI's own definition of its nodes, written down apart from the one that the product reads with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# type: (inputs that are links, outputs, widgets in order); "seed!" is followed by control_after_generate
NODES: dict[str, tuple[dict[str, str], list[str], list[str]]] = {
    "CheckpointLoaderSimple": ({}, ["MODEL", "CLIP", "VAE"], ["ckpt_name"]),
    "TripleCLIPLoader": ({}, ["CLIP"], ["clip_name1", "clip_name2", "clip_name3"]),
    "DualCLIPLoader": ({}, ["CLIP"], ["clip_name1", "clip_name2", "type", "device"]),
    "CLIPLoader": ({}, ["CLIP"], ["clip_name", "type", "device"]),
    "UNETLoader": ({}, ["MODEL"], ["unet_name", "weight_dtype"]),
    "VAELoader": ({}, ["VAE"], ["vae_name"]),
    "EmptySD3LatentImage": ({}, ["LATENT"], ["width", "height", "batch_size"]),
    "EmptyLatentImage": ({}, ["LATENT"], ["width", "height", "batch_size"]),
    "CLIPTextEncode": ({"clip": "CLIP"}, ["CONDITIONING"], ["text"]),
    "CLIPTextEncodeSD3": ({"clip": "CLIP"}, ["CONDITIONING"], ["clip_l", "clip_g", "t5xxl", "empty_padding"]),
    "ConditioningCombine": (
        {"conditioning_1": "CONDITIONING", "conditioning_2": "CONDITIONING"},
        ["CONDITIONING"],
        [],
    ),
    "ConditioningZeroOut": ({"conditioning": "CONDITIONING"}, ["CONDITIONING"], []),
    "ConditioningSetTimestepRange": ({"conditioning": "CONDITIONING"}, ["CONDITIONING"], ["start", "end"]),
    "ConditioningAverage": (
        {"conditioning_to": "CONDITIONING", "conditioning_from": "CONDITIONING"},
        ["CONDITIONING"],
        ["conditioning_to_strength"],
    ),
    "ConditioningConcat": (
        {"conditioning_to": "CONDITIONING", "conditioning_from": "CONDITIONING"},
        ["CONDITIONING"],
        [],
    ),
    "ModelSamplingSD3": ({"model": "MODEL"}, ["MODEL"], ["shift"]),
    "SkipLayerGuidanceSD3": ({"model": "MODEL"}, ["MODEL"], ["layers", "scale", "start_percent", "end_percent"]),
    "LoraLoader": (
        {"model": "MODEL", "clip": "CLIP"},
        ["MODEL", "CLIP"],
        ["lora_name", "strength_model", "strength_clip"],
    ),
    "LoraLoaderModelOnly": ({"model": "MODEL"}, ["MODEL"], ["lora_name", "strength_model"]),
    "KSampler": (
        {"model": "MODEL", "positive": "CONDITIONING", "negative": "CONDITIONING", "latent_image": "LATENT"},
        ["LATENT"],
        ["seed!", "steps", "cfg", "sampler_name", "scheduler", "denoise"],
    ),
    "KSamplerAdvanced": (
        {"model": "MODEL", "positive": "CONDITIONING", "negative": "CONDITIONING", "latent_image": "LATENT"},
        ["LATENT"],
        [
            *("add_noise", "noise_seed!", "steps", "cfg", "sampler_name", "scheduler"),
            *("start_at_step", "end_at_step", "return_with_leftover_noise"),
        ],
    ),
    "SamplerCustom": (
        {
            "model": "MODEL",
            "positive": "CONDITIONING",
            "negative": "CONDITIONING",
            "sampler": "SAMPLER",
            "sigmas": "SIGMAS",
            "latent_image": "LATENT",
        },
        ["LATENT", "LATENT"],
        ["add_noise", "noise_seed!", "cfg"],
    ),
    "SamplerCustomAdvanced": (
        {"noise": "NOISE", "guider": "GUIDER", "sampler": "SAMPLER", "sigmas": "SIGMAS", "latent_image": "LATENT"},
        ["LATENT", "LATENT"],
        [],
    ),
    "RandomNoise": ({}, ["NOISE"], ["noise_seed!"]),
    "DisableNoise": ({}, ["NOISE"], []),
    "BasicGuider": ({"model": "MODEL", "conditioning": "CONDITIONING"}, ["GUIDER"], []),
    "CFGGuider": ({"model": "MODEL", "positive": "CONDITIONING", "negative": "CONDITIONING"}, ["GUIDER"], ["cfg"]),
    "KSamplerSelect": ({}, ["SAMPLER"], ["sampler_name"]),
    "SamplerDPMPP_2M_SDE": ({}, ["SAMPLER"], ["solver_type", "eta", "s_noise", "noise_device"]),
    "BasicScheduler": ({"model": "MODEL"}, ["SIGMAS"], ["scheduler", "steps", "denoise"]),
    "KarrasScheduler": ({}, ["SIGMAS"], ["steps", "sigma_max", "sigma_min", "rho"]),
    "BetaSamplingScheduler": ({"model": "MODEL"}, ["SIGMAS"], ["steps", "alpha", "beta"]),
    "SplitSigmas": ({"sigmas": "SIGMAS"}, ["SIGMAS", "SIGMAS"], ["step"]),
    "VAEDecode": ({"samples": "LATENT", "vae": "VAE"}, ["IMAGE"], []),
    "VAEDecodeTiled": (
        {"samples": "LATENT", "vae": "VAE"},
        ["IMAGE"],
        ["tile_size", "overlap", "temporal_size", "temporal_overlap"],
    ),
    "VAEEncode": ({"pixels": "IMAGE", "vae": "VAE"}, ["LATENT"], []),
    "LoadImage": ({}, ["IMAGE", "MASK"], ["image"]),
    "ImageScale": ({"image": "IMAGE"}, ["IMAGE"], ["upscale_method", "width", "height", "crop"]),
    "ImageScaleBy": ({"image": "IMAGE"}, ["IMAGE"], ["upscale_method", "scale_by"]),
    "LatentUpscaleBy": ({"samples": "LATENT"}, ["LATENT"], ["upscale_method", "scale_by"]),
    "RepeatLatentBatch": ({"samples": "LATENT"}, ["LATENT"], ["amount"]),
    "SaveImage": ({"images": "IMAGE"}, [], ["filename_prefix"]),
    "PreviewImage": ({"images": "IMAGE"}, [], []),
    "ControlNetApplyAdvanced": (
        {"positive": "CONDITIONING", "negative": "CONDITIONING", "control_net": "CONTROL_NET", "image": "IMAGE"},
        ["CONDITIONING", "CONDITIONING"],
        ["strength", "start_percent", "end_percent"],
    ),
    "PrimitiveInt": ({}, ["INT"], ["value!"]),
    "PrimitiveStringMultiline": ({}, ["STRING"], ["value"]),
    "StringConcatenate": ({}, ["STRING"], ["string_a", "string_b", "delimiter"]),
    "DownloadAndLoadCogVideoModel": (
        {"block_edit": "TRANSFORMERBLOCKS", "lora": "COGLORA", "compile_args": "COMPILEARGS"},
        ["COGVIDEOMODEL", "VAE"],
        ["model", "precision", "quantization", "enable_sequential_cpu_offload", "attention_mode", "load_device"],
    ),
    "CogVideoTextEncode": ({"clip": "CLIP"}, ["CONDITIONING", "CLIP"], ["prompt", "strength", "force_offload"]),
    "CogVideoSampler": (
        {
            "model": "COGVIDEOMODEL",
            "positive": "CONDITIONING",
            "negative": "CONDITIONING",
            "samples": "LATENT",
            "image_cond_latents": "LATENT",
        },
        ["LATENT"],
        ["num_frames", "steps", "cfg", "seed!", "scheduler", "denoise_strength"],
    ),
    "CogVideoDecode": (
        {"vae": "VAE", "samples": "LATENT"},
        ["IMAGE"],
        ["enable_vae_tiling", "tile_h", "tile_w", "overlap_h", "overlap_w", "auto_tile_size"],
    ),
    "VHS_VideoCombine": ({"images": "IMAGE"}, ["VHS_FILENAMES"], ["frame_rate", "loop_count", "filename_prefix"]),
    "Mystery": ({"samples": "LATENT"}, ["LATENT"], ["strength"]),
}

Out = tuple[str, int]


@dataclass
class Graph:
    """``g.add(type, name=value or (node id, slot))`` returns the node's id; ``outs(id)`` its output slots."""

    nodes: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    first_id: int = 1

    def add(self, kind: str, mode: int = 0, **inputs: Any) -> str:
        id = str(self.first_id + len(self.nodes))
        self.nodes[id] = (kind, inputs)
        self.modes[id] = mode
        return id

    def api(self) -> dict[str, Any]:
        """As it is sent to the server."""
        return {
            id: {
                "class_type": kind,
                "inputs": {name: list(v) if isinstance(v, tuple) else v for name, v in inputs.items()},
                "_meta": {"title": kind},
            }
            for id, (kind, inputs) in self.nodes.items()
        }

    def ui(self) -> dict[str, Any]:
        """As the editor saves it: widgets by place, links by number, a widget with a link as an extra input."""
        links: list[list[Any]] = []
        nodes = [self._ui_node(id, links) for id in self.nodes]
        for link in links:
            origin = next(node for node in nodes if node["id"] == link[1])
            origin["outputs"][link[2]]["links"].append(link[0])
        return {
            "last_node_id": len(nodes),
            "last_link_id": len(links),
            "nodes": nodes,
            "links": links,
            "groups": [],
            "config": {},
            "extra": {"ds": {"scale": 1.0, "offset": [0, 0]}},
            "version": 0.4,
        }

    def _ui_node(self, id: str, links: list[list[Any]]) -> dict[str, Any]:
        kind, values = self.nodes[id]
        sockets, outputs, widgets = NODES[kind]
        slots = []
        names = {**sockets, **{name.rstrip("!"): "WIDGET" for name in widgets if self._is_link(values, name)}}
        for place, (name, type_) in enumerate(names.items()):
            slot: dict[str, Any] = {"name": name, "type": type_, "link": None}
            value = values.get(name)
            if isinstance(value, tuple):
                links.append([len(links) + 1, int(value[0]), value[1], int(id), place, type_])
                slot["link"] = len(links)
            if type_ == "WIDGET":
                slot["widget"] = {"name": name}
            slots.append(slot)
        listed: list[Any] = []
        for name in widgets:
            value = values.get(name.rstrip("!"), 0)
            listed.append("left over" if isinstance(value, tuple) else value)
            if name.endswith("!"):
                listed.append("randomize")
        return {
            "id": int(id),
            "type": kind,
            "pos": [40 * int(id), 100],
            "size": [300, 100],
            "flags": {},
            "order": int(id),
            "mode": self.modes[id],
            "inputs": slots,
            "outputs": [{"name": type_, "type": type_, "links": []} for type_ in outputs],
            "properties": {"Node name for S&R": kind},
            "widgets_values": listed,
        }

    @staticmethod
    def _is_link(values: dict[str, Any], name: str) -> bool:
        return isinstance(values.get(name.rstrip("!")), tuple)
