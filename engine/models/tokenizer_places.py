"""T5's tokenizer where other programs keep it: in a folder of its own, beside their code.

ComfyUI carries it as ``comfy/text_encoders/t5_tokenizer``; Stability Matrix and SwarmUI keep a ComfyUI within
themselves, Forge has ``backend/huggingface``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.models.component_location import ComponentLocation
from engine.models.reading.component import read_json
from engine.protocol.errors import LaternaError

_COMFYUI = ("comfy/text_encoders/t5_tokenizer", "comfy/t5_tokenizer")
_WITHIN = ("ComfyUI", "Packages/*", "dlbackend/*", "dlbackend/*/ComfyUI")
_PLACES = (
    *_COMFYUI,
    *(f"{within}/{place}" for within in _WITHIN for place in _COMFYUI),
    "backend/huggingface/*/*/tokenizer_[23]",
)
_LEVELS = 4
_LARGEST_PIECES = 2_000_000
_LARGEST_TABLE = 8_000_000
_WORDS = range(32_000, 32_129)
"""T5's own; UMT5's, which has the same class, has eight times as many."""


def t5_tokenizer(folder: Path) -> ComponentLocation | None:
    """The tokenizer in ``folder``, where it is T5's."""
    try:
        told: dict[str, Any] = read_json(folder / "tokenizer_config.json")
        if not str(told.get("tokenizer_class", "T5Tokenizer")).startswith("T5Tokenizer"):
            return None
        pieces, table = folder / "spiece.model", folder / "tokenizer.json"
        if table.is_file():
            if table.stat().st_size > _LARGEST_TABLE or not _is_t5(read_json(table)):
                return None
        elif not pieces.is_file() or pieces.stat().st_size > _LARGEST_PIECES:
            return None
    except (LaternaError, OSError):
        return None
    return ComponentLocation("tokenizer_3", str(folder), "diffusers", "", 0, kind="t5_tokenizer")


def outside(root: Path) -> Iterator[Path]:
    """Folders of tokenizers of the program that ``root`` is a part of."""
    for place in (root, *root.parents[:_LEVELS]):
        for pattern in _PLACES:
            yield from sorted(place.glob(pattern))


def _is_t5(table: dict[str, Any]) -> bool:
    """Whether ``tokenizer.json`` is a unigram model with T5's number of pieces."""
    model = table.get("model")
    if not isinstance(model, dict) or model.get("type") not in ("Unigram", None):
        return False
    words = model.get("vocab")
    return isinstance(words, list) and len(words) in _WORDS
