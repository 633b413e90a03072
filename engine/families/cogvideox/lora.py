"""What LoRA files call this family's layers besides diffusers' names: as DiffSynth-Studio does."""

from __future__ import annotations

import re
from collections.abc import Set

from engine.families.lora import Names, Target

TOLD_BY = re.compile(r"(transformer_)?blocks_\d+_attn1_(to_|norm)")
QUERY = re.compile(r"attn1[._]to_[qkv]$")

_DIFFSYNTH = (("attn1.to_out.0", "attn1.to_out"), ("ff.net.0.proj", "ff.0"), ("ff.net.2", "ff.2"))


def layer_names(layers: Set[str]) -> Names:
    for layer in layers:
        if layer.startswith("transformer_blocks."):
            short = layer.removeprefix("transformer_")
            for ours, theirs in _DIFFSYNTH:
                if short.endswith("." + ours):
                    yield short.removesuffix(ours) + theirs, (Target(layer),)
