"""The widgets of ComfyUI's nodes, in the order in which a saved workflow lists their values.

A workflow from the editor stores ``widgets_values`` as a bare list, so the names have to come from here. After a seed
the editor stores what to do with it next (fixed, randomize …), which is no input of the node: ``CONTROL``.
"""

from __future__ import annotations

from typing import Any

CONTROL = "control_after_generate"
CONTROL_VALUES = ("fixed", "increment", "decrement", "randomize", "increment-wrap")

_SAMPLING = ("steps", "cfg", "sampler_name", "scheduler")
_TILES = ("tile_size", "overlap", "temporal_size", "temporal_overlap")

WIDGETS: dict[str, tuple[str, ...]] = {
    "CheckpointLoaderSimple": ("ckpt_name",),
    "CheckpointLoader": ("config_name", "ckpt_name"),
    "TripleCLIPLoader": ("clip_name1", "clip_name2", "clip_name3"),
    "DualCLIPLoader": ("clip_name1", "clip_name2", "type", "device"),
    "CLIPLoader": ("clip_name", "type", "device"),
    "UNETLoader": ("unet_name", "weight_dtype"),
    "UnetLoaderGGUF": ("unet_name",),
    "TripleCLIPLoaderGGUF": ("clip_name1", "clip_name2", "clip_name3"),
    "DualCLIPLoaderGGUF": ("clip_name1", "clip_name2", "type"),
    "CLIPLoaderGGUF": ("clip_name", "type"),
    "VAELoader": ("vae_name",),
    "LoraLoader": ("lora_name", "strength_model", "strength_clip"),
    "LoraLoaderModelOnly": ("lora_name", "strength_model"),
    "CLIPSetLastLayer": ("stop_at_clip_layer",),
    "EmptySD3LatentImage": ("width", "height", "batch_size"),
    "EmptyLatentImage": ("width", "height", "batch_size"),
    "CLIPTextEncode": ("text",),
    "CLIPTextEncodeSD3": ("clip_l", "clip_g", "t5xxl", "empty_padding"),
    "CLIPTextEncodeFlux": ("clip_l", "t5xxl", "guidance"),
    "CLIPTextEncodeSDXL": ("width", "height", "crop_w", "crop_h", "target_width", "target_height", "text_g", "text_l"),
    "ConditioningSetTimestepRange": ("start", "end"),
    "ConditioningAverage": ("conditioning_to_strength",),
    "ConditioningSetAreaStrength": ("strength",),
    "ConditioningSetArea": ("width", "height", "x", "y", "strength"),
    "ConditioningSetMask": ("strength", "set_cond_area"),
    "ModelSamplingSD3": ("shift",),
    "ModelSamplingAuraFlow": ("shift",),
    "SkipLayerGuidanceSD3": ("layers", "scale", "start_percent", "end_percent"),
    "KSampler": ("seed", CONTROL, *_SAMPLING, "denoise"),
    "KSamplerAdvanced": (
        *("add_noise", "noise_seed", CONTROL, *_SAMPLING),
        *("start_at_step", "end_at_step", "return_with_leftover_noise"),
    ),
    "SamplerCustom": ("add_noise", "noise_seed", CONTROL, "cfg"),
    "RandomNoise": ("noise_seed", CONTROL),
    "CFGGuider": ("cfg",),
    "DualCFGGuider": ("cfg_conds", "cfg_cond2_negative", "style"),
    "KSamplerSelect": ("sampler_name",),
    "SamplerEulerAncestral": ("eta", "s_noise"),
    "SamplerLMS": ("order",),
    "SamplerDPMPP_2M_SDE": ("solver_type", "eta", "s_noise", "noise_device"),
    "SamplerDPMPP_3M_SDE": ("eta", "s_noise", "noise_device"),
    "SamplerDPMPP_SDE": ("eta", "s_noise", "r", "noise_device"),
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "KarrasScheduler": ("steps", "sigma_max", "sigma_min", "rho"),
    "ExponentialScheduler": ("steps", "sigma_max", "sigma_min"),
    "PolyexponentialScheduler": ("steps", "sigma_max", "sigma_min", "rho"),
    "BetaSamplingScheduler": ("steps", "alpha", "beta"),
    "SDTurboScheduler": ("steps", "denoise"),
    "SplitSigmas": ("step",),
    "SplitSigmasDenoise": ("denoise",),
    "VAEDecodeTiled": _TILES,
    "VAEEncodeTiled": _TILES,
    "LoadImage": ("image", "upload"),
    "ImageScale": ("upscale_method", "width", "height", "crop"),
    "ImageScaleBy": ("upscale_method", "scale_by"),
    "LatentUpscale": ("upscale_method", "width", "height", "crop"),
    "LatentUpscaleBy": ("upscale_method", "scale_by"),
    "RepeatLatentBatch": ("amount",),
    "SaveImage": ("filename_prefix",),
    "SaveAnimatedWEBP": ("filename_prefix", "fps", "lossless", "quality", "method"),
    "SaveAnimatedPNG": ("filename_prefix", "fps", "compress_level"),
    "SaveWEBM": ("filename_prefix", "codec", "fps", "crf"),
    "CreateVideo": ("fps",),
    "PrimitiveInt": ("value", CONTROL),
    "PrimitiveFloat": ("value",),
    "PrimitiveString": ("value",),
    "PrimitiveStringMultiline": ("value",),
    "PrimitiveBoolean": ("value",),
    "StringConcatenate": ("string_a", "string_b", "delimiter"),
    "DownloadAndLoadCogVideoModel": (
        *("model", "precision", "quantization"),
        *("enable_sequential_cpu_offload", "attention_mode", "load_device"),
    ),
    "DownloadAndLoadCogVideoGGUFModel": ("model", "vae_precision", "fp8_fastmode", "load_device"),
    "CogVideoXModelLoader": (
        *("model", "base_precision", "quantization", "load_device"),
        *("enable_sequential_cpu_offload", "attention_mode"),
    ),
    "CogVideoXVAELoader": ("model_name", "precision"),
    "CogVideoLoraSelect": ("lora", "strength", "fuse_lora"),
    "CogVideoTextEncode": ("prompt", "strength", "force_offload"),
    "CogVideoSampler": ("num_frames", "steps", "cfg", "seed", CONTROL, "scheduler", "denoise_strength"),
    "CogVideoDecode": (
        *("enable_vae_tiling", "tile_sample_min_height", "tile_sample_min_width"),
        *("tile_overlap_factor_height", "tile_overlap_factor_width", "auto_tile_size"),
    ),
    "VHS_VideoCombine": ("frame_rate", "loop_count", "filename_prefix", "format", "pingpong", "save_output"),
}
# The first versions of the wrapper took the size in the sampler.
_OLD_COG_SAMPLER = ("height", "width", "num_frames", "steps", "cfg", "seed", CONTROL, "scheduler")


def widget_values(kind: str, values: Any, declared: list[str]) -> dict[str, Any]:
    """The values of a saved node by name. ``declared`` are the names that the node's own inputs give its widgets."""
    if isinstance(values, dict):
        return {str(name): value for name, value in list(values.items())[:200]}
    if not isinstance(values, list):
        return {}
    names = WIDGETS.get(kind) or _with_controls(declared)
    if kind == "CogVideoSampler" and len(values) > 6 and values[6] in CONTROL_VALUES:
        names = _OLD_COG_SAMPLER
    found: dict[str, Any] = {}
    left = iter(values[:200])
    for name in names:
        value = next(left, None)
        if name == CONTROL and not _is_control(value):
            # written by a program that leaves it out: the value belongs to the next name
            left = iter([value, *left])
            continue
        found[name] = value
    found.pop(CONTROL, None)
    return found


def _is_control(value: Any) -> bool:
    return value in CONTROL_VALUES if isinstance(value, str) else isinstance(value, bool) or value is None


def _with_controls(names: list[str]) -> tuple[str, ...]:
    result = []
    for name in names:
        result.append(name)
        if name in ("seed", "noise_seed"):
            result.append(CONTROL)
    return tuple(result)
