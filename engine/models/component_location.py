"""Where a component lies that was found in a file or a folder. Light: the window needs it before it is shown."""

from __future__ import annotations

from typing import Literal

import msgspec

PICKLES = (".ckpt", ".pt", ".pth", ".bin", ".pkl", ".pickle")
"""Endings of files that run what is in them when they are opened."""

Format = Literal["diffusers", "safetensors", "gguf"]


class ComponentLocation(msgspec.Struct, frozen=True, omit_defaults=True):
    """A component at ``path``: a folder in diffusers layout, or a file whose tensors below ``prefix`` it is.

    ``precision`` is what most of it is stored in (bf16, fp16, fp8, Q8_0 …). ``kind`` is one of ``FILE_KINDS``, ""
    in imports of earlier versions; ``words`` the size of a text encoder's vocabulary. ``plain``: a CLIP-L without a
    projection of its own, as Stable Diffusion 3's is.
    """

    name: str
    path: str
    format: Format
    precision: str
    bytes: int
    prefix: str = ""
    kind: str = ""
    words: int = 0
    plain: bool = True
