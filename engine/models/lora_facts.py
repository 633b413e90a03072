"""What a LoRA file was made for, from its header alone: family, width of the transformer, rank.

Layers are named as peft, diffusers, Kohya or ComfyUI name them (``engine/worker/adapters`` reads all of these); a name
with its dots as underscores is the same in all.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from engine.families.registry import FAMILIES
from engine.files import TEXT_LIMIT, read_regular
from engine.models.component_location import PICKLES
from engine.models.installed import InstalledModel
from engine.models.lora_names import split_name
from engine.models.safetensors_header import Header, read_header
from engine.protocol.errors import BadFile, ModelDamaged, UnsafeModel


class LoraFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """``family`` is ours, or the name of a stranger's model, or "" where the names do not tell. ``width`` is that of
    the transformer's layers, 0 where it is not told; ``model`` what the training wrote into the header."""

    family: str = ""
    width: int = 0
    rank: int = 0
    model: str = ""

    @property
    def is_strange(self) -> bool:
        """Made for a family that Laterna does not run."""
        return bool(self.family) and self.family not in FAMILIES


def lora_facts(path: Path) -> LoraFacts:
    """Raises ``UnsafeModel`` for a pickle, ``BadFile`` for what is no LoRA, and the errors of a file that cannot be
    read. Reads no tensor."""
    if path.suffix.lower() in PICKLES:
        raise UnsafeModel(
            f"{path.name} is a pickle: opening it can run any program.", "Get the same LoRA as .safetensors."
        )
    if path.suffix.lower() != ".safetensors":
        raise UnsafeModel(f"{path.name} is no .safetensors file.", "Choose a LoRA in safetensors format.")
    try:
        header = read_header(path)
    except ModelDamaged as error:
        raise BadFile(error.message, error.remedy) from error
    shapes: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, tensor in header.tensors.items():
        layer, role = split_name(name)
        if role and role != "alpha":
            shapes.setdefault(layer, {})[role] = tensor.shape
    if not shapes:
        from engine.models.reading.strangers import stranger  # not before the window is shown

        told = stranger(header.tensors)
        raise BadFile(
            f"{path.name} is {told.what}, not a LoRA." if told else f"{path.name} holds no LoRA.",
            "Choose a LoRA's .safetensors file.",
        )
    width = next((width for layer, own in shapes.items() if _is_query(layer) and (width := _width(own))), 0)
    rank = max((own[role][0] for own in shapes.values() for role in _RANKS if own.get(role)), default=0)
    return LoraFacts(_family(list(shapes), width), width, rank, _told_model(header))


_RANKS = ("down", "hada_w1_b", "lokr_w2_b", "lokr_w1_b")


def _width(own: dict[str, tuple[int, ...]]) -> int:
    """Of a layer's input, where a factor has it as it is."""
    return next((own[role][1] for role in ("down", "hada_w1_b", "diff") if len(own.get(role, ())) > 1), 0)


def _family(layers: list[str], width: int) -> str:
    """Strangers first: their names may hold parts of ours."""
    from engine.models.reading.strangers import family_name

    other = family_name(layers)
    if other is not None:
        return other
    flat = [layer.replace(".", "_") for layer in layers]
    for id, family in FAMILIES.items():
        if any(family.lora_told_by.search(name) for name in flat):
            return family.lora_strangers.get(width, id)
    return ""


def _is_query(layer: str) -> bool:
    return any(family.lora_query.search(layer) for family in FAMILIES.values())


def _told_model(header: Header) -> str:
    """Laterna's own trainings and Kohya's scripts say what they began with."""
    try:
        told = json.loads(header.metadata.get("laterna", "{}"))
    except ValueError:
        told = {}
    model = told.get("model") if isinstance(told, dict) else None
    return str(model or "")[:80]


def transformer_width(model: InstalledModel) -> int:
    """That of the model's layers; 0 where its folder does not say."""
    try:
        family = FAMILIES[model.info.family]
        config = json.loads(read_regular(model.folder / family.denoisers()[0] / "config.json", TEXT_LIMIT))
        return family.width(config)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return 0
