"""What a LoRA file was made for, from its header alone: family, width of the transformer, rank.

Layers are named as peft, diffusers, Kohya or ComfyUI name them (``engine/worker/adapters`` reads all of these); a name
with its dots as underscores is the same in all.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec

from engine.files import TEXT_LIMIT, read_regular
from engine.models.installed import InstalledModel
from engine.models.recognise import PICKLES
from engine.models.safetensors_header import Header, read_header
from engine.protocol.errors import BadFile, ModelDamaged, UnsafeModel

_DOWN = re.compile(r"\.(lora_A(\.default)?|lora_down|lora\.down|lora_linear_layer\.down)\.weight$")
_FAMILIES = (
    (
        "sd35",
        re.compile(r"joint_blocks_\d+_|transformer_blocks_\d+_(attn2?_(to_|add_)|ff_context|norm1_context)|lora_te3_"),
    ),
    ("cogvideox", re.compile(r"transformer_blocks_\d+_attn1_(to_|norm)")),
)
_STRANGERS = (
    ("FLUX", re.compile(r"single_transformer_blocks_\d|double_blocks_\d|single_blocks_\d")),
    ("Stable Diffusion 1, 2 or XL", re.compile(r"(down|up|input|output)_blocks_\d|mid_block_")),
    ("Wan", re.compile(r"(^|_)blocks_\d+_(self|cross)_attn")),
)
_QUERY = re.compile(r"(?:attn1?[._]to_[qkv]|x_block[._]attn[._]qkv)$")


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
        return self.family in {name for name, _ in _STRANGERS}


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
    layers = {name[: match.start()]: name for name in header.tensors if (match := _DOWN.search(name))}
    if not layers:
        raise BadFile(f"{path.name} holds no LoRA.", "Choose a LoRA's .safetensors file.")
    names = [layer.replace(".", "_") for layer in layers]
    downs = {layer: header.tensors[name].shape for layer, name in layers.items()}
    width = next((shape[1] for layer, shape in downs.items() if _QUERY.search(layer) and len(shape) > 1), 0)
    rank = max((shape[0] for shape in downs.values() if shape), default=0)
    return LoraFacts(_family(names), width, rank, _told_model(header))


def _family(names: list[str]) -> str:
    for family, pattern in (*_STRANGERS, *_FAMILIES):
        if any(pattern.search(name) for name in names):
            return family
    return ""


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
        config = json.loads(read_regular(model.folder / "transformer" / "config.json", TEXT_LIMIT))
        return int(config["num_attention_heads"]) * int(config["attention_head_dim"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return 0
