"""Where each catalogued model comes from, and which parts of its repository a run needs.

Repositories, licences and sizes are those of the vendors' model cards. A repository as a whole is far larger than what
a run needs (it holds single-file and sharded copies), so the parts are named here and ``plan`` picks the files.
"""

from __future__ import annotations

import msgspec

from engine.models.manifest import Precision
from engine.protocol.errors import ModelMissing

T5_SOURCE = "cogvideox-2b"
"""The catalogued model whose repository gives a T5 and its tokenizer to whoever asks."""


class Component(msgspec.Struct, frozen=True, omit_defaults=True):
    """A folder of a repository in diffusers layout. ``fp8_file`` is the same weights elsewhere in it, in 8 bits."""

    name: str
    has_weights: bool = True
    fp8_file: str = ""


class ModelSource(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model's repository. ``licence`` is an id of ``licences``; ``memory`` in GB is the smallest common graphics
    card that the planner runs its usual settings on; ``bytes`` is the download in native precision, a figure until the
    real file list is known.
    """

    id: str
    name: str
    kind: str
    summary: str
    repository: str
    licence: str
    components: tuple[Component, ...]
    bytes: int
    memory: float
    precisions: tuple[Precision, ...] = ("native",)
    gated: bool = False
    sizes: str = ""
    lengths: str = ""
    former_repository: str = ""


_SD35_COMPONENTS = (
    Component("scheduler", has_weights=False),
    Component("tokenizer", has_weights=False),
    Component("tokenizer_2", has_weights=False),
    Component("tokenizer_3", has_weights=False),
    Component("text_encoder"),
    Component("text_encoder_2"),
    Component("text_encoder_3", fp8_file="text_encoders/t5xxl_fp8_e4m3fn.safetensors"),
    Component("transformer"),
    Component("vae"),
)
_COGVIDEOX_COMPONENTS = (
    Component("scheduler", has_weights=False),
    Component("tokenizer", has_weights=False),
    Component("text_encoder"),
    Component("transformer"),
    Component("vae"),
)


def _sd35(id: str, name: str, summary: str, size: float, memory: float, sizes: str) -> ModelSource:
    return ModelSource(
        id=id,
        name=name,
        kind="image",
        summary=summary,
        repository=f"stabilityai/stable-diffusion-{id.removeprefix('sd')}",
        licence="stability-community",
        components=_SD35_COMPONENTS,
        bytes=int(size * 1e9),
        memory=memory,
        precisions=("native", "fp8"),
        gated=True,
        sizes=sizes,
    )


def _cogvideox(
    id: str,
    name: str,
    repository: str,
    summary: str,
    size: float,
    memory: float,
    licence: str = "cogvideox",
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
        components=_COGVIDEOX_COMPONENTS,
        bytes=int(size * 1e9),
        memory=memory,
        sizes="1360 × 768" if newer else "720 × 480",
        lengths="5 or 10 s at 16 frames a second" if newer else "6 s at 8 frames a second",
    )


SOURCES: dict[str, ModelSource] = {
    source.id: source
    for source in (
        _sd35("sd3.5-large", "SD 3.5 Large", "8 billion parameters, the finest.", 27.6, 4, "about 1 megapixel"),
        _sd35("sd3.5-large-turbo", "SD 3.5 Large Turbo", "Large in four steps: fast.", 27.6, 4, "about 1 megapixel"),
        _sd35("sd3.5-medium", "SD 3.5 Medium", "2.5 billion parameters.", 16.3, 4, "0.25 to 2 megapixels"),
        _cogvideox("cogvideox-2b", "CogVideoX 2B", "CogVideoX-2b", "The small one.", 13.3, 4, "apache-2.0"),
        _cogvideox("cogvideox-5b", "CogVideoX 5B", "CogVideoX-5b", "Finer than 2B.", 21.1, 4),
        _cogvideox("cogvideox-1.5-5b", "CogVideoX 1.5 5B", "CogVideoX1.5-5B", "Larger and longer.", 21.1, 6),
        _cogvideox("cogvideox-5b-i2v", "CogVideoX 5B I2V", "CogVideoX-5b-I2V", "Moves a picture.", 21.1, 4),
        _cogvideox(
            "cogvideox-1.5-5b-i2v",
            "CogVideoX 1.5 5B I2V",
            "CogVideoX1.5-5B-I2V",
            "Moves a picture, larger and longer.",
            21.1,
            6,
        ),
    )
}


def source(model: str) -> ModelSource:
    """Raises ``ModelMissing`` for an id that is not catalogued."""
    found = SOURCES.get(model)
    if found is None:
        raise ModelMissing(f"There is no model “{model}” to download.", f"Known models: {', '.join(SOURCES)}.")
    return found
