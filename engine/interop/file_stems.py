"""Names of files, as far as they name what is in them."""

from __future__ import annotations

import re

from engine.interop.report import file_name


def stem_of(name: str) -> str:
    """The file name without folders and without the ending of a model file."""
    return re.sub(r"\.(safetensors|ckpt|pt|pth|bin|gguf|sft)$", "", file_name(name), flags=re.IGNORECASE)


def plain(name: str) -> str:
    """Lower case, everything but letters and digits a single dash."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()[:300]).strip("-")
