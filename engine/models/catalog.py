"""Families and models as data: limits and reference settings. Figures are those of the vendors' model cards and
reference code."""

from __future__ import annotations

from typing import Any

from engine.protocol.family_info import FamilyInfo, ModelDefaults, ModelInfo
from engine.protocol.inputs import InputRule

MINI_IMAGE = "laterna-mini-image"
MINI_VIDEO = "laterna-mini-video"

_FLOW_SAMPLERS = (
    "euler",
    "euler_ancestral",
    "heun",
    "dpm_2",
    "dpmpp_2m",
    "dpmpp_2m_log_snr",
    "dpmpp_2m_sde",
    "dpmpp_sde",
    "dpmpp_3m_sde",
    "uni_pc",
    "uni_pc_log_snr",
    "lms",
    "deis",
    "deis_log_snr",
    "res_multistep",
    "ddim",
    "lcm",
)
# In the terms of CogVideoX' diffusion: its own two, and those that are in log SNR or in no terms at all.
_VP_SAMPLERS = (
    "ddim",
    "dpm",
    "euler",
    "euler_ancestral",
    "heun",
    "dpmpp_2m_log_snr",
    "dpmpp_2m_sde",
    "dpmpp_sde",
    "dpmpp_3m_sde",
    "uni_pc_log_snr",
    "deis_log_snr",
)
_FLOW_SCHEDULERS = (
    "normal",
    "simple",
    "sgm_uniform",
    "karras",
    "exponential",
    "ddim_uniform",
    "beta",
    "linear_quadratic",
    "kl_optimal",
)

FAMILIES: dict[str, FamilyInfo] = {
    "sd35": FamilyInfo(
        id="sd35",
        name="Stable Diffusion 3.5",
        kind="image",
        size_multiple=16,
        min_size=64,
        max_size=2048,
        max_pixels=2048 * 2048,
        frame_step=0,
        max_frames=1,
        samplers=dict.fromkeys(_FLOW_SAMPLERS, _FLOW_SCHEDULERS),
        has_shift=True,
        has_skip_layer_guidance=True,
        has_negative_range=True,
        has_conditioning=True,
        has_guidance_schedule=True,
        inputs=(InputRule("start", has_strength=True),),
        has_optional_t5=True,
        has_single_files=True,
        has_adapters=True,
        has_t5_mask=True,
        has_step_caching=True,
        text_encodings=("diffusers", "comfyui"),
        text_encoders=("CLIP-L", "CLIP-G", "T5"),
    ),
    "cogvideox": FamilyInfo(
        id="cogvideox",
        name="CogVideoX",
        kind="video",
        size_multiple=16,
        min_size=64,
        max_size=1360,
        max_pixels=1360 * 768,
        frame_step=8,
        max_frames=161,
        samplers=dict.fromkeys(_VP_SAMPLERS, ("trailing",)),
        has_dynamic_guidance=True,
        inputs=(InputRule("first_frame"),),
        has_adapters=True,
        has_step_caching=True,
        max_batch=4,
        text_encoders=("T5",),
    ),
}

_SD35_LARGE_SIZES = ((1024, 1024), (1152, 896), (896, 1152), (1216, 832), (832, 1216), (1344, 768), (768, 1344))
_STABILITY_LICENCE = "Stability AI Community License: free under US$ 1M yearly revenue"
_SHORT, _LONG = (9, 17, 25, 33, 41, 49), (17, 33, 49, 65, 81, 161)
_COGVIDEOX_LICENCE = "CogVideoX License: research free, commercial use needs registration"


def _sd35(id: str, name: str, summary: str, defaults: ModelDefaults, **more: Any) -> ModelInfo:
    return ModelInfo(
        id=id,
        name=name,
        family="sd35",
        kind="image",
        summary=summary,
        defaults=defaults,
        sizes=more.pop("sizes", _SD35_LARGE_SIZES),
        licence=_STABILITY_LICENCE,
        repository=f"stabilityai/stable-diffusion-{id.removeprefix('sd')}",
    )


