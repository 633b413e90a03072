"""A LoRA file as changes by layer name, whatever tool wrote it and whichever method it follows.

LoRA (Hu et al. 2021, arXiv:2106.09685): W becomes W + s · up · down, s = alpha / rank (rsLoRA, arXiv:2312.03732:
alpha / √rank). The names end in ``lora_A``/``lora_B`` (peft, diffusers; often with the adapter's own name behind),
``lora_down``/``lora_up`` (Kohya, ComfyUI, with ``lora_mid`` for convolutions) or ``lora.down``/``lora.up`` (old
diffusers), with or without ``alpha``; a file without has alpha = rank, unless diffusers' header or peft's
``adapter_config.json`` beside it say it. LoHa (arXiv:2108.06098) and LoKr are LyCORIS' (``hada_…``, ``lokr_…``), DoRA
(arXiv:2402.09353) is a magnitude beside a LoRA; ``diff``, ``diff_b``, ``w_norm`` and ``b_norm`` are whole differences.
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from engine.files import TEXT_LIMIT, read_regular
from engine.models.lora_names import split_name
from engine.models.safetensors_header import Header, read_header
from engine.protocol.errors import BadFile, ModelDamaged
from engine.worker.adapters.change import WeightChange

_ADAPTER_METADATA = "lora_adapter_metadata"  # diffusers' key in the safetensors header
_PEFT_CONFIG = "adapter_config.json"
_MAX_CONFIG = 1_000_000
_NEEDED = (("down", "up"), ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"))


def read_lora(path: Path, tell: Callable[[str], None] = lambda message: None) -> dict[str, WeightChange]:
    """Every layer's change under the layer's name in the file. Raises ``BadFile`` with what is wrong with it. ``tell``
    is given a sentence for what is not as it should be and no reason to refuse it."""
    try:
        header = read_header(path)
    except ModelDamaged as error:
        raise BadFile(error.message, error.remedy) from error
    try:
        return _read(path, header, tell)
    except SafetensorError as error:
        raise BadFile(f"{path.name} is damaged: {error}.", "Get the file again.") from error


def _read(path: Path, header: Header, tell: Callable[[str], None]) -> dict[str, WeightChange]:
    layers: dict[str, dict[str, Tensor]] = {}
    with safe_open(path, "pt") as file:
        for name in header.tensors:
            layer, role = split_name(name)
            if role:
                tensor = file.get_tensor(name)
                if tensor.is_floating_point() and not bool(torch.isfinite(tensor.float()).all()):
                    raise BadFile(
                        f"{path.name} is damaged: {layer} holds values that are no numbers.", "Get the file again."
                    )
                layers.setdefault(layer, {})[role] = tensor
    told = _Told(path, header.metadata)
    found = {layer: change for layer, own in layers.items() if (change := _change(path, layer, own, told))}
    if not found:
        raise BadFile(f"{path.name} holds no LoRA.", "Choose a LoRA's .safetensors file.")
    if told.is_odd:
        tell(_sentence(path.name))
    return found


def _sentence(name: str) -> str:
    return f"{name}: its alpha is told as no number, so it is applied as if alpha were its rank."


def _change(path: Path, layer: str, own: dict[str, Tensor], told: _Told) -> WeightChange | None:
    """None for what is no change by itself, such as an alpha alone."""
    for needed in _NEEDED:
        if any(role in own for role in needed) and not all(role in own for role in needed):
            raise _unpaired(path, layer)
    factors = {name: tensor for name, tensor in own.items() if name not in ("alpha", "magnitude", "bias")}
    if not factors and "bias" not in own:
        return None
    if "down" in own and (own["up"].ndim < 2 or own["up"].shape[1] != own["down"].shape[0]):
        raise _unpaired(path, layer)
    rank = _rank(own)
    alpha = own.get("alpha")
    scale = told.scale(layer, rank, float(alpha.float().mean()) if alpha is not None else None) if rank else 1.0
    found = WeightChange(factors, scale, own.get("magnitude"), own.get("bias"))
    try:
        found.shape()
    except (KeyError, RuntimeError, IndexError, ValueError) as error:
        raise _unpaired(path, layer) from error
    return found


def _unpaired(path: Path, layer: str) -> BadFile:
    return BadFile(f"{path.name} is damaged: {layer} has no matching pair of matrices.", "Get the file again.")


def _rank(own: Mapping[str, Tensor]) -> int:
    """What an alpha is divided by; 0 where there is nothing of a rank."""
    if "down" in own:
        return own["down"].shape[0]
    for name in ("hada_w1_b", "lokr_w2_b", "lokr_w1_b"):
        if name in own:
            return own[name].shape[0]
    return 0


class _Told:
    """What is said of alphas elsewhere: diffusers' header has ``<part>.lora_alpha`` and so on, peft's file has them
    without the part."""

    def __init__(self, path: Path, metadata: Mapping[str, str]) -> None:
        self._header = _object(metadata.get(_ADAPTER_METADATA, "{}"))
        self._beside = _beside(path)
        self.is_odd = False
        """Whether an alpha that was asked for was no number."""

    def scale(self, layer: str, rank: int, alpha: float | None) -> float:
        part, _, inside = layer.partition(".")
        inside = inside if any(key.startswith(f"{part}.") for key in self._header) else layer
        is_stabilised = self._get(part, "use_rslora") is True
        if alpha is None:
            alpha = self._number(part, "lora_alpha", rank)
            patterns = self._get(part, "alpha_pattern")
            for pattern, value in patterns.items() if isinstance(patterns, dict) else ():
                if inside == pattern or inside.endswith("." + str(pattern)):
                    alpha = float(value) if _is_number(value) else alpha
                    self.is_odd |= not _is_number(value)
        return alpha / (math.sqrt(rank) if is_stabilised else rank)

    def _number(self, part: str, name: str, otherwise: float) -> float:
        if _is_number(value := self._get(part, name)):
            return float(value)
        places = (self._header, f"{part}.{name}"), (self._header, name), (self._beside, name)
        self.is_odd |= any(key in place for place, key in places)
        return float(otherwise)

    def _get(self, part: str, name: str) -> Any:
        found = self._header.get(f"{part}.{name}", self._header.get(name))
        return self._beside.get(name) if found is None else found


def _is_number(value: object) -> bool:
    """Null, text and infinity are no alpha."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _beside(path: Path) -> dict[str, Any]:
    """peft's settings in the file's folder, where that folder is of this one adapter."""
    place = path.parent / _PEFT_CONFIG
    try:
        if not stat.S_ISREG(os.stat(place).st_mode) or place.stat().st_size > _MAX_CONFIG:
            return {}
        alone = path.stem.startswith("adapter_model") or len(list(path.parent.glob("*.safetensors"))) == 1
        return _object(read_regular(place, TEXT_LIMIT).decode("utf-8")) if alone else {}
    except (OSError, UnicodeDecodeError):
        return {}


def _object(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
