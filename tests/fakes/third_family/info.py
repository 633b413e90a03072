"""Twofold as data."""

from __future__ import annotations

from engine.protocol.family_info import FamilyInfo, ModelDefaults, ModelInfo
from engine.protocol.inputs import InputRule

INFO = FamilyInfo(
    id="twofold",
    name="Twofold",
    kind="image",
    size_multiple=16,
    min_size=32,
    max_size=1024,
    max_pixels=1024 * 1024,
    frame_step=0,
    max_frames=1,
    samplers=dict.fromkeys(("euler", "heun"), ("normal", "simple")),
    max_guidance=20.0,
    capabilities=frozenset(("shift", "max_sequence_length", "adapters", "step_caching")),
    inputs=(InputRule("start", has_strength=True),),
    text_encoders=("T5",),
)
MODELS = (
    ModelInfo(
        id="twofold-one",
        name="Twofold One",
        family="twofold",
        kind="image",
        summary="For tests.",
        defaults=ModelDefaults(
            width=64,
            height=64,
            steps=6,
            guidance=3.5,
            sampler="euler",
            scheduler="normal",
            shift=1.0,
            max_sequence_length=12,
        ),
        sizes=((64, 64), (96, 64)),
        licence="Apache-2.0",
        repository="nobody/twofold-one",
    ),
)
