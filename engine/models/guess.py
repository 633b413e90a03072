"""What a folder without a card holds, by the shape of its transformer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from engine.models.catalog import MODELS
from engine.protocol.family_info import ModelDefaults, ModelInfo

Config = dict[str, Any]


def guess(name: str, family: str, config: Config) -> ModelInfo:
    """The catalogue's model of ``family`` that a transformer's ``config`` is nearest to, as the folder ``name``: with
    the sizes that it was trained for where it is none of the published ones."""
    nearest, published_layers, sizes = _FAMILIES[family]
    base = MODELS[nearest(name, config)]
    if config.get("num_layers") in published_layers:
        return base if name == base.id else msgspec.structs.replace(base, id=name)
    defaults = sizes(base.defaults, config)
    return msgspec.structs.replace(
        base,
        id=name,
        name=name,
        summary="",
        defaults=defaults,
        sizes=((defaults.width, defaults.height),),
        repository="",
    )


def _nearest_sd35(name: str, config: Config) -> str:
    if config.get("dual_attention_layers"):
        return "sd3.5-medium"
    return "sd3.5-large-turbo" if "turbo" in name.lower() else "sd3.5-large"


def _sizes_sd35(defaults: ModelDefaults, config: Config) -> ModelDefaults:
    side = int(config.get("sample_size", 128)) * 8
    return msgspec.structs.replace(defaults, width=side, height=side)


def _nearest_cogvideox(name: str, config: Config) -> str:
    if not config.get("use_rotary_positional_embeddings"):
        return "cogvideox-2b"
    newer = "cogvideox-1.5-5b" if config.get("patch_size_t") else "cogvideox-5b"
    return newer + ("-i2v" if config.get("in_channels", 16) > config.get("out_channels", 16) else "")


def _sizes_cogvideox(defaults: ModelDefaults, config: Config) -> ModelDefaults:
    return msgspec.structs.replace(
        defaults,
        width=int(config.get("sample_width", 90)) * 8,
        height=int(config.get("sample_height", 60)) * 8,
        frames=int(config.get("sample_frames", 49)),
        max_sequence_length=int(config.get("max_text_seq_length", 226)),
    )


_FAMILIES: dict[
    str,
    tuple[
        Callable[[str, Config], str],
        tuple[int, ...],
        Callable[[ModelDefaults, Config], ModelDefaults],
    ],
] = {
    "sd35": (_nearest_sd35, (24, 38), _sizes_sd35),
    "cogvideox": (_nearest_cogvideox, (30, 42), _sizes_cogvideox),
}
