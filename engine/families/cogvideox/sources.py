"""Where CogVideoX comes from. Repositories, licences and sizes are those of the vendor's model cards."""

from __future__ import annotations

from engine.families.source import APACHE_2, Licence, ModelSource, SourceComponent

COGVIDEOX = Licence(
    id="cogvideox",
    name="CogVideoX License",
    line="Free for research; commercial use needs registration.",
    terms=(
        "Free for academic research.",
        "Commercial use needs a registration with Zhipu AI, and ends at one million visits a month.",
    ),
    url="https://huggingface.co/zai-org/CogVideoX-5b/blob/main/LICENSE",
)
_COMPONENTS = (
    SourceComponent("scheduler", has_weights=False),
    SourceComponent("tokenizer", has_weights=False),
    SourceComponent("text_encoder"),
    SourceComponent("transformer"),
    SourceComponent("vae"),
)


def _source(
    id: str, name: str, repository: str, summary: str, size: float, memory: float, licence: str = COGVIDEOX.id
) -> ModelSource:
    newer = "1.5" in id
    return ModelSource(
        id=id,
        name=name,
        kind="video",
        summary=summary,
        repository=f"zai-org/{repository}",
        former_repository=f"THUDM/{repository}",
        licence=licence,
        components=_COMPONENTS,
        bytes=int(size * 1e9),
        memory=memory,
        sizes="1360 × 768" if newer else "720 × 480",
        lengths="5 or 10 s at 16 frames a second" if newer else "6 s at 8 frames a second",
    )


SOURCES = (
    _source("cogvideox-2b", "CogVideoX 2B", "CogVideoX-2b", "The small one.", 13.3, 4, APACHE_2.id),
    _source("cogvideox-5b", "CogVideoX 5B", "CogVideoX-5b", "Finer than 2B.", 21.1, 4),
    _source("cogvideox-1.5-5b", "CogVideoX 1.5 5B", "CogVideoX1.5-5B", "Larger and longer.", 21.1, 6),
    _source("cogvideox-5b-i2v", "CogVideoX 5B I2V", "CogVideoX-5b-I2V", "Moves a picture.", 21.1, 4),
    _source(
        "cogvideox-1.5-5b-i2v",
        "CogVideoX 1.5 5B I2V",
        "CogVideoX1.5-5B-I2V",
        "Moves a picture, larger and longer.",
        21.1,
        6,
    ),
)
