"""CogVideoX as data: limits and reference settings, those of the vendor's model cards and reference code."""

from __future__ import annotations

from typing import Any

from engine.protocol.family_info import FamilyInfo, ModelDefaults, ModelInfo
from engine.protocol.inputs import InputRule

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
INFO = FamilyInfo(
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
    capabilities=frozenset(
        ("negative_prompt", "dynamic_guidance", "max_sequence_length", "adapters", "step_caching"),
    ),
    inputs=(InputRule("first_frame"),),
    max_batch=4,
    text_encoders=("T5",),
)

_SHORT, _LONG = (9, 17, 25, 33, 41, 49), (17, 33, 49, 65, 81, 161)
_COGVIDEOX_LICENCE = "CogVideoX License: research free, commercial use needs registration"


def _model(id: str, name: str, summary: str, defaults: ModelDefaults, **more: Any) -> ModelInfo:
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


MODELS = (
    _model(
        "cogvideox-2b",
        "CogVideoX 2B",
        "Six seconds at 720 × 480.",
        _diffused(720, 480, 49, 8, 226, "ddim"),
        frames=_SHORT,
        licence="Apache-2.0",
        repository="zai-org/CogVideoX-2b",
    ),
    _model(
        "cogvideox-5b",
        "CogVideoX 5B",
        "Six seconds at 720 × 480, finer than 2B.",
        _diffused(720, 480, 49, 8, 226),
        frames=_SHORT,
        repository="zai-org/CogVideoX-5b",
    ),
    _model(
        "cogvideox-5b-i2v",
        "CogVideoX 5B I2V",
        "Moves a picture: six seconds at 720 × 480.",
        _diffused(720, 480, 49, 8, 226),
        frames=(49,),  # its positions are learned, for this length alone
        first_frame=True,
        repository="zai-org/CogVideoX-5b-I2V",
    ),
    _model(
        "cogvideox-1.5-5b",
        "CogVideoX 1.5 5B",
        "Five or ten seconds at 1360 × 768.",
        _diffused(1360, 768, 81, 16, 224),
        frames=_LONG,
        repository="zai-org/CogVideoX1.5-5B",
    ),
    _model(
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
