"""The widgets of the CogVideoX wrapper's nodes: every layout that is known, the newest first."""

from __future__ import annotations

from engine.interop.widget_tables import CONTROL, Layout

_TAIL = ("scheduler", "denoise_strength?")

WIDGETS: dict[str, tuple[Layout, ...]] = {
    "DownloadAndLoadCogVideoModel": (
        ("model", "precision", "quantization", "enable_sequential_cpu_offload", "attention_mode", "load_device?"),
        ("model", "precision", "fp8_transformer", "compile", "enable_sequential_cpu_offload?"),
        ("model", "precision", "fp8_transformer?", "compile"),
    ),
    "DownloadAndLoadCogVideoGGUFModel": (
        ("model", "vae_precision", "fp8_fastmode", "load_device", "enable_sequential_cpu_offload?", "attention_mode"),
    ),
    "CogVideoXModelLoader": (
        (
            *("model", "base_precision", "quantization", "load_device"),
            *("enable_sequential_cpu_offload", "attention_mode?"),
        ),
    ),
    "CogVideoXVAELoader": (("model_name", "precision?"),),
    "CogVideoLoraSelect": (("lora", "strength", "fuse_lora?"),),
    "CogVideoLoraSelectComfy": (("lora", "strength", "fuse_lora?"),),
    "CogVideoTextEncode": (("prompt", "strength?", "force_offload"),),
    "CogVideoImageEncode": (("enable_tiling?", "noise_aug_strength", "strength", "start_percent", "end_percent"),),
    "CogVideoImageEncodeFunInP": (("num_frames", "enable_tiling", "noise_aug_strength?"),),
    "CogVideoSampler": (
        ("num_frames", "steps", "cfg", "seed", CONTROL, *_TAIL),
        ("height", "width", "num_frames", "steps", "cfg", "seed", CONTROL, *_TAIL),
        ("height", "width", "num_frames", "fps", "steps", "cfg", "seed", CONTROL, "scheduler"),
        (
            *("height", "width", "num_frames", "steps", "cfg", "seed", CONTROL, "scheduler"),
            *("t_tile_length", "t_tile_overlap", "denoise_strength?"),
        ),
        (
            *("height", "width", "num_frames", "fps", "steps", "cfg", "seed", CONTROL, "scheduler"),
            *("t_tile_length", "t_tile_overlap", "denoise_strength?"),
        ),
    ),
    "CogVideoDecode": (
        (
            *("enable_vae_tiling?", "tile_sample_min_height", "tile_sample_min_width"),
            *("tile_overlap_factor_height", "tile_overlap_factor_width", "auto_tile_size"),
        ),
    ),
}
