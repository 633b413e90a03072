"""Where Stable Diffusion 3.5 comes from. Repositories, licences and sizes are those of the vendor's model cards; a
repository as a whole is far larger than what a run needs (it holds single-file and sharded copies)."""

from __future__ import annotations

from engine.families.source import Licence, ModelSource, SourceComponent

STABILITY = Licence(
    id="stability-community",
    name="Stability AI Community License (2024-07-05)",
    line="Free below US$ 1 million of yearly revenue.",
    terms=(
        "Free for research, for non-commercial use, and for commercial use by people and organisations with"
        " less than US$ 1 million of yearly revenue. Above that a licence from Stability AI is needed.",
        "What you make with the model is yours.",
        "Stability AI's acceptable use policy applies.",
        "The model's page asks you to accept the licence there too, with your account.",
    ),
    url="https://stability.ai/license",
)
_COMPONENTS = (
    SourceComponent("scheduler", has_weights=False),
    SourceComponent("tokenizer", has_weights=False),
    SourceComponent("tokenizer_2", has_weights=False),
    SourceComponent("tokenizer_3", has_weights=False),
    SourceComponent("text_encoder"),
    SourceComponent("text_encoder_2"),
    SourceComponent("text_encoder_3", fp8_file="text_encoders/t5xxl_fp8_e4m3fn.safetensors"),
    SourceComponent("transformer"),
    SourceComponent("vae"),
)


def _source(id: str, name: str, summary: str, size: float, memory: float, sizes: str) -> ModelSource:
    return ModelSource(
        id=id,
        name=name,
        kind="image",
        summary=summary,
        repository=f"stabilityai/stable-diffusion-{id.removeprefix('sd')}",
        licence=STABILITY.id,
        components=_COMPONENTS,
        bytes=int(size * 1e9),
        memory=memory,
        precisions=("native", "fp8"),
        gated=True,
        sizes=sizes,
    )


SOURCES = (
    _source("sd3.5-large", "SD 3.5 Large", "8 billion parameters, the finest.", 27.6, 4, "about 1 megapixel"),
    _source("sd3.5-large-turbo", "SD 3.5 Large Turbo", "Large in four steps: fast.", 27.6, 4, "about 1 megapixel"),
    _source("sd3.5-medium", "SD 3.5 Medium", "2.5 billion parameters.", 16.3, 4, "0.25 to 2 megapixels"),
)
