"""Which layer a LoRA's name means, in diffusers', Kohya's, ComfyUI's and OneTrainer's ways of naming.

A name is a prefix that says the part of the model, and the layer's path: with dots or, as Kohya writes it, with
underscores; as diffusers names it or, for SD3's transformer, as the reference implementation does (MMDiT). There the
three projections of an attention are one matrix, so a target may be a third of the rows of ``up``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn

PARTS = {
    "text_encoder": ("text_encoder.", "lora_te1_", "lora_te_", "text_encoders.clip_l.transformer."),
    "text_encoder_2": ("text_encoder_2.", "lora_te2_", "text_encoders.clip_g.transformer."),
    "text_encoder_3": ("text_encoder_3.", "lora_te3_", "text_encoders.t5xxl.transformer."),
    "transformer": ("transformer.", "diffusion_model.", "base_model.model.", "lora_transformer_", "lora_unet_", ""),
}
"""The prefixes of each component's layers; the empty one last."""

_BY_LENGTH = sorted(
    ((prefix, part) for part, prefixes in PARTS.items() for prefix in prefixes), key=lambda pair: -len(pair[0])
)
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


@dataclass(frozen=True)
class Target:
    """``layer`` takes piece ``index`` of ``pieces`` of the rows; ``swapped``: their halves are the other way round
    (diffusers' last norms put scale before shift)."""

    layer: str
    index: int = 0
    pieces: int = 1
    swapped: bool = False

    def rows(self, up: Tensor) -> Tensor:
        piece = up.chunk(self.pieces)[self.index] if self.pieces > 1 else up
        return piece.roll(len(piece) // 2, 0) if self.swapped else piece


def split_part(name: str) -> tuple[str, str]:
    """The component and the rest of the name."""
    for prefix, part in _BY_LENGTH:
        if name.startswith(prefix):
            rest = name.removeprefix(prefix)
            return part, rest.removeprefix("base_model.model.")
    raise AssertionError("the empty prefix fits every name")


def targets(network: nn.Module) -> dict[str, tuple[Target, ...]]:
    """Every name that a layer of ``network`` can have in a LoRA."""
    layers = {name for name, module in network.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)}
    found: dict[str, tuple[Target, ...]] = {}
    for alias, meant in (*_own(layers), *_mmdit(layers)):
        found[alias] = found[alias.replace(".", "_")] = meant
    return found


def _own(layers: set[str]) -> Iterator[tuple[str, tuple[Target, ...]]]:
    for layer in layers:
        yield layer, (Target(layer),)
        yield layer.removeprefix("text_model."), (Target(layer),)
        yield f"text_model.{layer}", (Target(layer),)


def _mmdit(layers: set[str]) -> Iterator[tuple[str, tuple[Target, ...]]]:
    blocks = 1 + max((int(m[1]) for n in layers if (m := re.match(r"transformer_blocks\.(\d+)\.", n))), default=-1)
    for i in range(blocks):
        for theirs, ours in _MMDIT_BLOCK:
            wanted = [f"transformer_blocks.{i}.{name}" for name in ours]
            last = i == blocks - 1 and theirs == "context_block.adaLN_modulation.1"
            if all(layer in layers for layer in wanted):
                yield (
                    f"joint_blocks.{i}.{theirs}",
                    tuple(Target(layer, n, len(wanted), swapped=last) for n, layer in enumerate(wanted)),
                )
    for theirs, layer in _MMDIT_ENDS.items():
        if layer in layers:
            yield theirs, (Target(layer, swapped=layer == "norm_out.linear"),)
