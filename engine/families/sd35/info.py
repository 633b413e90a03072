"""Stable Diffusion 3.5 as data: limits and reference settings, those of the vendor's model cards and reference code."""

from __future__ import annotations

from typing import Any

from engine.protocol.family_info import CAPABILITIES, FamilyInfo, ModelDefaults, ModelInfo
from engine.protocol.inputs import InputRule

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

INFO = FamilyInfo(
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
    capabilities=CAPABILITIES - {"dynamic_guidance"},
    inputs=(InputRule("start", has_strength=True), InputRule("mask")),
    text_encodings=("diffusers", "comfyui"),
    text_encoders=("CLIP-L", "CLIP-G", "T5"),
)

_SD35_LARGE_SIZES = ((1024, 1024), (1152, 896), (896, 1152), (1216, 832), (832, 1216), (1344, 768), (768, 1344))
_STABILITY_LICENCE = "Stability AI Community License: free under US$ 1M yearly revenue"


def _model(id: str, name: str, summary: str, defaults: ModelDefaults, **more: Any) -> ModelInfo:
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


def _rectified(steps: int, guidance: float, sampler: str = "dpmpp_2m", scheduler: str = "sgm_uniform") -> ModelDefaults:
    """SD3.5's reference settings."""
    return ModelDefaults(
        width=1024, height=1024, steps=steps, guidance=guidance, sampler=sampler, scheduler=scheduler, shift=3.0
    )


MODELS = (
    _model("sd3.5-large", "SD 3.5 Large", "8 billion parameters, about one megapixel.", _rectified(40, 4.5)),
    _model(
        "sd3.5-large-turbo",
        "SD 3.5 Large Turbo",
        "Large, distilled: four steps, no guidance.",
        _rectified(4, 1.0, "euler", "normal"),
    ),
    _model(
        "sd3.5-medium",
        "SD 3.5 Medium",
        "2.5 billion parameters, 0.25 to 2 megapixels.",
        _rectified(50, 5.0),
        sizes=(*_SD35_LARGE_SIZES, (512, 512), (768, 768), (1440, 1440)),
    ),
)
