"""What LoRA files call this family's layers: as the reference implementation does (MMDiT), where the three projections
of an attention are one matrix, or as DiffSynth-Studio does."""

from __future__ import annotations

import re
from collections.abc import Set

from engine.families.lora import Names, Target, split

TOLD_BY = re.compile(
    r"joint_blocks_\d+_|blocks_\d+_attn_[ab]_to_"
    r"|transformer_blocks_\d+_(attn2?_(to_|add_)|ff_context|norm1_context)|lora_te3_"
)
QUERY = re.compile(r"(?:attn[._]to_[qkv]|x_block[._]attn[._]qkv)$")
STRANGERS = {3072: "Flux or Qwen-Image"}

_MMDIT_BLOCK = (
    ("x_block.attn.qkv", ("attn.to_q", "attn.to_k", "attn.to_v")),
    ("x_block.attn2.qkv", ("attn2.to_q", "attn2.to_k", "attn2.to_v")),
    ("context_block.attn.qkv", ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj")),
    ("x_block.attn.proj", ("attn.to_out.0",)),
    ("x_block.attn2.proj", ("attn2.to_out.0",)),
    ("context_block.attn.proj", ("attn.to_add_out",)),
    ("x_block.mlp.fc1", ("ff.net.0.proj",)),
    ("x_block.mlp.fc2", ("ff.net.2",)),
    ("context_block.mlp.fc1", ("ff_context.net.0.proj",)),
    ("context_block.mlp.fc2", ("ff_context.net.2",)),
    ("x_block.attn.ln_q", ("attn.norm_q",)),
    ("x_block.attn.ln_k", ("attn.norm_k",)),
    ("x_block.attn2.ln_q", ("attn2.norm_q",)),
    ("x_block.attn2.ln_k", ("attn2.norm_k",)),
    ("context_block.attn.ln_q", ("attn.norm_added_q",)),
    ("context_block.attn.ln_k", ("attn.norm_added_k",)),
    ("x_block.adaLN_modulation.1", ("norm1.linear",)),
    ("context_block.adaLN_modulation.1", ("norm1_context.linear",)),
)
_MMDIT_ENDS = {
    "x_embedder.proj": "pos_embed.proj",
    "context_embedder": "context_embedder",
    "t_embedder.mlp.0": "time_text_embed.timestep_embedder.linear_1",
    "t_embedder.mlp.2": "time_text_embed.timestep_embedder.linear_2",
    "y_embedder.mlp.0": "time_text_embed.text_embedder.linear_1",
    "y_embedder.mlp.2": "time_text_embed.text_embedder.linear_2",
    "final_layer.adaLN_modulation.1": "norm_out.linear",
    "final_layer.linear": "proj_out",
}
_DIFFSYNTH_JOINT = {
    "norm1_a.linear": ("norm1.linear",),
    "norm1_b.linear": ("norm1_context.linear",),
    "attn.a_to_qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "attn.b_to_qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "attn.a_to_out": ("attn.to_out.0",),
    "attn.b_to_out": ("attn.to_add_out",),
    "attn2.to_qkv": ("attn2.to_q", "attn2.to_k", "attn2.to_v"),
    "attn2.to_out": ("attn2.to_out.0",),
    "ff_a.0": ("ff.net.0.proj",),
    "ff_a.2": ("ff.net.2",),
    "ff_b.0": ("ff_context.net.0.proj",),
    "ff_b.2": ("ff_context.net.2",),
}


def layer_names(layers: Set[str]) -> Names:
    blocks = 1 + max((int(m[1]) for n in layers if (m := re.match(r"transformer_blocks\.(\d+)\.", n))), default=-1)
    for i in range(blocks):
        for theirs, ours in _DIFFSYNTH_JOINT.items():
            wanted = [f"transformer_blocks.{i}.{name}" for name in ours]
            if all(layer in layers for layer in wanted):
                yield split(f"blocks.{i}.{theirs}", wanted)
        for theirs, ours in _MMDIT_BLOCK:
            wanted = [f"transformer_blocks.{i}.{name}" for name in ours]
            last = i == blocks - 1 and theirs == "context_block.adaLN_modulation.1"
            if all(layer in layers for layer in wanted):
                yield split(f"joint_blocks.{i}.{theirs}", wanted, swapped=last)
    for theirs, layer in _MMDIT_ENDS.items():
        if layer in layers:
            yield theirs, (Target(layer, swapped=layer == "norm_out.linear"),)