def _cogvideox(id: str, name: str, summary: str, defaults: ModelDefaults, **more: Any) -> ModelInfo:
    return ModelInfo(
        id=id,
        name=name,
        family="cogvideox",
        kind="video",
        summary=summary,
        defaults=defaults,
        sizes=more.pop("sizes", ((defaults.width, defaults.height),)),
        licence=more.pop("licence", _COGVIDEOX_LICENCE),
        **more,
    )


def _diffused(width: int, height: int, frames: int, fps: int, tokens: int, sampler: str = "dpm") -> ModelDefaults:
    """CogVideoX' reference settings: guidance that changes over the steps goes with its DPM."""
    return ModelDefaults(
        width=width,
        height=height,
        frames=frames,
        fps=fps,
        steps=50,
        guidance=6.0,
        sampler=sampler,
        scheduler="trailing",
        max_sequence_length=tokens,
        dynamic_guidance=sampler == "dpm",
    )


def _rectified(steps: int, guidance: float, sampler: str = "dpmpp_2m", scheduler: str = "sgm_uniform") -> ModelDefaults:
    """SD3.5's reference settings."""
    return ModelDefaults(
        width=1024, height=1024, steps=steps, guidance=guidance, sampler=sampler, scheduler=scheduler, shift=3.0
    )


MODELS: dict[str, ModelInfo] = {
    model.id: model
    for model in (
        _sd35("sd3.5-large", "SD 3.5 Large", "8 billion parameters, about one megapixel.", _rectified(40, 4.5)),
        _sd35(
            "sd3.5-large-turbo",
            "SD 3.5 Large Turbo",
            "Large, distilled: four steps, no guidance.",
            _rectified(4, 1.0, "euler", "normal"),
        ),
        _sd35(
            "sd3.5-medium",
            "SD 3.5 Medium",
            "2.5 billion parameters, 0.25 to 2 megapixels.",
            _rectified(50, 5.0),
            sizes=(*_SD35_LARGE_SIZES, (512, 512), (768, 768), (1440, 1440)),
        ),
        _cogvideox(
            "cogvideox-2b",
            "CogVideoX 2B",
            "Six seconds at 720 × 480.",
            _diffused(720, 480, 49, 8, 226, "ddim"),
            frames=_SHORT,
            licence="Apache-2.0",
            repository="zai-org/CogVideoX-2b",
        ),
        _cogvideox(
            "cogvideox-5b",
            "CogVideoX 5B",
            "Six seconds at 720 × 480, finer than 2B.",
            _diffused(720, 480, 49, 8, 226),
            frames=_SHORT,
            repository="zai-org/CogVideoX-5b",
        ),
        _cogvideox(
            "cogvideox-5b-i2v",
            "CogVideoX 5B I2V",
            "Moves a picture: six seconds at 720 × 480.",
            _diffused(720, 480, 49, 8, 226),
            frames=(49,),  # its positions are learned, for this length alone
            first_frame=True,
            repository="zai-org/CogVideoX-5b-I2V",
        ),
        _cogvideox(
            "cogvideox-1.5-5b",
            "CogVideoX 1.5 5B",
            "Five or ten seconds at 1360 × 768.",
            _diffused(1360, 768, 81, 16, 224),
            frames=_LONG,
            repository="zai-org/CogVideoX1.5-5B",
        ),
        _cogvideox(
            "cogvideox-1.5-5b-i2v",
            "CogVideoX 1.5 5B I2V",
            "Moves a picture: five or ten seconds at up to 1360 × 768.",
            _diffused(1360, 768, 81, 16, 224),
            sizes=((1360, 768), (768, 1360), (1024, 768), (768, 768)),
            frames=_LONG,
            first_frame=True,
            repository="zai-org/CogVideoX1.5-5B-I2V",
        ),
    )
}
