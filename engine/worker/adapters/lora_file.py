"""A LoRA file as low-rank changes by layer name, whatever tool wrote it.

LoRA (Hu et al. 2021, arXiv:2106.09685): a layer's weight W becomes W + (alpha / rank) · up · down. The names end in
``lora_A``/``lora_B`` (peft, diffusers), ``lora_down``/``lora_up`` (Kohya, ComfyUI) or ``lora.down``/``lora.up`` (old
diffusers), with or without ``alpha``; a file without has alpha = rank, except that diffusers may keep it in the header.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open
from torch import Tensor

from engine.models.safetensors_header import read_header
from engine.protocol.errors import BadFile, ModelDamaged

_PAIRS = (
    ("lora_A.weight", "lora_B.weight"),
    ("lora_A.default.weight", "lora_B.default.weight"),
    ("lora_down.weight", "lora_up.weight"),
    ("lora.down.weight", "lora.up.weight"),
    ("lora_linear_layer.down.weight", "lora_linear_layer.up.weight"),
)
_OTHER_METHODS = {
    "DoRA": re.compile(r"dora_scale$|lora_magnitude_vector"),
    "LoHa": re.compile(r"hada_w\d_[ab]$|hada_t\d$"),
    "LoKr": re.compile(r"lokr_(w\d(_[ab])?|t2)$"),
    "a LoCon with a middle matrix": re.compile(r"lora_mid\.weight$"),
    "a full difference of weights": re.compile(r"\.diff(_b)?$"),
}
_ADAPTER_METADATA = "lora_adapter_metadata"  # diffusers' key in the safetensors header


@dataclass(frozen=True)
class LowRank:
    """``down`` [rank, in] (a convolution's: [rank, in, k, k]), ``up`` [out, rank]; the change is scale · up · down."""

    down: Tensor
    up: Tensor
    scale: float = 1.0

    @property
    def rank(self) -> int:
        return self.down.shape[0]


def read_lora(path: Path) -> dict[str, LowRank]:
    """Every layer's change under the layer's name in the file. Raises ``BadFile`` with what is wrong with it."""
    try:
        header = read_header(path)
    except ModelDamaged as error:
        raise BadFile(error.message, error.remedy) from error
    for method, pattern in _OTHER_METHODS.items():
        if any(pattern.search(name) for name in header.tensors):
            raise BadFile(f"{path.name} is {method}, which this Laterna cannot apply.", "Choose a plain LoRA.")
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in header.tensors}
    told = _told(header.metadata)
    found: dict[str, LowRank] = {}
    for name, down in tensors.items():
        layer, up_name = _split(name)
        if layer is None:
            continue
        up = tensors.get(up_name)
        if up is None or up.shape[1] != down.shape[0]:
            raise BadFile(f"{path.name} is damaged: {layer} has no matching pair of matrices.", "Get the file again.")
        alpha = tensors.get(f"{layer}.alpha")
        rank = down.shape[0]
        scale = (float(alpha) if alpha is not None else _told_alpha(told, layer, rank)) / rank
        found[layer] = LowRank(down, up.flatten(1), scale)
    if not found:
        raise BadFile(f"{path.name} holds no LoRA.", "Choose a LoRA's .safetensors file.")
    return found


def _split(name: str) -> tuple[str | None, str]:
    """The layer that a "down" tensor belongs to and the name of its "up"; ``(None, "")`` for any other tensor."""
    for down, up in _PAIRS:
        if name.endswith("." + down):
            layer = name.removesuffix("." + down)
            return layer, f"{layer}.{up}"
    return None, ""


def _told(metadata: Mapping[str, str]) -> dict[str, Any]:
    """What diffusers wrote into the header: ``<part>.lora_alpha``, and ``<part>.alpha_pattern`` for exceptions."""
    try:
        told = json.loads(metadata.get(_ADAPTER_METADATA, "{}"))
    except ValueError:
        told = {}
    return told if isinstance(told, dict) else {}


def _told_alpha(told: dict[str, Any], layer: str, rank: int) -> float:
    part, _, inside = layer.partition(".")
    for pattern, alpha in (told.get(f"{part}.alpha_pattern") or {}).items():
        if inside == pattern or inside.endswith("." + pattern):
            return float(alpha)
    return float(told.get(f"{part}.lora_alpha", rank))
