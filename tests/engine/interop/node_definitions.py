"""Definitions of the nodes that an export writes, as ``/object_info`` of a ComfyUI of 2025 gives them: public facts.

``required`` and ``optional`` map an input to its type, or to the list that its value must be in; numbers have limits. A
list that depends on the machine's files is ``FILES``. ``outputs`` are types.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Range(NamedTuple):
    type: type
    low: float
    high: float


FILES = "files"
INT, FLOAT, STRING, BOOLEAN = "INT", "FLOAT", "STRING", "BOOLEAN"
MAX_SIDE = 16_384
SAMPLERS = [
    *(
        "euler",
        "euler_cfg_pp",
        "euler_ancestral",
        "euler_ancestral_cfg_pp",
        "heun",
        "heunpp2",
        "dpm_2",
        "dpm_2_ancestral",
    ),
    *(
        "lms",
        "dpm_fast",
        "dpm_adaptive",
        "dpmpp_2s_ancestral",
        "dpmpp_2s_ancestral_cfg_pp",
        "dpmpp_sde",
        "dpmpp_sde_gpu",
    ),
    *(
        "dpmpp_2m",
        "dpmpp_2m_cfg_pp",
        "dpmpp_2m_sde",
        "dpmpp_2m_sde_gpu",
        "dpmpp_3m_sde",
        "dpmpp_3m_sde_gpu",
        "ddpm",
        "lcm",
    ),
    *("ipndm", "ipndm_v", "deis", "res_multistep", "res_multistep_cfg_pp", "res_multistep_ancestral"),
    *(
        "res_multistep_ancestral_cfg_pp",
        "gradient_estimation",
        "gradient_estimation_cfg_pp",
        "er_sde",
        "seeds_2",
        "seeds_3",
    ),
    *("sa_solver", "sa_solver_pece", "ddim", "uni_pc", "uni_pc_bh2"),
]
SCHEDULERS = [
    *(
        "simple",
        "sgm_uniform",
        "karras",
        "exponential",
        "ddim_uniform",
        "beta",
        "normal",
        "linear_quadratic",
        "kl_optimal",
    ),
]
CLIP_TYPES = [
    *(
        "stable_diffusion",
        "stable_cascade",
        "sd3",
        "stable_audio",
        "mochi",
        "ltxv",
        "pixart",
        "cosmos",
        "lumina2",
        "wan",
    ),
    *("hidream", "chroma", "ace", "omnigen2"),
]
COG_MODELS = [
    *("THUDM/CogVideoX-2b", "THUDM/CogVideoX-5b", "THUDM/CogVideoX-5b-I2V", "kijai/CogVideoX-5b-1.5-T2V"),
    *(
        "kijai/CogVideoX-5b-1.5-I2V",
        "bertjiazheng/KoolCogVideoX-5b",
        "kijai/CogVideoX-Fun-2b",
        "kijai/CogVideoX-Fun-5b",
    ),
    *("kijai/CogVideoX-5b-Tora", "alibaba-pai/CogVideoX-Fun-V1.1-2b-InP", "alibaba-pai/CogVideoX-Fun-V1.1-5b-InP"),
    *("alibaba-pai/CogVideoX-Fun-V1.1-2b-Pose", "alibaba-pai/CogVideoX-Fun-V1.1-5b-Pose"),
    *("alibaba-pai/CogVideoX-Fun-V1.1-5b-Control", "alibaba-pai/CogVideoX-Fun-V1.5-5b-InP"),
    *("feizhengcong/CogvideoX-Interpolation", "NimVideo/cogvideox-2b-img2vid"),
]
COG_SCHEDULERS = [
    *("DPM++", "Euler", "Euler A", "PNDM", "DDIM", "CogVideoXDDIM", "CogVideoXDPMScheduler", "SASolverScheduler"),
    *("UniPCMultistepScheduler", "HeunDiscreteScheduler", "DEISMultistepScheduler", "LCMScheduler"),
]
_SIZE = {"width": Range(int, 16, MAX_SIDE), "height": Range(int, 16, MAX_SIDE), "batch_size": Range(int, 1, 4096)}
_SAMPLED = {"model": "MODEL", "positive": "CONDITIONING", "negative": "CONDITIONING", "latent_image": "LATENT"}
_SAMPLING = {
    "steps": Range(int, 1, 10_000),
    "cfg": Range(float, 0, 100),
    "sampler_name": SAMPLERS,
    "scheduler": SCHEDULERS,
}


class Definition(NamedTuple):
    required: dict[str, Any]
    outputs: tuple[str, ...]
    optional: dict[str, Any] = {}


DEFINITIONS: dict[str, Definition] = {
    "CheckpointLoaderSimple": Definition({"ckpt_name": FILES}, ("MODEL", "CLIP", "VAE")),
    "TripleCLIPLoader": Definition(dict.fromkeys(("clip_name1", "clip_name2", "clip_name3"), FILES), ("CLIP",)),
    "DualCLIPLoader": Definition(
        {"clip_name1": FILES, "clip_name2": FILES, "type": ["sdxl", "sd3", "flux", "hunyuan_video", "hidream"]},
        ("CLIP",),
        {"device": ["default", "cpu"]},
    ),
    "CLIPLoader": Definition({"clip_name": FILES, "type": CLIP_TYPES}, ("CLIP",), {"device": ["default", "cpu"]}),
    "CLIPTextEncode": Definition({"text": STRING, "clip": "CLIP"}, ("CONDITIONING",)),
    "CLIPTextEncodeSD3": Definition(
        {
            "clip": "CLIP",
            "clip_l": STRING,
            "clip_g": STRING,
            "t5xxl": STRING,
            "empty_padding": ["none", "empty_prompt"],
        },
        ("CONDITIONING",),
    ),
    "ConditioningZeroOut": Definition({"conditioning": "CONDITIONING"}, ("CONDITIONING",)),
    "ConditioningCombine": Definition(
        {"conditioning_1": "CONDITIONING", "conditioning_2": "CONDITIONING"}, ("CONDITIONING",)
    ),
    "ConditioningAverage": Definition(
        {
            "conditioning_to": "CONDITIONING",
            "conditioning_from": "CONDITIONING",
            "conditioning_to_strength": Range(float, 0, 1),
        },
        ("CONDITIONING",),
    ),
    "ConditioningSetTimestepRange": Definition(
        {"conditioning": "CONDITIONING", "start": Range(float, 0, 1), "end": Range(float, 0, 1)}, ("CONDITIONING",)
    ),
    "ConditioningSetAreaStrength": Definition(
        {"conditioning": "CONDITIONING", "strength": Range(float, 0, 10)}, ("CONDITIONING",)
    ),
    "LoraLoader": Definition(
        {
            "model": "MODEL",
            "clip": "CLIP",
            "lora_name": FILES,
            "strength_model": Range(float, -100, 100),
            "strength_clip": Range(float, -100, 100),
        },
        ("MODEL", "CLIP"),
    ),
    "ModelSamplingSD3": Definition({"model": "MODEL", "shift": Range(float, 0, 100)}, ("MODEL",)),
    "SkipLayerGuidanceSD3": Definition(
        {
            "model": "MODEL",
            "layers": STRING,
            "scale": Range(float, 0, 10),
            "start_percent": Range(float, 0, 1),
            "end_percent": Range(float, 0, 1),
        },
        ("MODEL",),
    ),
    "EmptySD3LatentImage": Definition(_SIZE, ("LATENT",)),
    "EmptyLatentImage": Definition(_SIZE, ("LATENT",)),
    "LoadImage": Definition({"image": FILES}, ("IMAGE", "MASK")),
    "ImageScale": Definition(
        {
            "image": "IMAGE",
            "upscale_method": ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"],
            "width": Range(int, 0, MAX_SIDE),
            "height": Range(int, 0, MAX_SIDE),
            "crop": ["disabled", "center"],
        },
        ("IMAGE",),
    ),
    "VAEEncode": Definition({"pixels": "IMAGE", "vae": "VAE"}, ("LATENT",)),
    "RepeatLatentBatch": Definition({"samples": "LATENT", "amount": Range(int, 1, 64)}, ("LATENT",)),
    "KSampler": Definition(
        {**_SAMPLED, **_SAMPLING, "seed": Range(int, 0, 2**64 - 1), "denoise": Range(float, 0, 1)}, ("LATENT",)
    ),
    "KSamplerAdvanced": Definition(
        {
            **_SAMPLED,
            **_SAMPLING,
            "add_noise": ["enable", "disable"],
            "noise_seed": Range(int, 0, 2**64 - 1),
            "start_at_step": Range(int, 0, 10_000),
            "end_at_step": Range(int, 0, 10_000),
            "return_with_leftover_noise": ["disable", "enable"],
        },
        ("LATENT",),
    ),
    "VAEDecode": Definition({"samples": "LATENT", "vae": "VAE"}, ("IMAGE",)),
    "SaveImage": Definition({"images": "IMAGE", "filename_prefix": STRING}, ()),
    "CogVideoLoraSelect": Definition(
        {"lora": FILES, "strength": Range(float, -10, 10)}, ("COGLORA",), {"prev_lora": "COGLORA", "fuse_lora": BOOLEAN}
    ),
    "DownloadAndLoadCogVideoModel": Definition(
        {"model": COG_MODELS},
        ("COGVIDEOMODEL", "VAE"),
        {
            "precision": ["fp16", "fp32", "bf16"],
            "quantization": [
                *(
                    "disabled",
                    "fp8_e4m3fn",
                    "fp8_e4m3fn_fastmode",
                    "torchao_fp8dq",
                    "torchao_fp8dqrow",
                    "torchao_int8dq",
                ),
                "torchao_fp6",
            ],
            "enable_sequential_cpu_offload": BOOLEAN,
            "block_edit": "TRANSFORMERBLOCKS",
            "lora": "COGLORA",
            "compile_args": "COMPILEARGS",
            "attention_mode": ["sdpa", "fused_sdpa", "sageattn", "fused_sageattn", "comfy"],
            "load_device": ["main_device", "offload_device"],
        },
    ),
    "CogVideoTextEncode": Definition(
        {"clip": "CLIP", "prompt": STRING},
        ("CONDITIONING", "CLIP"),
        {"strength": Range(float, 0, 10), "force_offload": BOOLEAN},
    ),
    "CogVideoImageEncode": Definition(
        {"vae": "VAE", "start_image": "IMAGE"},
        ("LATENT",),
        {
            "end_image": "IMAGE",
            "enable_tiling": BOOLEAN,
            "noise_aug_strength": Range(float, 0, 1),
            "strength": Range(float, 0, 10),
            "start_percent": Range(float, 0, 1),
            "end_percent": Range(float, 0, 1),
        },
    ),
    "CogVideoSampler": Definition(
        {
            "model": "COGVIDEOMODEL",
            "positive": "CONDITIONING",
            "negative": "CONDITIONING",
            "num_frames": Range(int, 1, 1024),
            "steps": Range(int, 1, 10_000),
            "cfg": Range(float, 0, 30),
            "seed": Range(int, 0, 2**64 - 1),
            "scheduler": COG_SCHEDULERS,
        },
        ("LATENT",),
        {
            "samples": "LATENT",
            "image_cond_latents": "LATENT",
            "denoise_strength": Range(float, 0, 1),
            "context_options": "COGCONTEXT",
            "controlnet": "COGVIDECONTROLNET",
            "tora_trajectory": "TORAFEATURES",
            "fastercache": "FASTERCACHEARGS",
            "feta_args": "FETAARGS",
            "teacache_args": "TEACACHEARGS",
        },
    ),
    "CogVideoDecode": Definition(
        {
            "vae": "VAE",
            "samples": "LATENT",
            "enable_vae_tiling": BOOLEAN,
            "tile_sample_min_height": Range(int, 16, 2048),
            "tile_sample_min_width": Range(int, 16, 2048),
            "tile_overlap_factor_height": Range(float, 0, 1),
            "tile_overlap_factor_width": Range(float, 0, 1),
            "auto_tile_size": BOOLEAN,
        },
        ("IMAGE",),
    ),
    "VHS_VideoCombine": Definition(
        {
            "images": "IMAGE",
            "frame_rate": Range(float, 1, 1000),
            "loop_count": Range(int, 0, 100),
            "filename_prefix": STRING,
            "format": ["image/gif", "image/webp", "video/h264-mp4", "video/h265-mp4", "video/webm"],
            "pingpong": BOOLEAN,
            "save_output": BOOLEAN,
        },
        ("VHS_FILENAMES",),
        {"audio": "AUDIO", "meta_batch": "VHS_BatchManager", "vae": "VAE"},
    ),
}
