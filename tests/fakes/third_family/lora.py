"""What LoRA files call its layers: short names, with the query, key and value of a block in one."""

from __future__ import annotations

import re
from collections.abc import Set

from engine.families.lora import Names, split

TOLD_BY = re.compile(r"(blocks|stages)_\d+_mixer_(to_|qkv)")
QUERY = re.compile(r"mixer[._](to_[qkv]|qkv)$")


def layer_names(layers: Set[str]) -> Names:
    for layer in layers:
        if layer.endswith(".mixer.to_q"):
            block = layer.removesuffix(".to_q")
            yield split(f"{block.replace('stages', 'blocks')}.qkv", [f"{block}.to_{one}" for one in "qkv"])
